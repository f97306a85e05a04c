#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "base/overloaded.hpp"
#include "engine/engine_impl.hpp"
#include "engine/timer_keys.hpp"
#include "engine/wiring.hpp"

namespace stox::engine {

namespace {

constexpr auto tidy_every = std::chrono::minutes(1);

std::uint64_t random_seed(id_source& ids) { return ids.below(std::uint64_t{1} << 40U); }

conn_use owner_of(const io::event& e) {
  return std::visit(
      overloaded{
          [](const io::listening& x) { return use_of(x.conn); }, [](const io::accepted& x) { return x.use; },
          [](const io::opened& x) { return use_of(x.conn); },
          [](const io::secured& x) { return use_of(x.conn); },
          [](const io::closed& x) { return use_of(x.conn); },
          [](const io::received& x) { return use_of(x.conn); },
          [](const io::sent& x) { return use_of(x.tok); },
          [](const io::send_failed& x) { return use_of(x.tok); },
          [](const io::blocked& x) { return use_of(x.conn); },
          [](const io::writable& x) { return use_of(x.conn); },
          [](const io::looked_up&) { return conn_use::sip; },  // the resolver's, taken before
      },
      e);
}

}  // namespace

engine::impl::impl(settings::all s, id_source& id)
    : settings_(std::move(s)),
      ids_(id),
      domains_(domains_of(settings_)),
      memory_(settings_.limits.memory),
      s2s_memory_(settings_.limits.memory / 2, memory_),
      rim_queues_(memory_, 0),
      dns_({}, deadlines_, memory_, io_),
      sip_(sip_options_of(settings_, domains_), deadlines_, ids_, memory_, io_, dns_),
      federation_(federation_options_of(settings_, domains_, ids_), deadlines_, ids_, s2s_memory_, io_, dns_),
      peers_(memory_, random_seed(id)),
      receipts_(memory_, random_seed(id)),
      router_(memory_, ids_) {
  counters_.serve(served_names(settings_));
  for (const auto& c : settings_.components) links_.push_back(make_link(c));
  configure_blocks();
}

// ---- the flows' context ----

sip::client_tx engine::impl::request(sip::outgoing out) { return sip_.request(std::move(out), now_); }

sip::outgoing engine::impl::route(sip::request r, const std::string& host) const {
  const auto& rules = domains_.rules_of(host);
  if (!rules.route.empty()) r.headers.add(sip::header::route, rules.route);
  sip::outgoing out{std::move(r), {}, host, rules.max_message_bytes};
  for (const auto& proxy : rules.outbound_proxy)
    out.hops.push_back({proxy.host, proxy.port, proxy.via, false});
  if (out.hops.empty()) out.hops.push_back({host, 0, std::nullopt, false});
  return out;
}

gateway::link_state engine::impl::link(std::string_view domain, std::string_view to) const {
  if (federates(domain, to))
    return federation_.blocked(domain, to) ? gateway::link_state::blocked : gateway::link_state::up;
  const auto* link = find(domain);
  if (link == nullptr) return gateway::link_state::none;
  if (!link->up()) return gateway::link_state::down;
  return link->blocked() ? gateway::link_state::blocked : gateway::link_state::up;
}

bool engine::impl::send(std::string_view domain, std::string_view to, std::string stanza,
                        xmpp::stanza_ref ref) {
  if (federates(domain, to)) return federation_.send(domain, to, std::move(stanza), ref, now_);
  auto* link = find(domain);
  return link != nullptr && link->send(std::move(stanza), ref, now_);
}

bool engine::impl::send_or_queue(std::string_view domain, std::string_view to, std::string stanza) {
  if (federates(domain, to)) return federation_.send_or_queue(domain, to, std::move(stanza), now_);
  auto* link = voice(domain);
  return link != nullptr && link->send_or_queue(std::move(stanza), now_);
}

// ---- the pump ----

void engine::impl::start() {
  started_ = true;
  update_ready();
  deadlines_.set(tidy_timer_, {timer_owner::engine, tidy_key}, now_.steady + tidy_every);
  start_links();
}

void engine::impl::dispatch(const io::event& e) {
  if (const auto* answer = std::get_if<io::looked_up>(&e)) return dns_.handle(*answer, now_);
  switch (owner_of(e)) {
    case conn_use::sip: return sip_.handle(e, now_);
    case conn_use::component:
      for (auto& l : links_) {
        if (l.wire->owns(e)) return l.wire->handle(e, now_);
      }
      return;  // of a connection that its link has given up already
    case conn_use::s2s: return federation_.handle(e, now_);
  }
}

void engine::impl::fire_due() {
  while (const auto key = deadlines_.pop_due(now_.steady)) {
    switch (key->owner) {
      case timer_owner::sip: sip_.handle_timeout(key->id, now_); break;
      case timer_owner::xmpp:
        if (const auto* l = link_of(static_cast<xmpp::link_id>(key->id))) l->wire->handle_timeout(now_);
        break;
      case timer_owner::s2s: federation_.handle_timeout(key->id, now_); break;
      case timer_owner::pager: router_.handle_timeout(*key, *this); break;
      case timer_owner::dns: dns_.handle_timeout(key->id, now_); break;
      case timer_owner::engine: own_timeout(key->id); break;
    }
  }
}

void engine::impl::pump() {
  drain_events();
  // What the end of one phase sets off is told before the next one: `stopped` must be the last word.
  while (phase_ != phase::running) {
    const auto was = phase_;
    step_shutdown();
    if (phase_ == was) return;
    drain_events();
  }
}

void engine::impl::drain_events() {
  bool links_changed = false;
  for (bool moved = true; moved;) {
    moved = false;
    while (auto a = dns_.poll()) {
      sip_.resolved(*a, now_);
      federation_.resolved(*a, now_);
      moved = true;
    }
    while (auto e = sip_.poll()) {
      router_.handle(*e, *this);
      moved = true;
    }
    while (auto e = federation_.poll()) {
      router_.handle(e->what, e->domain, *this);
      moved = true;
    }
    for (auto& l : links_) {
      while (auto e = l.wire->poll()) {
        auto* down = std::get_if<xmpp::link_down>(&*e);
        links_changed |= down != nullptr || std::holds_alternative<xmpp::link_up>(*e);
        if (down != nullptr) hand_over(*down, l);
        router_.handle(*e, l.wire->options().domain, *this);
        moved = true;
      }
    }
  }
  for (auto& record : dns_.take_log()) log(std::move(record));
  for (auto& record : sip_.take_log()) log(std::move(record));
  for (auto& record : federation_.take_log()) log(std::move(record));
  for (auto& l : links_) {
    for (auto& record : l.wire->take_log()) log(std::move(record));
  }
  if (links_changed) update_ready();
}

void engine::impl::own_timeout(std::uint64_t key) {
  if (key == tidy_key) {
    router_.tidy(*this);
    peers_.expire(now_.steady);
    receipts_.expire(now_.steady);
    dns_.tidy(now_);
    federation_.tidy(now_);
    sip_.tidy(now_);
    deadlines_.set(tidy_timer_ = {}, {timer_owner::engine, tidy_key}, now_.steady + tidy_every);
    return;
  }
  if (key == links_key) return step_links();
  if (key == blocks_key) return expire_blocks();
  drain_timer_ = {};
  switch (phase_) {
    case phase::running:
    case phase::stopped: return;
    case phase::draining: return router_.abandon(gateway::shutdown_end, *this);
    case phase::confirming: return say_goodbye();
    case phase::closing: return end();
  }
}

// ---- readiness, reload, shutdown ----

stox::engine::readiness engine::impl::readiness() const {
  if (!started_) return {false, "starting"};
  if (phase_ != phase::running) return {false, "draining"};
  std::string down;
  bool any_up = false;
  for (const auto& l : links_) {
    any_up |= l.wire->up();
    if (l.at == component_link::stage::serving && !l.wire->up())
      down += (down.empty() ? "" : ", ") + l.wire->options().domain;
  }
  any_up |= settings_.s2s.enabled;
  if (links_.empty() && !settings_.s2s.enabled) return {false, "no XMPP component is configured"};
  if (down.empty()) return {true, {}};
  return {any_up && settings_.admin.ready == settings::ready_when::any, "XMPP component link down: " + down};
}

// Dispatchers ask by OPTIONS whether to send anything here at all: one tenant's XMPP server that is away must
// not take the gateway from all others.
void engine::impl::update_ready() {
  const bool linked = std::any_of(links_.begin(), links_.end(), [](const auto& l) { return l.wire->up(); });
  sip_.set_ready(started_ && (linked || settings_.s2s.enabled));
}

void engine::impl::reconfigure(const settings::all& s) {
  // Listeners and the store are made at start; config/ marks their options so. Everything else is read anew
  // from here.
  if (settings_.dns != s.dns) dns_.clear();
  const bool other_authorities =
      settings_.tls.ca_pem != s.tls.ca_pem || settings_.tls.min_version != s.tls.min_version;
  settings_ = s;
  domains_ = domains_of(settings_);
  memory_.set_limit(settings_.limits.memory);
  s2s_memory_.set_limit(settings_.limits.memory / 2);
  sip_.configure(sip_options_of(settings_, domains_));
  if (other_authorities) sip_.forget_proofs();
  counters_.serve(served_names(settings_));
  configure_blocks();
  reconfigure_links();
  federation_.configure(federation_options_of(settings_, domains_, ids_), now_);
  update_ready();
}

void engine::impl::begin_shutdown(duration limit) {
  if (phase_ != phase::running) return;
  phase_ = phase::draining;
  sip_.set_draining(true);
  deadlines_.set(drain_timer_, {timer_owner::engine, drain_key}, now_.steady + limit);
}

void engine::impl::step_shutdown() {
  if (phase_ == phase::draining && router_.open() == 0) {
    phase_ = phase::confirming;
    deadlines_.set(drain_timer_, {timer_owner::engine, drain_key}, now_.steady + goodbye_limit);
  }
  // The last error stanzas are as good as any message: the servers confirm them before the streams close.
  const bool confirmed = std::all_of(links_.begin(), links_.end(), [](const component_link& l) {
    const auto& s = l.wire->stats();
    return !l.wire->up() || s.unconfirmed + s.tracked + s.queued == 0;
  });
  if (phase_ == phase::confirming && confirmed && federation_.is_confirmed()) say_goodbye();
  const bool closed =
      std::all_of(links_.begin(), links_.end(), [](const component_link& l) { return l.wire->stopped(); });
  if (phase_ == phase::closing && closed && federation_.stopped()) end();
}

void engine::impl::say_goodbye() {
  phase_ = phase::closing;
  for (auto& l : links_) l.wire->stop(now_);
  federation_.stop(now_);
  deadlines_.set(drain_timer_, {timer_owner::engine, drain_key}, now_.steady + goodbye_limit);
}

void engine::impl::end() {
  deadlines_.set(drain_timer_, {}, std::nullopt);
  phase_ = phase::stopped;
  tell_stopped_ = true;
  // A link that did not close in time still tells what it never heard a confirmation for.
  for (auto& l : links_) l.wire->give_up(now_);
  federation_.give_up(now_);
}

void engine::impl::force_end() {
  if (phase_ == phase::stopped) return;
  phase_ = phase::stopped;
  router_.abandon(gateway::shutdown_end, *this);
  for (auto& l : links_) l.wire->give_up(now_);
  federation_.give_up(now_);
}

// ---- the public face ----

engine::engine(settings::all settings, id_source& ids)
    : impl_(std::make_unique<impl>(std::move(settings), ids)) {}
engine::~engine() = default;

void engine::start(instant now) { handle(starting{}, now); }

void engine::handle(const event& e, instant now) {
  auto& i = *impl_;
  if (i.tap_ != nullptr) i.tap_->on_event(e, now);
  i.now_ = now;
  if (i.taken_ > 0 && i.taken_ == i.io_.actions().size()) {
    i.io_.actions().clear();
    i.taken_ = 0;
  }
  std::visit(overloaded{
                 [&i](const io::event& x) { i.dispatch(x); },
                 [&i](const starting&) { i.start(); },
                 [](const timeout&) { /* fire_due below */ },
                 [&i](const reconfigured& x) { i.reconfigure(x.settings); },
                 [&i](const shutdown& x) { i.begin_shutdown(x.limit); },
                 [&i](const write_queues& x) { i.rim_queues_.resize(x.bytes); },
                 [&i](const forced_end&) { i.force_end(); },
                 [&i](const blocked& x) { i.block(x); },
                 [&i](const unblocked& x) { i.unblock(x.what); },
                 [&i](const restored& x) { i.restore(x.rows); },
                 [&i](const peer_forgotten& x) { i.peers_.forget(x.name, i); },
             },
             e);
  i.pump();
  // Also under a flood of events no deadline waits for a quiet moment.
  while (i.deadlines_.next() && *i.deadlines_.next() <= now.steady) {
    i.fire_due();
    i.pump();
  }
}

std::optional<action> engine::poll() {
  auto& i = *impl_;
  std::optional<action> next;
  if (i.told_taken_ < i.told_.size()) {
    next = std::move(i.told_[i.told_taken_++]);
    if (i.told_taken_ == i.told_.size()) {
      i.told_.clear();
      i.told_taken_ = 0;
    }
  } else if (auto& actions = i.io_.actions(); i.taken_ < actions.size()) {
    next = std::move(actions[i.taken_++]);
    if (i.taken_ == actions.size()) {
      actions.clear();
      i.taken_ = 0;
    }
  } else if (std::exchange(i.tell_stopped_, false)) {
    next = stopped{};
  }
  if (next && i.tap_ != nullptr) i.tap_->on_action(*next, i.now_);
  return next;
}

std::optional<steady_time> engine::next_deadline() const { return impl_->deadlines_.next(); }
void engine::set_tap(tap* t) { impl_->tap_ = t; }
stox::engine::readiness engine::readiness() const { return impl_->readiness(); }
std::size_t engine::memory_used() const { return impl_->memory_.used(); }

}  // namespace stox::engine
