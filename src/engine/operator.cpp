#include <algorithm>
#include <set>
#include <utility>

#include "base/net_address.hpp"
#include "engine/engine_impl.hpp"
#include "engine/timer_keys.hpp"

// What the operator asks of the engine: blocks, and looks at what is open.
namespace stox::engine {

void engine::impl::block(const gateway::block& b) {
  if (blocklist_.add(b)) take_blocks_over();
}

void engine::impl::unblock(const std::string& what) {
  if (blocklist_.remove(what)) take_blocks_over();
}

void engine::impl::configure_blocks() {
  std::set<std::string, std::less<>> names;
  for (const auto& text : settings_.gateway.block) {
    if (auto name = gateway::normal_block(text)) {
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
  for (const auto& what : blocklist_.expire(now_.wall))
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
  const auto end = blocklist_.next_end();
  std::optional<steady_time> when;
  if (end) when = now_.steady + std::max<duration>(*end - now_.wall, duration::zero());
  deadlines_.set(blocks_timer_, {timer_owner::engine, blocks_key}, when);
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
