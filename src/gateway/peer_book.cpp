#include "gateway/peer_book.hpp"

#include <algorithm>
#include <utility>

#include "base/deadline.hpp"
#include "base/text.hpp"
#include "gateway/context.hpp"
#include "sip/wire/uri.hpp"

namespace stox::gateway {

namespace {

constexpr std::string_view accept_feature = "accept";
/// A fact that is confirmed is not saved again while it is fresh, or a busy peer would be written all the
/// time.
constexpr auto fresh_for = std::chrono::hours(24);
/// What containers spend on one record beside its texts: list node, and places in an index that is
/// a quarter to half full.
constexpr std::size_t entry_bytes = 128;

wall_time whole_seconds(wall_time t) { return std::chrono::floor<std::chrono::seconds>(t); }

std::size_t size_of(const std::vector<std::string>& texts) {
  std::size_t n = texts.size() * sizeof(std::string);
  for (const auto& t : texts) n += t.size();
  return n;
}

std::chrono::hours lasting(known value) {
  return value == known::no ? peer_book::no_lasts : peer_book::yes_lasts;
}

void drop_expired(peer_caps& caps, steady_time now) {
  for (auto& f : caps.facts) {
    if (f.value != known::unknown && f.when.until <= now) f = {};
  }
  if (!caps.accepts.empty() && caps.accepts_when.until <= now) caps.accepts.clear();
}

/// Whether what was learned is about to be old. What was learned later than now was learned while the clock
/// was ahead: its row would outlive the correction, so it is written anew.
bool is_stale(const learned_when& when, instant now, duration lasts, duration fresh) {
  return when.learned > now.wall || lasts - (when.until - now.steady) >= fresh;
}

bool is_deed(learned_by how) { return how == learned_by::received || how == learned_by::refused; }

/// Whether the lesson changes what is known or renews what is about to be old.
bool teaches(const fact& before, const lesson& l, instant now) {
  const auto value = l.yes ? known::yes : known::no;
  if (before.value != value) {
    return before.value != known::no || before.how != learned_by::refused || is_deed(l.how);
  }
  const auto lasts = lasting(value);
  return (is_deed(l.how) && !is_deed(before.how)) ||
         is_stale(before.when, now, lasts, std::min(fresh_for, lasts / 4));
}

}  // namespace

std::optional<std::string> peer_name(const xmpp::jid& user, const domains& d) {
  if (user.local.empty()) return std::nullopt;
  if (!d.serves_xmpp(user.domain)) return user.bare_text();
  const auto aor = d.addresses.to_sip(user, false);
  return aor ? std::optional(sip::write(*aor)) : std::nullopt;
}

std::optional<std::string> peer_name(std::string_view typed, const domains& d) {
  typed = text::trim(typed);
  if (typed.find(':') == std::string_view::npos) {
    const auto user = xmpp::jid::parse(typed);
    return user ? peer_name(*user, d) : std::nullopt;
  }
  const auto uri = sip::parse_uri(typed);
  if (!uri) return std::nullopt;
  const auto user = d.addresses.to_jid(*uri);
  return user ? peer_name(*user, d) : std::nullopt;
}

const peer_caps* peer_book::find(std::string_view name, instant now) {
  auto* r = records_.find(name, now.steady);
  if (r == nullptr) return nullptr;
  drop_expired(r->caps, now.steady);
  return &r->caps;
}

const peer_caps* peer_book::peek(std::string_view name) const {
  const auto* r = records_.peek(name);
  return r == nullptr ? nullptr : &r->caps;
}

/// What is remembered only makes later messages better; it must not take the place of messages.
peer_book::record& peer_book::get(std::string_view name, steady_time now) {
  if (auto* r = records_.find(name, now)) return *r;
  const auto coming = sizeof(record) + entry_bytes + name.size();
  while (share_.used() + coming > memory_.limit() / 8 && records_.forget_stalest()) {
  }
  auto& r = records_.get(name, now);
  r.memory = charge(share_, coming);
  return r;
}

void peer_book::weigh(record& r, std::string_view name) {
  r.memory.resize(sizeof(record) + entry_bytes + name.size() + size_of(r.caps.accepts));
}

void peer_book::learn(std::string_view name, std::string_view domain, const lessons& what, instant now,
                      row_sink& rows) {
  if (what.empty()) return;
  auto& r = get(name, now.steady);
  drop_expired(r.caps, now.steady);
  const auto at = whole_seconds(now.wall);
  for (const auto& l : what.facts) {
    auto& f = r.caps.facts[static_cast<std::size_t>(l.what)];
    if (!teaches(f, l, now)) continue;
    const auto value = l.yes ? known::yes : known::no;
    f = {value, l.how, {at, now.steady + lasting(value)}};
    rows.save(capability_row{std::string(name), std::string(to_string(l.what)), l.yes ? "yes" : "no",
                             std::string(to_string(l.how)), at, std::string(domain), 0, at + lasting(value)});
  }
  learn_types(r, name, domain, what.accepts, now, rows);
}

void peer_book::learn_types(record& r, std::string_view name, std::string_view domain,
                            const std::vector<std::string>& types, instant now, row_sink& rows) {
  std::vector<std::string> kept;
  for (const auto& t : types) {
    if (kept.size() < most_types && t.size() <= most_type_bytes) kept.push_back(t);
  }
  auto& caps = r.caps;
  if (kept.empty()) return;
  if (kept == caps.accepts && !is_stale(caps.accepts_when, now, yes_lasts, fresh_for)) return;
  const auto at = whole_seconds(now.wall);
  caps.accepts = std::move(kept);
  caps.accepts_when = {at, now.steady + yes_lasts};
  weigh(r, name);
  std::string value;
  for (const auto& t : caps.accepts) value += (value.empty() ? "" : " ") + t;
  rows.save(capability_row{std::string(name), std::string(accept_feature), std::move(value),
                           std::string(to_string(learned_by::accept)), at, std::string(domain), 0,
                           at + yes_lasts});
}

bool peer_book::forget(const std::string& name, row_sink& rows) {
  rows.remove(capability_key{name});
  return records_.erase(name);
}

void peer_book::restore(const capability_row& row, instant now) {
  if (row.expiry <= now.wall) return;
  const auto what = feature_named(row.feature);
  const auto how = learned_by_named(row.how);
  const bool types = row.feature == accept_feature;
  if (!how || (!what && !types)) return;
  auto& r = get(row.address, now.steady);
  if (what) {
    const auto value = row.value == "yes" ? known::yes : known::no;
    r.caps.facts[static_cast<std::size_t>(*what)] = {
        value, *how, {row.learned, deadline_of(row.expiry, now, lasting(value))}};
    return;
  }
  r.caps.accepts.clear();
  for (const auto type : text::split(row.value, ' ')) r.caps.accepts.emplace_back(type);
  r.caps.accepts_when = {row.learned, deadline_of(row.expiry, now, yes_lasts)};
  weigh(r, row.address);
}

}  // namespace stox::gateway
