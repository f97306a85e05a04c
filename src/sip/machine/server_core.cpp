#include "sip/machine/server_core.hpp"

#include <chrono>

#include "base/text.hpp"
#include "sip/machine/admission.hpp"
#include "sip/machine/tx_key.hpp"

namespace stox::sip {

namespace {

/// What tables and the timer index spend on one transaction: two places of 16 bytes in tables that are a
/// quarter to half full, one deadline.
constexpr std::size_t table_bytes = 2 * 48 + 48;

std::string call_id_of(const header_list& headers) {
  const auto id = headers.find(header::call_id);
  return id ? clean_text(*id, 128) : std::string();
}

/// The same of a response's lines that we wrote; its Vias stand before.
std::string call_id_of(std::string_view response) {
  static constexpr std::string_view name = "\r\nCall-ID: ";
  const auto at = response.find(name);
  if (at == std::string_view::npos) return {};
  response.remove_prefix(at + name.size());
  return clean_text(response.substr(0, response.find("\r\n")), 128);
}

}  // namespace

server_core::server_core(context& ctx, connections& conns, dns::resolver& dns)
    : ctx_(ctx),
      conns_(conns),
      seed_(ctx.ids.below(UINT64_MAX)),
      limit_(seed_),
      locator_(dns, ctx.ids, ctx.memory) {}

void server_core::look_for(const request& r, const essentials& head, std::string_view method) {
  lookup& l = lookup_;
  l.keys.clear();
  append_server_key(l.keys, r, head, method);
  l.key_size = l.keys.size();
  append_merge_key(l.keys, head, method);
  l.key_hash = key_hash(l.key(), seed_);
  l.merge_hash = key_hash(l.merge(), seed_);
  by_key_.prefetch(l.key_hash);
  by_merge_key_.prefetch(l.merge_hash);
}

std::uint64_t server_core::find_transaction() const {
  return by_key_.find(lookup_.key_hash, [this](std::uint64_t number) {
    const record& rec = *records_.find(number);
    return std::string_view(rec.keys).substr(0, rec.key_size) == lookup_.key();
  });
}

std::uint64_t server_core::find_merged() const {
  return by_merge_key_.find(lookup_.merge_hash, [this](std::uint64_t number) {
    const record& rec = *records_.find(number);
    return std::string_view(rec.keys).substr(rec.key_size) == lookup_.merge();
  });
}

void server_core::handle(request&& r, const peer_info& peer, std::size_t size,
                         const std::vector<std::string>& own_hosts, instant now) {
  auto head = check_mandatory(r);
  if (!head) {
    const parse_failure failure{std::move(head).error(), true, std::move(r)};
    if (!handle_malformed(failure, peer, size, now)) ++ctx_.stats.garbage;
    return;
  }
  ++ctx_.stats.requests;
  stamp_via(r, head->top_via, peer.remote);
  const arrival a{r, *head, peer, size, now};
  if (r.method == method::ack) return acknowledge(a);
  if (r.method == method::cancel) return cancel(a);

  look_for(r, *head, r.method_name);
  auto target = parse_uri(r.uri);
  if (const auto number = find_transaction()) {
    ++ctx_.stats.retransmissions_in;
    record& rec = *records_.find(number);
    if (rec.fsm.retransmitted()) transmit_again(rec, number, now);
    return;
  }
  if (const auto no = check(a, target, own_hosts)) return reject(a, *no);
  if (r.method == method::options) {
    answer(head_for(r, stateless_tag(r)), options_reply(), head->top_via, peer, size, now);
    return;
  }
  begin(a, std::move(*target));
}

/// admission.hpp's order, with what only the tables know in its place.
std::optional<reply> server_core::check(const arrival& a, const boost::system::result<uri, error>& target,
                                        const std::vector<std::string>& own_hosts) const {
  if (ctx_.blocked.contains(a.peer.remote.ip)) return plain_reply(403);
  if (auto no = admit_route(a.message, a.head, target, a.peer, ctx_.options, own_hosts)) return no;
  if (is_merged(a)) return plain_reply(482);
  if (auto no = admit_content(a.message, ctx_.options)) return no;
  if (a.message.method == method::options) return std::nullopt;
  if (ctx_.draining) return unavailable(503);
  // The refusal itself costs no memory; what was accepted before is not touched.
  if (!ctx_.memory.has_room(a.size + sizeof(record) + table_bytes)) return unavailable(480);
  return std::nullopt;
}

/// RFC 3261 §8.2.2.2: the same request on another path, while the first copy's transaction lives.
bool server_core::is_merged(const arrival& a) const {
  if (!a.head.to.tag().empty()) return false;
  return find_merged() != 0;
}

reply server_core::unavailable(std::uint16_t status) const {
  reply no = plain_reply(status);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ctx_.options.retry_after).count();
  no.headers.add(header::retry_after, write(retry_after_value{static_cast<std::uint32_t>(seconds), {}, {}}));
  return no;
}

/// RFC 3261 §11.2. Whoever is asked about, the answer is the same: it tells nothing about a user.
reply server_core::options_reply() const {
  if (!ctx_.ready || ctx_.draining) return unavailable(503);
  reply yes = plain_reply(200);
  yes.headers.add(header::allow, allowed_methods(ctx_.options));
  yes.headers.add(header::accept, joined(ctx_.options.accept));
  yes.headers.add(header::accept_encoding, accepted_encodings(ctx_.options));
  yes.headers.add(header::accept_language, "*");
  yes.headers.add(header::supported, joined(ctx_.options.supported));
  return yes;
}

bool server_core::handle_malformed(const parse_failure& failure, const peer_info& peer, std::size_t size,
                                   instant now) {
  if (!failure.is_request || failure.partial.method == method::ack) return false;
  request r = failure.partial;
  const auto vias = r.headers.elements(header::via);
  if (vias.empty()) return false;
  // A Via that cannot be read leaves only the packet's source to answer to, as rport would.
  via unread;
  unread.set_param("rport", std::nullopt);
  const auto parsed = parse_via(vias.front());
  via top = parsed ? *parsed : unread;
  if (parsed) stamp_via(r, top, peer.remote);

  const reply no = malformed_reply(failure);
  ++ctx_.stats.rejected[no.status];
  ctx_.note(peer.trusted ? log_level::info : log_level::debug, "sip.malformed", {},
            {{"call_id", call_id_of(r.headers)},
             {"peer", peer.remote.to_string()},
             {"code", std::to_string(no.status)},
             {"why", no.reason}});
  answer(head_for(r, stateless_tag(r)), no, top, peer, size, now);
  return true;
}

/// What is wrong, in the reason phrase. A method that nobody knows is the better reason where CSeq does not
/// fit it (RFC 4475 §3.1.2.18).
reply server_core::malformed_reply(const parse_failure& failure) const {
  if (failure.why.code == make_error_code(errc::bad_version)) return plain_reply(505);
  if (failure.why.code == make_error_code(errc::bad_method) && failure.partial.method == method::unknown &&
      !failure.partial.method_name.empty()) {
    reply no = plain_reply(501);
    no.headers.add(header::allow, allowed_methods(ctx_.options));
    return no;
  }
  const std::string why = failure.why.detail.empty() ? failure.why.code.message() : failure.why.detail;
  return plain_reply(400, "Bad Request (" + why + ")");
}

void server_core::reject(const arrival& a, const reply& what) {
  if (what.status < 700) ++ctx_.stats.rejected[what.status];
  ctx_.note(a.peer.trusted ? log_level::info : log_level::debug, "sip.rejected", {},
            {{"call_id", call_id_of(a.message.headers)},
             {"peer", a.peer.remote.to_string()},
             {"method", clean_text(a.message.method_name, 32)},
             {"code", std::to_string(what.status)}});
  answer(head_for(a.message, stateless_tag(a.message)), what, a.head.top_via, a.peer, a.size, a.now);
}

/// A stranger on UDP may have written any source address: it gets its answer there, never more bytes than it
/// sent, and not often.
void server_core::answer(const response_head& head, const reply& what, const via& top, const peer_info& peer,
                         std::size_t size, instant now) {
  std::string bytes = write_response(head, what, ctx_.options.product);
  if (peer.via != transport::udp) {
    conns_.send(peer.conn, token::none, std::move(bytes), now);
    return;
  }
  if (peer.trusted) {
    conns_.send_datagram(peer.conn, route_reply(top, peer).to, token::none, std::move(bytes));
    return;
  }
  // Nothing beyond what RFC 3261 demands.
  if (bytes.size() > size) bytes = write_response(head, plain_reply(status_of(what)), {});
  if (bytes.size() > size ||
      !limit_.take(peer.remote.ip, ctx_.options.untrusted_answers_per_second, now.steady)) {
    ++ctx_.stats.suppressed;
    return;
  }
  conns_.send_datagram(peer.conn, peer.remote, token::none, std::move(bytes));
}

/// RFC 3261 §8.2.7: the same for each copy of the request.
std::string server_core::stateless_tag(const request& r) const {
  std::uint64_t h = seed_ ^ 0xCBF29CE484222325U;
  for (const header id : {header::via, header::from, header::call_id, header::cseq}) {
    const auto value = r.headers.find(id);
    if (!value) continue;
    for (const char c : *value) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string tag = "s";
  for (int shift = 60; shift >= 0; shift -= 4) tag += digits[(h >> shift) & 15];
  return tag;
}

/// RFC 3261 §17.2.1: an ACK is never answered. To a 2xx it comes with a branch of its own and is found by its
/// dialog's parts.
void server_core::acknowledge(const arrival& a) {
  look_for(a.message, a.head, "INVITE");
  auto number = find_transaction();
  if (number == 0) number = find_merged();
  if (number == 0) return;
  record& rec = *records_.find(number);
  rec.fsm.acknowledged(a.now.steady, ctx_.options.timers);
  update(rec, number);
}

/// RFC 3261 §9.2. Of no effect where the request was answered or is no INVITE, but the CANCEL itself is
/// answered.
void server_core::cancel(const arrival& a) {
  if (!a.peer.trusted) return reject(a, plain_reply(403));
  std::uint64_t number = 0;
  for (const method m : ctx_.options.methods) {
    look_for(a.message, a.head, to_string(m));
    number = find_transaction();
    if (number != 0) break;
  }
  if (number == 0) return reject(a, plain_reply(481));
  record& rec = *records_.find(number);
  // §9.2: the To tag is the one of the answers to the INVITE.
  const std::string tag = rec.open ? rec.open->tag : stateless_tag(a.message);
  answer(head_for(a.message, tag), plain_reply(200), a.head.top_via, a.peer, a.size, a.now);
  if (!rec.open || !rec.fsm.invite() || rec.open->cancelled) return;
  rec.open->cancelled = true;
  ctx_.events.push_back(request_cancelled{static_cast<server_tx>(number)});
}

void server_core::begin(const arrival& a, uri target) {
  const bool invite = a.message.method == method::invite;
  const bool reliable = a.peer.via != transport::udp;
  const auto number =
      records_.create(server_transaction(invite, reliable, a.now.steady, ctx_.options.timers));
  record& rec = *records_.find(number);
  rec.keys = lookup_.keys;
  rec.key_size = lookup_.key_size;
  rec.key_hash = lookup_.key_hash;
  rec.merge_hash = lookup_.merge_hash;
  rec.route = route_reply(a.head.top_via, a.peer);
  rec.open = std::make_unique<open_part>();
  rec.open->tag = ctx_.ids.next(id_kind::tag);
  rec.open->head = head_for(a.message, rec.open->tag);
  rec.memory = charge(ctx_.memory, 0);
  by_key_.add(rec.key_hash, number);
  by_merge_key_.add(rec.merge_hash, number);
  update(rec, number);
  ctx_.stats.server_transactions = records_.size();
  // In its place: moving all these texts once more is dear.
  auto& told = std::get<request_received>(ctx_.events.emplace_back(std::in_place_type<request_received>));
  told.tx = static_cast<server_tx>(number);
  told.request = std::move(a.message);
  told.head = std::move(a.head);
  told.request_uri = std::move(target);
  told.peer = a.peer;
}

void server_core::respond(server_tx tx, const reply& r, instant now) {
  const auto number = static_cast<std::uint64_t>(tx);
  record* rec = records_.find(number);
  if (rec == nullptr || rec->fsm.answered()) return;
  if (r.status < 200) {
    // RFC 4320 §4.1: to a non-INVITE only 100, and that at its time, which the transaction knows.
    if (!rec->fsm.invite()) return;
    rec->fsm.provisional(write_response(rec->open->head, r, ctx_.options.product));
    transmit(*rec, number, now);
    return update(*rec, number);
  }
  // RFC 4320 §4.2: a 408 would come when nobody waits any more, and upstream would take it for ours.
  std::optional<reply> late;
  if (r.status == 408 && !rec->fsm.invite()) late = reply{504, {}, r.headers, r.body};
  const reply& final = late ? *late : r;
  std::string bytes = write_response(rec->open->head, final, ctx_.options.product);
  rec->open.reset();
  rec->fsm.final(status_of(final), std::move(bytes), now.steady, ctx_.options.timers);
  update(*rec, number);
  transmit(*rec, number, now);
}

/// RFC 3261 §18.2.2: on the stream that the request came on, else on a new one.
void server_core::transmit(record& rec, std::uint64_t number, instant now) {
  if (rec.route.via == transport::udp) {
    conns_.send_datagram(rec.route.conn, rec.route.to, token::none, rec.fsm.response());
    return;
  }
  const bool final = rec.fsm.answered();
  for (;;) {
    const token tok = final ? ctx_.track(owner::server, number) : token::none;
    if (conns_.send(rec.route.conn, tok, rec.fsm.response(), now)) return;
    ctx_.tokens.erase(tok);
    if (!final) return;
    if (next_stream(rec, number, now)) continue;
    if (locator_.is_searching(number)) return;  // its answer goes on from here
    note_lost(rec);
    if (!rec.fsm.invite()) destroy(number);
    return;
  }
}

void server_core::note_lost(const record& rec) {
  ctx_.note(log_level::warning, "sip.response_lost", {},
            {{"call_id", call_id_of(rec.fsm.response())}, {"peer", rec.route.to.to_string()}});
}

void server_core::transmit_again(record& rec, std::uint64_t number, instant now) {
  ++ctx_.stats.retransmissions_out;
  transmit(rec, number, now);
}

void server_core::say_trying(record& rec, std::uint64_t number, instant now) {
  rec.fsm.provisional(write_response(rec.open->head, plain_reply(100), ctx_.options.product));
  transmit(rec, number, now);
  update(rec, number);
}

void server_core::sent(std::uint64_t number) {
  record* rec = records_.find(number);
  if (rec == nullptr) return;
  rec->fsm.taken();
  if (rec->fsm.terminated()) destroy(number);
}

void server_core::send_failed(std::uint64_t number, instant now) {
  record* rec = records_.find(number);
  if (rec == nullptr) return;
  // The stream broke under the response: it must not be used again, nor found again by its peer's address.
  conns_.end_reuse(rec->route.conn);
  rec->route.conn = conn_id::none;
  transmit(*rec, number, now);
}

void server_core::timeout(std::uint64_t number, instant now) {
  record* rec = records_.find(number);
  if (rec == nullptr) return;
  switch (rec->fsm.timeout(now.steady, ctx_.options.timers)) {
    case server_due::nothing: break;
    case server_due::trying: return say_trying(*rec, number, now);
    case server_due::resend: update(*rec, number); return transmit_again(*rec, number, now);
    case server_due::abandoned:
      ctx_.note(log_level::warning, "sip.unanswered", {},
                {{"call_id", rec->open ? call_id_of(rec->open->head.lines) : std::string()},
                 {"peer", rec->route.to.to_string()}});
      return destroy(number);
    case server_due::ended: return destroy(number);
  }
  update(*rec, number);
}

void server_core::update(record& rec, std::uint64_t number) {
  std::size_t n = sizeof(record) + table_bytes + rec.keys.capacity() + rec.fsm.response().capacity();
  if (rec.open) n += sizeof(open_part) + rec.open->head.lines.capacity();
  rec.memory.resize(n);
  ctx_.arm(rec.timer, owner::server, number, rec.fsm.next_deadline());
}

void server_core::destroy(std::uint64_t number) {
  record* rec = records_.find(number);
  if (rec == nullptr) return;
  ctx_.arm(rec->timer, owner::server, number, std::nullopt);
  locator_.stop(number);
  servers_.erase(number);
  by_key_.remove(rec->key_hash, number);
  by_merge_key_.remove(rec->merge_hash, number);
  records_.destroy(number);
  ctx_.stats.server_transactions = records_.size();
}

}  // namespace stox::sip
