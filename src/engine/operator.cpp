#include <algorithm>
#include <set>
#include <utility>

#include "base/deadline.hpp"
#include "base/net_address.hpp"
#include "base/overloaded.hpp"
#include "engine/engine_impl.hpp"
#include "engine/timer_keys.hpp"

// What the operator asks of the engine: blocks, and looks at what is open and known.
namespace stox::engine {

/// By the steady clock: whoever sets the wall clock neither ends a block nor prolongs it.
void engine::impl::block(const blocked& b) {
  const auto until = b.time ? std::optional(now_.steady + *b.time) : std::nullopt;
  if (blocklist_.add({b.what, until})) take_blocks_over();
}

void engine::impl::unblock(const std::string& what) {
  if (blocklist_.remove(what)) take_blocks_over();
}

void engine::impl::configure_blocks() {
  std::set<std::string, std::less<>> names;
  for (const auto& text : settings_.gateway.block) {
    if (auto name = gateway::normal_block(text, domains_)) {
      names.insert(*std::move(name));
    } else {
      // Its form is right, but no address has such characters: there is nobody to block.
      log({log_level::warning, "block.names_nobody", {}, {{"what", text}}});
    }
  }
  blocklist_.configure(std::move(names));
  take_blocks_over();
}

void engine::impl::expire_blocks() {
  blocks_timer_ = {};
  for (const auto& what : blocklist_.expire(now_.steady))
    log({log_level::info, "block.ended", {}, {{"what", what}}});
  take_blocks_over();
}

bool engine::impl::blocks_sip(const xmpp::jid& sender) const {
  if (blocklist_.size() == 0) return false;
  const auto domain = domains_.addresses.domain_to_sip(sender.domain);
  return domain && blocklist_.holds_sip(sender.local, *domain);
}

/// The endpoint refuses what the list has now, and nothing else.
void engine::impl::take_blocks_over() {
  auto now = blocklist_.sources();
  for (const auto& what : blocked_sources_) {
    if (!now.contains(what)) sip_.unblock(*ip_prefix::parse(what));
  }
  for (const auto& what : now) {
    if (!blocked_sources_.contains(what)) sip_.block(*ip_prefix::parse(what));
  }
  blocked_sources_ = std::move(now);
  arm_blocks();
}

void engine::impl::arm_blocks() {
  deadlines_.set(blocks_timer_, {timer_owner::engine, blocks_key}, blocklist_.next_end());
}

void engine::impl::restore(const std::vector<stored_row>& rows) {
  for (const auto& row : rows) {
    std::visit(overloaded{
                   [this](const capability_row& r) { peers_.restore(r, now_); },
                   [this](const receipt_row& r) { receipts_.restore(r, now_); },
               },
               row);
  }
}

std::optional<std::string> engine::block_name(std::string_view typed) const {
  return gateway::normal_block(typed, impl_->domains_);
}

std::optional<peer_record> engine::peer(std::string_view typed, instant now) const {
  auto name = gateway::peer_name(typed, impl_->domains_);
  if (!name) return std::nullopt;
  peer_record out{*std::move(name), {}};
  const auto* caps = impl_->peers_.peek(out.name);
  if (caps == nullptr) return out;
  for (std::size_t i = 0; i < gateway::feature_count; ++i) {
    const auto& f = caps->facts[i];
    if (f.value == gateway::known::unknown || f.when.until <= now.steady) continue;
    out.facts.push_back({std::string(to_string(static_cast<gateway::feature>(i))),
                         f.value == gateway::known::yes ? "yes" : "no", std::string(to_string(f.how)),
                         f.when.learned, shown_as(f.when.until, now)});
  }
  const auto& when = caps->accepts_when;
  if (caps->accepts.empty() || when.until <= now.steady) return out;
  std::string types;
  for (const auto& t : caps->accepts) types += (types.empty() ? "" : " ") + t;
  out.facts.push_back({"accept", std::move(types), std::string(to_string(gateway::learned_by::accept)),
                       when.learned, shown_as(when.until, now)});
  return out;
}

std::vector<gateway::block> engine::blocks() const { return impl_->blocklist_.all(); }

std::vector<session> engine::sessions(std::string_view domain, std::size_t limit) const {
  std::vector<session> out;
  for (auto& m : impl_->router_.open_messages(domain, limit)) {
    out.push_back({to_string(m.dir), m.state, std::move(m.conversation), std::move(m.call_id),
                   std::move(m.stanza_id), std::move(m.from), std::move(m.to), m.begun, m.waiting});
  }
  return out;
}

open_work engine::open() const {
  const auto& s = impl_->sip_.stats();
  return {impl_->router_.open(), impl_->router_.conversations_known(), s.server_transactions,
          s.client_transactions};
}

std::vector<sip_peer> engine::peers(instant now) const {
  std::vector<sip_peer> out;
  for (auto& p : impl_->sip_.peers(now)) {
    const bool paused = p.pause > duration::zero();
    const bool punished = p.penalty > duration::zero();
    out.push_back({p.via, p.at,
                   paused     ? "paused"
                   : punished ? "penalty"
                              : "ok",
                   paused ? p.pause : p.penalty, p.streams, p.stalled, p.requests, p.failures,
                   std::move(p.last_error)});
  }
  return out;
}

}  // namespace stox::engine
