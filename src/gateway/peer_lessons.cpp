#include "gateway/peer_lessons.hpp"

#include <algorithm>
#include <array>

#include "sip/wire/session.hpp"

namespace stox::gateway {

namespace {

struct feature_row {
  std::string_view name;
  std::string_view type, subtype;  ///< of SIP bodies; empty: the feature is XMPP's
};
constexpr std::array<feature_row, feature_count> features = {{
    {"cpim", "message", "cpim"},
    {"imdn", "message", "imdn+xml"},
    {"is_composing", "application", "im-iscomposing+xml"},
    {"html", "text", "html"},
    {"chat_states", "", ""},
}};
constexpr std::array<feature, 4> sip_features = {feature::cpim, feature::imdn, feature::is_composing,
                                                 feature::html};
constexpr std::array<std::string_view, 3> ways = {"accept", "refused", "received"};

const feature_row& row_of(feature f) { return features[static_cast<std::size_t>(f)]; }

std::vector<sip::media_type> accepted_types(const sip::header_list& headers) {
  std::vector<sip::media_type> out;
  for (const auto element : headers.elements(sip::header::accept)) {
    auto range = sip::parse_accept_range(element);
    if (range && range->weight > 0) out.push_back(std::move(range->type));
  }
  return out;
}

enum class mention : std::uint8_t { none, wildcard, named };

mention mention_of(feature f, const std::vector<sip::media_type>& accepted) {
  const auto& row = row_of(f);
  auto out = mention::none;
  for (const auto& a : accepted) {
    if (a.is(row.type, row.subtype)) return mention::named;
    if (a.subtype == "*" && (a.type == "*" || a.type == row.type)) out = mention::wildcard;
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<sip::media_type>& accepted) {
  std::vector<std::string> out;
  for (const auto& a : accepted) {
    auto name = a.type + "/" + a.subtype;
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

/// What is named. A wildcard promises nothing: many write it and show what they cannot read as text.
void add_named(lessons& out, const std::vector<sip::media_type>& accepted) {
  for (const auto f : sip_features) {
    if (mention_of(f, accepted) == mention::named) out.facts.push_back({f, true, learned_by::accept});
  }
  out.accepts = names_of(accepted);
}

void add_left_out(lessons& out, const std::vector<sip::media_type>& accepted) {
  const bool wraps = mention_of(feature::cpim, accepted) != mention::none;
  for (const auto f : sip_features) {
    if (mention_of(f, accepted) != mention::none) continue;
    // RFC 5438 §7.2: an IMDN comes within CPIM, so who takes that need not name it.
    if (f == feature::imdn && wraps) continue;
    out.facts.push_back({f, false, learned_by::accept});
  }
}

void add_refused(lessons& out, std::span<const feature> form) {
  const auto is_no = [&out](feature f) {
    return std::find(out.facts.begin(), out.facts.end(), lesson{f, false, learned_by::accept}) !=
           out.facts.end();
  };
  if (form.empty() || std::any_of(form.begin(), form.end(), is_no)) return;
  // The deed counts more than the word.
  std::erase_if(out.facts, [&form](const lesson& l) { return l.what == form.front(); });
  out.facts.push_back({form.front(), false, learned_by::refused});
}

}  // namespace

std::string_view to_string(feature f) { return row_of(f).name; }

std::optional<feature> feature_named(std::string_view name) {
  const auto at = std::find_if(features.begin(), features.end(),
                               [name](const feature_row& row) { return row.name == name; });
  if (at == features.end()) return std::nullopt;
  return static_cast<feature>(at - features.begin());
}

std::string_view to_string(learned_by how) { return ways[static_cast<std::size_t>(how)]; }

std::optional<learned_by> learned_by_named(std::string_view name) {
  const auto at = std::find(ways.begin(), ways.end(), name);
  if (at == ways.end()) return std::nullopt;
  return static_cast<learned_by>(at - ways.begin());
}

lessons lessons_of(const sip::request& r, const payload::content_type& type) {
  lessons out;
  if (r.headers.find(sip::header::accept).has_value()) add_named(out, accepted_types(r.headers));
  for (const auto f : sip_features) {
    if (!type.is(row_of(f).type, row_of(f).subtype)) continue;
    std::erase_if(out.facts, [f](const lesson& l) { return l.what == f; });
    out.facts.push_back({f, true, learned_by::received});
  }
  return out;
}

lessons lessons_of(const sip::response& r, std::span<const feature> form) {
  lessons out;
  const bool success = r.status >= 200 && r.status < 300;
  if (success || r.status == 415) {
    if (r.headers.find(sip::header::accept).has_value()) {
      const auto accepted = accepted_types(r.headers);
      add_named(out, accepted);
      if (!success) add_left_out(out, accepted);
    }
  }
  if (refuses_form(r)) add_refused(out, form);
  return out;
}

bool refuses_form(const sip::response& r) {
  switch (r.status) {
    case 406:
    case 415:
    case 488: return true;
    case 405:
    case 501: {
      const auto allowed = sip::parse_tokens(r.headers, sip::header::allow);
      return !allowed || allowed->empty() ||
             std::find(allowed->begin(), allowed->end(), "MESSAGE") != allowed->end();
    }
    default: return false;
  }
}

}  // namespace stox::gateway
