#include "xmpp/machine/component.hpp"

#include <algorithm>
#include <utility>

#include "xmpp/machine/component_impl.hpp"

namespace stox::xmpp {

component::component(link_id id, component_options options, deadline_index& deadlines, id_source& ids,
                     byte_account& memory, io_port& io)
    : impl_(std::make_unique<impl>(id, std::move(options), deadlines, ids, memory, io)) {}
component::~component() = default;

void component::start(instant now) {
  if (impl_->state_ != impl::state::idle && impl_->state_ != impl::state::held) return;
  impl_->since_ = now;
  impl_->connect();
  impl_->settle(now);
}

void component::hold() {
  if (impl_->state_ == impl::state::idle) impl_->state_ = impl::state::held;
}

void component::stop(instant now) {
  impl_->stop(now);
  impl_->settle(now);
}

void component::give_up(instant now) {
  impl_->stop(now);
  if (impl_->state_ == impl::state::closing) {
    impl_->end_stream();
    impl_->down({}, {}, false, now);
  }
  impl_->settle(now);
}

bool component::owns(const io::event& event) const {
  struct visitor {
    const impl& link;
    bool conn(conn_id c) const { return c != conn_id::none && c == link.conn_; }
    bool operator()(const io::listening&) const { return false; }
    bool operator()(const io::accepted&) const { return false; }
    bool operator()(const io::opened& e) const { return conn(e.conn); }
    bool operator()(const io::closed& e) const { return conn(e.conn); }
    bool operator()(const io::received& e) const { return conn(e.conn); }
    bool operator()(const io::sent& e) const { return link.outbox_.owns(e.tok); }
    bool operator()(const io::send_failed& e) const { return link.outbox_.owns(e.tok); }
    bool operator()(const io::blocked& e) const { return conn(e.conn); }
    bool operator()(const io::writable& e) const { return conn(e.conn); }
    bool operator()(const io::secured&) const { return false; }
    bool operator()(const io::looked_up&) const { return false; }
  };
  return std::visit(visitor{*impl_}, event);
}

void component::handle(const io::event& event, instant now) {
  if (!owns(event)) return;
  struct visitor {
    impl& link;
    instant now;
    void operator()(const io::listening&) const {}
    void operator()(const io::accepted&) const {}
    void operator()(const io::opened&) const { link.opened(now); }
    void operator()(const io::closed& e) const { link.closed(e.why, now); }
    void operator()(const io::received& e) const { link.received(e.bytes, now); }
    void operator()(const io::sent& e) const {
      link.outbox_.reported(e.tok);
      link.fence_.sent(e.tok);
      link.write_queue(now);
    }
    void operator()(const io::send_failed& e) const {
      link.outbox_.reported(e.tok);
      // Any other failure is the connection's: its end follows, and tells all stanzas in order.
      if (e.why == io::fail::overflow) link.fence_.refused(e.tok);
    }
    void operator()(const io::blocked&) const { link.blocked_ = true; }
    void operator()(const io::secured&) const {}
    void operator()(const io::looked_up&) const {}
    void operator()(const io::writable&) const {
      link.blocked_ = false;
      link.write_queue(now);
    }
  };
  std::visit(visitor{*impl_, now}, event);
  impl_->settle(now);
}

void component::handle_timeout(instant now) {
  impl_->timeout(now);
  impl_->settle(now);
}

link_id component::id() const { return impl_->id_; }

component_status component::status() const {
  component_status out{{}, impl_->since_, impl_->last_failure_};
  switch (impl_->state_) {
    case impl::state::idle:
    case impl::state::held: out.state = "idle"; break;
    case impl::state::waiting: out.state = "waiting"; break;
    case impl::state::connecting:
    case impl::state::opening:
    case impl::state::handshaking: out.state = "connecting"; break;
    case impl::state::up: out.state = "up"; break;
    case impl::state::closing: out.state = "closing"; break;
  }
  return out;
}

bool component::up() const { return impl_->state_ == impl::state::up; }
bool component::stopped() const { return impl_->state_ == impl::state::idle; }
bool component::blocked() const { return impl_->blocked_; }

bool component::send(std::string_view text, stanza_ref ref, instant now) {
  if (!up()) return false;
  const token tok = impl_->put(text, ref != stanza_ref::none);
  ++impl_->stats_.stanzas_out;
  if (ref != stanza_ref::none) impl_->fence_.add(ref, tok, now.steady);
  impl_->settle(now);
  return true;
}

bool component::send_or_queue(std::string text, instant now) {
  auto& link = *impl_;
  // Behind what is kept already, or it would overtake it.
  if (up() && !link.blocked_ && link.outbox_.kept() == 0) {
    const token tok = link.put(text, true);
    link.track({std::move(text), tok}, now);
    link.settle(now);
    return true;
  }
  const bool running = link.state_ != impl::state::idle && link.state_ != impl::state::closing;
  if (running && link.outbox_.keep(std::move(text))) return true;
  ++link.stats_.queue_refused;
  return false;
}

std::optional<component_event> component::poll() {
  while (!impl_->events_.empty()) {
    auto event = std::move(impl_->events_.front());
    impl_->events_.pop_front();
    if (!impl_->settle_tracked(event)) return event;
  }
  return std::nullopt;
}

std::vector<log_record> component::take_log() { return std::exchange(impl_->log_, {}); }

const component_stats& component::stats() const {
  auto& s = impl_->stats_;
  s.up = up();
  s.queued = impl_->outbox_.kept();
  s.queued_bytes = impl_->outbox_.kept_bytes();
  // Between an event and its poll the fence may already have forgotten what is still tracked.
  s.tracked = impl_->tracked_.size();
  s.unconfirmed = std::max<std::uint64_t>(impl_->fence_.size(), s.tracked) - s.tracked;
  return s;
}

const component_options& component::options() const { return impl_->options_; }

}  // namespace stox::xmpp
