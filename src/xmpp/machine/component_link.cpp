#include <algorithm>
#include <utility>

#include "base/host_port.hpp"
#include "xmpp/machine/component_impl.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/stream.hpp"
#include "xmpp/wire/xep/ping.hpp"

namespace stox::xmpp {

namespace {

/// What the operator should look at, for the refusals that only he can mend.
std::string_view hint_for(std::string_view condition) {
  if (condition == "host-unknown")
    return "the XMPP server has no component of this name: compare xmpp.component.domain with its "
           "configuration";
  if (condition == "not-authorized")
    return "the secret differs from the one in the XMPP server's configuration";
  if (condition == "conflict")
    return "something else is connected as this component, or the XMPP server hosts this domain itself";
  if (condition == "invalid-namespace") return "that port is not the XMPP server's component port";
  if (condition == "policy-violation")
    return "the XMPP server refuses something we sent, often a stanza above its size limit";
  return {};
}

std::string_view hint_for(io::fail why) {
  if (why == io::fail::refused)
    return "is the XMPP server running, and does it listen for components on this address?";
  if (why == io::fail::not_found) return "xmpp.component.server names a host without an address";
  return {};
}

std::string_view condition_for(const std::error_code& code) {
  if (code == xml::errc::not_well_formed) return "not-well-formed";
  if (code == xml::errc::second_root) return "bad-format";
  if (code == xml::errc::restricted_xml) return "restricted-xml";
  return "policy-violation";
}

}  // namespace

std::string component::impl::prepared(const std::string& domain) {
  const auto unicode = domain_to_unicode(domain);
  return unicode ? *unicode : domain;
}

// ---- connecting ----

void component::impl::connect() {
  state_ = state::connecting;
  close_asked_ = false;
  conn_ = io_.new_conn(conn_use::component);
  io_.push(io::open{conn_, conn_use::component, transport::tcp, options_.host, {{}, options_.port}});
}

void component::impl::opened(instant now) {
  if (state_ != state::connecting) return;
  state_ = state::opening;
  deadline_ = now.steady + options_.handshake_timeout;
  reader_.emplace(options_.limits);
  put(write_component_header(domain_), false);
}

void component::impl::in_opening(const xml::read_event& event, instant now) {
  const auto* header = std::get_if<xml::stream_opened>(&event);
  if (header == nullptr) return;
  if (!header->root.is("stream", stream_ns)) {
    return hang_up(write_stream_error("invalid-namespace"), "not an XMPP stream",
                   hint_for("invalid-namespace"), now);
  }
  const auto* id = header->root.attr("id");
  // XEP-0114 §3: an error about our header comes after the server's, which then need not have an id.
  put(write_handshake(id == nullptr ? "" : *id, options_.secret.reveal()), false);
  state_ = state::handshaking;
}

void component::impl::in_handshaking(const xml::read_event& event, instant now) {
  if (const auto* child = std::get_if<xml::stanza>(&event)) {
    if (child->value.is("error", stream_ns)) return stream_error(child->value, now);
    if (child->value.is("handshake", component_ns)) came_up(now);
    return;
  }
  hang_up(stream_end, "handshake refused: the server closed the stream", {}, now);
}

void component::impl::came_up(instant now) {
  state_ = state::up;
  since_ = now;
  last_failure_.clear();
  ++stats_.connects;
  log_.push_back({log_level::info, "component.up", {}, {{"domain", domain_}, {"server", options_.host}}});
  events_.push_back(link_up{id_});
  write_queue(now);
}

// ---- up ----

void component::impl::in_up(xml::read_event& event, instant now) {
  if (auto* refused = std::get_if<xml::refused_stanza>(&event)) {
    ++stats_.stanzas_in;
    events_.push_back(stanza_refused{id_, std::move(refused->head), std::move(refused->why)});
    return;
  }
  auto* child = std::get_if<xml::stanza>(&event);
  if (child == nullptr) return hang_up(stream_end, "the server closed the stream", {}, now);
  if (child->value.is("error", stream_ns)) return stream_error(child->value, now);
  if (is_own_ping(child->value)) return;
  ++stats_.stanzas_in;
  events_.push_back(stanza_received{id_, std::move(child->value)});
}

bool component::impl::is_own_ping(const xml::element& e) {
  if (!e.is("iq", component_ns)) return false;
  const auto* from = e.attr("from");
  const auto* to = e.attr("to");
  const auto* id = e.attr("id");
  // Only we and the server can speak as our domain, so nobody else can forge a confirmation.
  if ((from != nullptr && !is_us(*from)) || (to != nullptr && !is_us(*to)) || id == nullptr) return false;
  // It comes back as we wrote it, or as a result or an error from a server that does not route to ourselves:
  // both say that the server got to it.
  if (fence_.answered(*id)) return true;
  // One of a link before this, kept by the server meanwhile.
  const auto* type = e.attr("type");
  return from != nullptr && type != nullptr && *type == "get" && e.child("ping", ping::ns) != nullptr;
}

void component::impl::in_closing(xml::read_event& event) {
  // What arrives before the end can still confirm. A message that the server wrote before it read our closing
  // tag is handed over as well, or it would be lost in silence: we must not answer it any more (RFC 6120
  // §4.4), which its taker finds out.
  auto* child = std::get_if<xml::stanza>(&event);
  if (std::holds_alternative<xml::stream_closed>(event)) return end_stream();
  if (auto* refused = std::get_if<xml::refused_stanza>(&event);
      refused != nullptr && refused->head.name == "message") {
    events_.push_back(stanza_refused{id_, std::move(refused->head), std::move(refused->why)});
    return;
  }
  if (child == nullptr || is_own_ping(child->value) || !child->value.is("message", component_ns)) return;
  ++stats_.stanzas_in;
  events_.push_back(stanza_received{id_, std::move(child->value)});
}

void component::impl::dispatch(xml::read_event& event, instant now) {
  switch (state_) {
    case state::idle:
    case state::held:
    case state::waiting:
    case state::connecting: return;
    case state::opening: return in_opening(event, now);
    case state::handshaking: return in_handshaking(event, now);
    case state::up: return in_up(event, now);
    case state::closing: return in_closing(event);
  }
}

void component::impl::received(std::string_view bytes, instant now) {
  if (!reader_) return;
  heard_ = now.steady;
  const auto fed = reader_->feed(bytes);
  const auto conn = conn_;
  while (conn_ == conn) {
    auto event = reader_->poll();
    if (!event) break;
    dispatch(*event, now);
  }
  if (conn_ != conn || fed) return;
  if (state_ == state::closing) return end_stream();
  ++stats_.stream_errors;
  const auto condition = condition_for(fed.error().code);
  hang_up(write_stream_error(condition), "the server sent XML that we refuse: " + fed.error().to_string(), {},
          now);
}

// ---- going down ----

void component::impl::stream_error(const xml::element& e, instant now) {
  ++stats_.stream_errors;
  const auto condition = parse_stream_error(e).condition;
  const bool refused = state_ != state::up;
  hang_up(stream_end, (refused ? "handshake refused: " : "stream error: ") + condition, hint_for(condition),
          now);
}

void component::impl::hang_up(std::string_view last_words, std::string why, std::string_view hint,
                              instant now) {
  put(last_words, false);
  io_.push(io::close{conn_});
  // The rim still writes what it holds, so nothing unconfirmed is known not to leave.
  down(std::move(why), hint, false, now);
}

void component::impl::closed(io::fail why, instant now) {
  if (state_ == state::closing) return down({}, {}, true, now);
  std::string words(io::to_string(why));
  if (state_ == state::opening || state_ == state::handshaking)
    words = "before the handshake was done: " + words;
  down(std::move(words), hint_for(why), true, now);
}

void component::impl::down(std::string why, std::string_view hint, bool all_told, instant now) {
  const auto was = state_;
  if (was == state::opening || was == state::handshaking) ++stats_.handshake_failures;
  if (was == state::up) {
    ++stats_.losses;
    if (now.steady - since_.steady >= options_.backoff_max) backoff_.reset();
    since_ = now;
  }
  fence_.lose(all_told);
  conn_ = conn_id::none;
  reader_.reset();
  blocked_ = false;
  outbox_.unpace();
  if (was == state::closing) return stopped();
  state_ = state::waiting;
  deadline_ = now.steady + backoff_.take(ids_);
  log_down(why, hint);
  events_.push_back(link_down{id_, std::move(why), {}});
}

void component::impl::stopped() {
  state_ = state::idle;
  events_.push_back(link_down{id_, "stopped", {}});
}

void component::impl::log_down(const std::string& why, std::string_view hint) {
  // A server that is away for an hour is one line, not one for each attempt.
  const auto level = why == last_failure_ ? log_level::debug
                     : hint.empty()       ? log_level::warning
                                          : log_level::error;
  last_failure_ = why;
  log_record record{level, "component.down", {}, {}};
  record.fields = {
      {"domain", domain_}, {"server", write_host_port(options_.host, options_.port)}, {"why", why}};
  if (!hint.empty()) record.fields.emplace_back("hint", hint);
  log_.push_back(std::move(record));
}

void component::impl::stop(instant now) {
  switch (state_) {
    case state::idle:
    case state::closing: return;
    case state::held:
    case state::waiting: return stopped();
    case state::up:
      for (auto& w : outbox_.write_all(conn_)) track(std::move(w), now);
      break;
    case state::connecting:
    case state::opening:
    case state::handshaking: break;
  }
  // RFC 6120 §4.4: the connection stays until the server has closed its side too. What it wrote before it
  // read our tag would be lost otherwise.
  if (state_ == state::connecting) {
    end_stream();
  } else {
    put(stream_end, false);
  }
  state_ = state::closing;
  deadline_ = now.steady + options_.handshake_timeout;
}

void component::impl::end_stream() {
  if (std::exchange(close_asked_, true)) return;
  io_.push(io::close{conn_});
}

// ---- writing ----

void component::impl::write_queue(instant now) {
  if (state_ != state::up || blocked_) return;
  for (auto& w : outbox_.write_some(conn_)) track(std::move(w), now);
}

void component::impl::track(outbox::written w, instant now) {
  ++stats_.stanzas_out;
  const stanza_ref ref{++last_own_ref_};
  fence_.add(ref, w.tok, now.steady);
  memory_.take(w.text.size());
  tracked_.emplace(ref, std::move(w.text));
}

bool component::impl::settle_tracked(component_event& event) {
  const auto own = [](stanza_ref ref) { return static_cast<std::uint64_t>(ref) > first_own_ref; };
  if (const auto* e = std::get_if<stanza_sent>(&event)) return own(e->ref);
  if (auto* down = std::get_if<link_down>(&event)) {
    // Before anything new is queued: what was lost goes in front, in its order. A repeated error or answer
    // carries the same id, which its receiver knows already.
    if (state_ != state::idle) {
      outbox_.keep_again(std::exchange(again_, {}));
    } else {
      settle_end(*down);
    }
    return false;
  }
  const auto* confirmed = std::get_if<stanza_confirmed>(&event);
  const auto* lost = std::get_if<stanza_lost>(&event);
  if (confirmed == nullptr && lost == nullptr) return false;
  const auto ref = confirmed != nullptr ? confirmed->ref : lost->ref;
  if (!own(ref)) return false;
  const auto at = tracked_.find(ref);
  if (at == tracked_.end()) return true;
  memory_.give(at->second.size());
  if (lost != nullptr) again_.push_back(std::move(at->second));
  tracked_.erase(at);
  // Refused by a link that is up (its write queue was full): it waits again at once.
  if (state_ == state::up) outbox_.keep_again(std::exchange(again_, {}));
  return true;
}

/// After stop: by now everything that was confirmed is known to be.
void component::impl::settle_end(link_down& event) {
  const auto unconfirmed = again_.size();
  event.unheard = std::exchange(again_, {});
  for (auto& text : outbox_.take_all()) event.unheard.push_back(std::move(text));
  log_record record{log_level::info, "component.stopped", {}, {{"domain", domain_}}};
  if (!event.unheard.empty()) {
    record.level = log_level::warning;
    record.fields.emplace_back("stanzas_dropped", std::to_string(event.unheard.size() - unconfirmed));
    record.fields.emplace_back("stanzas_unconfirmed", std::to_string(unconfirmed));
  }
  log_.push_back(std::move(record));
}

// ---- time ----

std::optional<steady_time> component::impl::next_deadline() const {
  switch (state_) {
    case state::idle:
    case state::held:
    case state::connecting: return std::nullopt;
    case state::waiting:
    case state::opening:
    case state::handshaking:
    case state::closing: return deadline_;
    case state::up: {
      const auto fenced = fence_.deadline();
      if (fence_.pinging()) return fenced;
      const auto idle = heard_ + options_.idle_ping;
      return fenced ? std::min(*fenced, idle) : idle;
    }
  }
  return std::nullopt;
}

void component::impl::settle(instant now) {
  const bool idle_for_long = !fence_.pinging() && now.steady >= heard_ + options_.idle_ping;
  if (state_ == state::up && (fence_.ping_due(now.steady) || idle_for_long)) {
    iq request;
    request.from.domain = domain_;
    request.to = request.from;
    request.id = ids_.next(id_kind::stanza);
    request.payload = ping::write();
    const token tok = put(write(request), true);
    fence_.pinged(std::move(request.id), tok, now.steady);
    ++stats_.pings;
  }
  const auto next = next_deadline();
  if (next == armed_) return;
  armed_ = next;
  deadlines_.set(timer_, {timer_owner::xmpp, static_cast<std::uint64_t>(id_)}, next);
}

void component::impl::timeout(instant now) {
  armed_.reset();
  switch (state_) {
    case state::idle:
    case state::held:
    case state::connecting: break;
    case state::waiting:
      if (now.steady >= deadline_) connect();
      break;
    case state::opening:
    case state::handshaking:
      if (now.steady >= deadline_)
        hang_up(stream_end, "the server does not answer the handshake", hint_for("invalid-namespace"), now);
      break;
    case state::up:
      if (fence_.overdue(now.steady)) hang_up(stream_end, "the server does not answer pings", {}, now);
      break;
    case state::closing:
      if (now.steady < deadline_) break;
      end_stream();
      down({}, {}, false, now);
      break;
  }
}

}  // namespace stox::xmpp
