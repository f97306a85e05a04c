#include "xmpp/machine/s2s_stream.hpp"

#include <algorithm>
#include <utility>

#include "xmpp/machine/domain_identity.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/stream.hpp"
#include "xmpp/wire/xep/ping.hpp"

// What both roles share: bytes in, stanzas, the end. What differs is in s2s_incoming.cpp and
// s2s_outgoing.cpp.
namespace stox::xmpp {

namespace {

/// What the outbox keeps for a link that is down; a stream is not kept for.
constexpr std::size_t no_queue = 0;

std::string_view condition_of(const std::error_code& code) {
  if (code == xml::errc::not_well_formed) return "not-well-formed";
  if (code == xml::errc::second_root) return "bad-format";
  if (code == xml::errc::restricted_xml) return "restricted-xml";
  return "policy-violation";
}

bool is_stanza(const xml::element& e) {
  return e.ns == server_ns && (e.name == "message" || e.name == "iq" || e.name == "presence");
}

/// The domain of an address, as JIDs compare it; empty: it has none.
std::string domain_of(const std::string& address) {
  auto rest = std::string_view(address);
  rest = rest.substr(0, rest.find('/'));
  if (const auto at = rest.find('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  if (is_plain_domain(rest)) return std::string(rest);
  const auto read = jid::parse(rest);
  return read && read->local.empty() && read->resource.empty() ? read->domain : std::string();
}

}  // namespace

s2s_stream::s2s_stream(s2s_id id, context c, conn_id conn, const socket_address& peer,
                       std::optional<peer_identity> who, instant now)
    : id_(id),
      c_(c),
      conn_(conn),
      peer_(peer),
      incoming_(true),
      identity_(std::move(who)),
      fence_(c.options.pings, c.memory, fates_),
      outbox_(conn_use::s2s, no_queue, c.memory, c.io),
      held_(c.memory, s2s_stream_cost),
      deadline_(now.steady + c.options.login_limit),
      stanza_at_(now.steady),
      since_(now) {
  new_reader();
}

s2s_stream::s2s_stream(s2s_id id, context c, conn_id conn, const socket_address& peer,
                       std::optional<peer_identity> who, domain_pair pair, std::string host,
                       std::vector<std::string> tlsa, instant now)
    : id_(id),
      c_(c),
      conn_(conn),
      peer_(peer),
      incoming_(false),
      host_(std::move(host)),
      tlsa_(std::move(tlsa)),
      identity_(std::move(who)),
      pair_(std::move(pair)),
      fence_(c.options.pings, c.memory, fates_),
      outbox_(conn_use::s2s, no_queue, c.memory, c.io),
      held_(c.memory, s2s_stream_cost),
      deadline_(now.steady + std::min(c.options.login_limit, c.options.greeting_limit)),
      stanza_at_(now.steady),
      since_(now) {
  new_reader();
  send_header();
}

s2s_stream::~s2s_stream() {
  for (const auto& t : texts_) c_.memory.give(t.text.size());
}

void s2s_stream::new_reader() {
  reader_.emplace(proved_nothing() && !authenticated_ ? c_.options.early : c_.options.limits);
}

// ---- reading ----

void s2s_stream::received(std::string_view bytes, instant now) {
  // In these two everything that comes is TLS's: clear bytes that were sent along with <starttls/> or
  // <proceed/> are somebody else's (RFC 6120 §5.4.3.3), and were dropped with the reader.
  if (!reader_ || phase_ == phase::over || phase_ == phase::securing) return;
  if (proved_nothing()) {
    early_ += bytes.size();
    if (early_ > c_.options.early_bytes)
      return fail("policy-violation", "too many bytes before it proved anything", now);
  }
  const auto fed = reader_->feed(bytes);
  for (; phase_ != phase::over && phase_ != phase::securing && reader_;) {
    auto event = reader_->poll();
    if (!event) break;
    dispatch(*event, now);
  }
  if (!reader_ || phase_ == phase::over || phase_ == phase::securing) return settle(now);
  if (fed && holds_too_much())
    return fail("resource-constraint", "no memory for a stanza of that length", now);
  if (fed) return settle(now);
  if (phase_ == phase::closing) return give_up("it sent bad XML at the end", now);
  fail(condition_of(fed.error().code), "XML that we refuse: " + fed.error().to_string(), now);
}

/// Counts the stanza that is not whole yet. A usual one is let in, however little room there is: it is then
/// refused to its sender, and the stream's other users lose nothing.
bool s2s_stream::holds_too_much() {
  constexpr std::size_t usual = 65'536;
  const auto pending = reader_->pending();
  if (held_.size() != s2s_stream_cost + pending) held_.resize(s2s_stream_cost + pending);
  return pending > usual && !c_.memory.has_room(0);
}

void s2s_stream::dispatch(xml::read_event& event, instant now) {
  if (const auto* root = std::get_if<xml::stream_opened>(&event)) return header(root->root, now);
  if (auto* one = std::get_if<xml::stanza>(&event)) return child(one->value, now);
  if (auto* refused = std::get_if<xml::refused_stanza>(&event)) return stanza_refused(*refused, now);
  // RFC 6120 §4.4: who gets the closing tag sends his own.
  clean_ = true;
  if (phase_ != phase::closing) {
    last_count();
    put(stream_end);
  }
  c_.io.push(io::close{conn_});
  over("closed by the peer", false, {}, false, now);
}

void s2s_stream::header(const xml::element& root, instant now) {
  if (!root.is("stream", stream_ns)) return fail("invalid-namespace", "no XMPP stream", now);
  // RFC 6120 §4.8.2: the content namespace, of which a client's stream has another.
  const auto* content = root.attr("xmlns");
  if (content == nullptr || *content != server_ns)
    return fail("invalid-namespace", "a stream that is no server's", now);
  const auto h = read_server_header(root);
  incoming_ ? in_header(h, now) : out_header(h, now);
}

void s2s_stream::child(xml::element& e, instant now) {
  if (e.is("error", stream_ns)) {
    const auto told = parse_stream_error(e);
    if (phase_ != phase::closing) put(stream_end);
    c_.io.push(io::close{conn_});
    return over("stream error of the peer: " + told.condition, true, told.condition, false, now);
  }
  if (is_stanza(e)) return stanza(e, now);
  if (phase_ == phase::closing) {
    if (e.is("a", sm_ns)) peer_counted(e, now);
    return;
  }
  if (e.ns == sm_ns) return managed_child(e, now);
  const auto d = read_dialback(e);
  if (d && d->type != dialback_type::request) return dialback_answer(*d, now);
  if (d && d->verify) return verify_for_peer(*d, now);
  // XEP-0288 §2.2: on a stream that goes both ways either side may prove further domains.
  if (d && (incoming_ || bidi_)) return offered_key(*d, now);
  incoming_ ? in_child(e, now) : out_child(e, now);
}

// ---- stanzas ----

std::optional<domain_pair> s2s_stream::addressed(const xml::element& e, instant now) {
  const auto* from = e.attr("from");
  const auto* to = e.attr("to");
  // RFC 6120 §8.1.1.2, §8.1.2.2: between servers both are there.
  if (from == nullptr || to == nullptr) {
    fail("improper-addressing", "a stanza without from or to", now);
    return std::nullopt;
  }
  domain_pair pair{domain_of(*to), domain_of(*from)};
  if (pair.local.empty() || pair.remote.empty()) {
    fail("improper-addressing", "a stanza whose addresses cannot be read", now);
    return std::nullopt;
  }
  if (receives_.count(pair) != 0) return pair;
  if (receives_.empty()) {
    fail("not-authorized", "a stanza before a domain was proved", now);
  } else if (!c_.options.serves(pair.local)) {
    fail("host-unknown", "a stanza for a domain that is not served", now);
  } else {
    fail("invalid-from", "a stanza of a domain that it did not prove", now);
  }
  return std::nullopt;
}

void s2s_stream::stanza(xml::element& e, instant now) {
  auto pair = addressed(e, now);
  if (!pair) return;
  // After our closing tag what is handed over can no longer be answered here; it would be lost otherwise.
  // Who counts, though, has our last count and sends it again.
  if (phase_ == phase::closing && (e.name != "message" || counting_ || managed_)) return;
  ++handled_;
  ++stanzas_in_;
  stanza_at_ = now.steady;
  events_.push_back(pair_stanza{*std::move(pair), std::move(e)});
}

void s2s_stream::stanza_refused(xml::refused_stanza& r, instant now) {
  if (!is_stanza(r.head)) return fail("policy-violation", "too many parts", now);
  auto pair = addressed(r.head, now);
  if (!pair) return;
  ++handled_;
  ++stanzas_in_;
  events_.push_back(pair_stanza_refused{*std::move(pair), std::move(r.head), std::move(r.why)});
}

token s2s_stream::put_told(std::string_view bytes) {
  const token tok = outbox_.put(conn_, bytes, true);
  if (tok != last_token_) c_.tokens.emplace(tok, id_);
  return last_token_ = tok;
}

void s2s_stream::send(unconfirmed stanza, bool keep, instant now) {
  const token tok = put_told(stanza.text);
  fence_.add(stanza.ref, tok, now.steady);
  ++stanzas_out_;
  stanza_at_ = now.steady;
  // Where the stream can go on after a loss, everything may be needed again.
  if (!keep && !managed_ && !sm_asked_) stanza.text = {};
  c_.memory.take(stanza.text.size());
  texts_.push_back(std::move(stanza));
  settle(now);
}

void s2s_stream::sent(token t) {
  outbox_.reported(t);
  fence_.sent(t);
  settle_fates();
}

void s2s_stream::open_up() {
  early_ = 0;
  reader_->set_limits(c_.options.limits);
}

// ---- proof ----

std::optional<proof> s2s_stream::proof_of(std::string_view domain) const {
  if (!identity_) return std::nullopt;
  if (is_xmpp_domain(*identity_, domain)) return proof::certificate;
  const auto promised = [this](const std::string& t) {
    return t == "0:" + identity_->fingerprint || t == "1:" + identity_->spki;
  };
  // RFC 7712 §5, RFC 7671 §5.1: an end entity's certificate that the DNS names needs no authority and no
  // name. The promise is of the domain that we looked for, and of no other that the same server may speak
  // for.
  if (!incoming_ && domain == pair_.remote && std::any_of(tlsa_.begin(), tlsa_.end(), promised))
    return proof::dane;
  return std::nullopt;
}

domain_pair s2s_stream::shown_pair() const {
  if (sends(pair_) || receives(pair_) || proved_nothing()) return pair_;
  return sends_.empty() ? receives_.begin()->first : *sends_.begin();
}

bool s2s_stream::keeps_to_the_rules() const {
  const auto good = [this](const domain_pair& p) {
    return c_.options.serves(p.local) && (identity_ || !c_.options.policy_of(p.remote).tls_required);
  };
  return std::all_of(sends_.begin(), sends_.end(), good) &&
         std::all_of(receives_.begin(), receives_.end(), [&](const auto& r) {
           return good(r.first) && r.second >= c_.options.policy_of(r.first.remote).least;
         });
}

// ---- the end ----

void s2s_stream::secured(const peer_identity& who, instant now) {
  if (phase_ != phase::securing) return;
  identity_ = who;
  phase_ = phase::header;
  new_reader();
  header_sent_ = false;
  if (!incoming_) send_header();
  settle(now);
}

void s2s_stream::end(instant now) {
  if (is_closing()) return;
  if (phase_ == phase::securing) return give_up("closed", now);
  if (incoming_ && !header_sent_) return fail("system-shutdown", "closed", now);
  last_count();
  put(stream_end);
  phase_ = phase::closing;
  deadline_ = now.steady + c_.options.close_limit;
}

void s2s_stream::fail(std::string_view condition, std::string why, instant now) {
  if (phase_ == phase::over) return;
  if (phase_ != phase::securing) {
    // RFC 6120 §4.9.1.1: an error about a header comes in a stream of ours.
    if (incoming_ && !header_sent_) {
      if (stream_.empty()) stream_ = c_.ids.next(id_kind::stanza);  // §4.7.3: also where it only says no
      put(write_server_header({pair_.local, pair_.remote, stream_, true}));
    }
    header_sent_ = true;
    // Of a session that goes on elsewhere the count is told there.
    if (phase_ == phase::open && condition != "conflict") last_count();
    if (phase_ != phase::closing) put(write_stream_error(condition));
  }
  c_.io.push(io::close{conn_});
  over(std::move(why), true, std::string(condition), false, now);
}

void s2s_stream::give_up(std::string why, instant now) {
  if (phase_ == phase::over) return;
  c_.io.push(io::close{conn_});
  over(std::move(why), false, {}, false, now);
}

void s2s_stream::closed(io::fail why, const std::string& detail, instant now) {
  std::string words(io::to_string(why));
  if (!detail.empty()) words += ": " + detail;
  over(std::move(words), false, {}, true, now);
}

void s2s_stream::over(std::string why, bool refused, std::string condition, bool all_told, instant now) {
  if (phase_ == phase::over) return;
  settle_fates();
  stream_ended end{std::move(why), refused, std::move(condition), {}, {}};
  if (can_go_on() && !refused) end.session = take_session(now);
  phase_ = phase::over;
  reader_.reset();
  fence_.lose(all_told);
  for (auto& fate : std::exchange(fates_, {})) {
    if (auto* sent = std::get_if<stanza_sent>(&fate)) events_.push_back(*sent);
    const auto* lost = std::get_if<stanza_lost>(&fate);
    if (lost == nullptr || texts_.empty()) continue;
    auto& text = texts_.front();
    c_.memory.give(text.text.size());
    text.written = lost->written;
    end.lost.push_back(std::move(text));
    texts_.pop_front();
  }
  // It came to nothing here; another address, or a later try, may still go on with it.
  if (resuming_) end.session = std::exchange(resuming_, std::nullopt);
  events_.push_back(std::move(end));
}

std::optional<s2s_event> s2s_stream::poll() {
  if (events_.empty()) return std::nullopt;
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

// ---- time ----

std::optional<steady_time> s2s_stream::deadline() const {
  if (phase_ == phase::over) return std::nullopt;
  if (phase_ == phase::closing || proved_nothing()) return deadline_;
  if (can_ping() && fence_.size() > 0) return fence_.deadline();
  return stanza_at_ + c_.options.idle_limit;
}

void s2s_stream::timeout(instant now) {
  if (phase_ == phase::over) return;
  if (phase_ == phase::closing || proved_nothing()) {
    if (now.steady < deadline_) return;
    if (phase_ == phase::closing) return give_up("closed", now);
    return fail("connection-timeout", "it proved nothing in time", now);
  }
  if (fence_.overdue(now.steady)) return fail("connection-timeout", "the peer does not answer pings", now);
  settle(now);
  const bool waits = can_ping() && fence_.size() > 0;
  if (!waits && now.steady >= stanza_at_ + c_.options.idle_limit) end(now);
}

/// Asks for confirmation where that is due: the peer's count, or a ping that its domain answers after all
/// that was before it (RFC 6120 §10.1).
void s2s_stream::settle(instant now) {
  settle_fates();
  if (!can_ping() || !fence_.ping_due(now.steady)) return;
  // Also before the peer says that it counts: it does so from <enable/> on, and would count a ping.
  if (managed_ || sm_asked_) {
    const token tok = put_told(write_sm_request());
    return fence_.pinged({}, tok, now.steady);
  }
  const auto& pair = sends_.count(pair_) != 0 ? pair_ : *sends_.begin();
  iq request;
  request.from.domain = pair.local;
  request.to.emplace().domain = pair.remote;
  request.id = c_.ids.next(id_kind::stanza);
  request.payload = ping::write();
  const token tok = put_told(write(request));
  fence_.pinged(std::move(request.id), tok, now.steady);
}

}  // namespace stox::xmpp
