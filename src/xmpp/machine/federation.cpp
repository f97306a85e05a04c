#include "xmpp/machine/federation.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/overloaded.hpp"
#include "xmpp/machine/federation_impl.hpp"

namespace stox::xmpp {

federation::federation(federation_options options, deadline_index& deadlines, id_source& ids,
                       byte_account& memory, io_port& io, dns::resolver& dns)
    : impl_(std::make_unique<impl>(std::move(options), deadlines, ids, memory, io, dns)) {}
federation::~federation() = default;

federation::impl::~impl() {
  for (auto& [id, e] : streams) deadlines.set(e.timer, {}, std::nullopt);
  deadlines.set(sessions_timer, {}, std::nullopt);
  for (auto& [pair, l] : lanes) {
    deadlines.set(l->timer, {}, std::nullopt);
    for (auto& q : l->queue) release(*l, q);
  }
}

void federation::configure(federation_options options, instant now) {
  auto& i = *impl_;
  const bool first_secret = i.options.dialback_secret.empty();
  if (first_secret) i.keys = dialback_keys(options.dialback_secret);
  i.options = std::move(options);
  for (auto& [id, e] : i.streams) {
    if (e.wire->keeps_to_the_rules()) continue;
    e.wire->end(now);
    i.touch(e);
  }
  i.settle(now);
  i.start_waiting(now);
}

void federation::handle(const io::event& event, instant now) {
  auto& i = *impl_;
  const auto with = [&](conn_id conn, auto act) {
    if (auto* e = i.find(conn)) {
      act(*e->wire);
      i.touch(*e);
    }
  };
  std::visit(
      overloaded{
          [](const io::listening&) {},
          [&](const io::accepted& x) { i.accepted(x, now); },
          [&](const io::opened& x) { i.opened(x, now); },
          [&](const io::secured& x) { with(x.conn, [&](s2s_stream& s) { s.secured(x.identity, now); }); },
          [&](const io::closed& x) {
            i.attempt_failed(x.conn, x.why, x.detail, now);
            with(x.conn, [&](s2s_stream& s) { s.closed(x.why, x.detail, now); });
          },
          [&](const io::received& x) { with(x.conn, [&](s2s_stream& s) { s.received(x.bytes, now); }); },
          [&](const io::sent& x) {
            const auto at = i.tokens.find(x.tok);
            if (at == i.tokens.end()) return;
            auto* e = i.find(at->second);
            i.tokens.erase(at);
            if (e == nullptr) return;
            e->wire->sent(x.tok);
            i.touch(*e);
          },
          // The connection's end follows, and tells all stanzas in order.
          [&](const io::send_failed& x) { i.tokens.erase(x.tok); },
          [&](const io::blocked& x) { with(x.conn, [](s2s_stream& s) { s.blocked(true); }); },
          [&](const io::writable& x) {
            auto* e = i.find(x.conn);
            if (e == nullptr) return;
            e->wire->blocked(false);
            for (const auto number : std::set(e->lanes)) {
              const auto at = i.by_number.find(number);
              if (at != i.by_number.end() && at->second->stream == e->wire->id()) i.flush(*at->second, now);
            }
          },
          [](const io::looked_up&) {},
      },
      event);
  i.settle(now);
  i.start_waiting(now);
}

void federation::resolved(const dns::resolver::answered& a, instant now) {
  auto& i = *impl_;
  const auto at = i.asking.find(a.question);
  if (at == i.asking.end()) return;
  const auto lanes = std::move(at->second);
  i.asking.erase(at);
  for (const auto number : lanes) {
    const auto of = i.by_number.find(number);
    if (of == i.by_number.end() || !of->second->dial) continue;
    auto& l = *of->second;
    l.dial->known[a.question] = a.answer;
    std::erase(l.dial->awaited, a.question);
    if (l.dial->awaited.empty() && !l.dial->located) i.locate(l, now);
    i.arm(l, now);
  }
  i.settle(now);
  i.start_waiting(now);
}

void federation::handle_timeout(std::uint64_t key, instant now) {
  auto& i = *impl_;
  if (key == impl::sessions_key) {
    i.sessions_timer = {};
    i.end_sessions(now.steady, now);
  } else if ((key & 1) != 0) {
    const auto at = i.by_number.find(key >> 1);
    if (at != i.by_number.end()) i.lane_timeout(*at->second, now);
  } else if (auto* e = i.find(s2s_id{key >> 1})) {
    e->armed.reset();
    e->timer = {};
    e->wire->timeout(now);
    i.touch(*e);
  }
  i.settle(now);
  i.start_waiting(now);
}

/// Lanes and sessions that are of no use any more.
void federation::tidy(instant now) {
  auto& i = *impl_;
  // What a session holds goes back to its lane if nobody goes on with it.
  std::set<std::uint64_t> named;
  for (const auto& [id, session] : i.sessions)
    for (const auto& w : session.waiting) named.insert(w.lane);
  for (const auto& [pair, l] : i.lanes)
    if (l->session)
      for (const auto& w : l->session->waiting) named.insert(w.lane);
  for (auto at = i.lanes.begin(); at != i.lanes.end();) {
    auto& l = *at->second;
    const bool idle =
        l.stream == s2s_id::none && l.queue.empty() && l.questions.empty() && !l.dial &&
        l.asked == s2s_id::none && !l.session && named.count(l.number) == 0 &&
        (!l.failure || l.retry_at + (l.used ? i.options.backoff_max : duration::zero()) <= now.steady);
    if (!idle) {
      ++at;
      continue;
    }
    i.deadlines.set(l.timer, {}, std::nullopt);
    i.by_number.erase(l.number);
    at = i.lanes.erase(at);
  }
  for (auto& [id, e] : i.streams)
    std::erase_if(e.lanes, [&i](std::uint64_t number) { return i.by_number.count(number) == 0; });
}

bool federation::blocked(std::string_view domain, std::string_view to) const {
  const auto* l = impl_->find_lane({std::string(domain), std::string(to)});
  const auto* e = l == nullptr ? nullptr : impl_->find(l->stream);
  return e != nullptr && e->wire->is_blocked();
}

bool federation::send(std::string_view domain, std::string_view to, std::string text, stanza_ref ref,
                      instant now) {
  return impl_->take({std::string(domain), std::string(to)}, std::move(text), ref, now);
}

bool federation::send_or_queue(std::string_view domain, std::string_view to, std::string text, instant now) {
  return impl_->take({std::string(domain), std::string(to)}, std::move(text), stanza_ref{++impl_->last_ref},
                     now);
}

bool federation::is_confirmed() const {
  const auto& i = *impl_;
  return std::all_of(i.lanes.begin(), i.lanes.end(),
                     [](const auto& l) { return l.second->queue.empty() && !l.second->session; }) &&
         std::all_of(i.streams.begin(), i.streams.end(),
                     [](const auto& s) { return s.second.wire->waiting() == 0; });
}

void federation::stop(instant now) {
  auto& i = *impl_;
  if (std::exchange(i.stopping, true)) return;
  const stanza_error why =
      because(error_type::wait, condition::service_unavailable, "The gateway is shutting down");
  for (auto& [pair, l] : i.lanes) {
    i.end_dial(*l);
    if (!l->queue.empty() || !l->questions.empty() || l->session) i.fail(*l, why, "the gateway ends", now);
  }
  for (auto& [id, e] : i.streams) {
    e.wire->end(now);
    i.touch(e);
  }
  i.end_sessions(steady_time::max(), now);
  i.settle(now);
}

void federation::give_up(instant now) {
  auto& i = *impl_;
  stop(now);
  for (auto& [id, e] : i.streams) {
    e.wire->give_up("the gateway ends", now);
    i.touch(e);
  }
  i.settle(now);
  // What the last streams did not confirm has nowhere to go again.
  const stanza_error why =
      because(error_type::wait, condition::service_unavailable, "The gateway is shutting down");
  for (auto& [pair, l] : i.lanes)
    for (auto& q : std::exchange(l->queue, {})) {
      i.release(*l, q);
      i.undeliverable(*l, std::move(q), why);
    }
}

bool federation::stopped() const { return impl_->stopping && impl_->streams.empty(); }

std::optional<federation_event> federation::poll() {
  auto& e = impl_->events;
  if (e.empty()) return std::nullopt;
  auto out = std::move(e.front());
  e.pop_front();
  return out;
}

std::vector<log_record> federation::take_log() { return std::exchange(impl_->log, {}); }

federation_stats federation::stats() const {
  auto out = impl_->counts;
  for (const auto& [id, e] : impl_->streams) {
    out.unconfirmed += e.wire->waiting();
    if (e.up) ++(e.wire->incoming() ? out.streams_in : out.streams_out);
  }
  out.unproved = impl_->unproved.size();
  out.connecting = impl_->dialling + impl_->late_dials;
  out.waiting = impl_->waiting.size();
  for (const auto& [pair, l] : impl_->lanes) {
    out.queued += l->queue.size();
    out.queued_bytes += l->bytes;
  }
  return out;
}

std::vector<federation_row> federation::rows(std::string_view domain, std::size_t most) const {
  std::vector<federation_row> out;
  for (const auto& [id, e] : impl_->streams) {
    if (out.size() >= most) break;
    const auto& s = *e.wire;
    if (!domain.empty() && s.pair().local != domain && s.pair().remote != domain) continue;
    const auto shown = s.shown_pair();
    out.push_back({shown.local, shown.remote, s.peer().to_string(), s.incoming(), s.is_secured(),
                   s.by_certificate(), s.is_bidi(), s.is_managed(), e.up, s.since(), s.stanzas_in(),
                   s.stanzas_out()});
  }
  return out;
}

}  // namespace stox::xmpp
