#include <algorithm>
#include <utility>

#include "crypto/hash.hpp"
#include "xmpp/machine/federation_impl.hpp"
#include "xmpp/wire/jid.hpp"

// How another domain's server is reached: found by the DNS, its addresses raced (RFC 8305), one stream made.
namespace stox::xmpp {

namespace {

std::string ascii(const std::string& domain) {
  const auto converted = domain_to_ascii(domain);
  return converted ? *converted : domain;
}

dns::question tlsa_of(const server_target& t) {
  return {io::record_type::tlsa, "_" + std::to_string(t.to.port) + "._tcp." + t.host};
}

}  // namespace

void federation::impl::begin_dial(lane& l, instant now) {
  if (stopping) return;
  const bool for_keys = l.queue.empty() && !l.session;
  if (for_keys && dialling_for_keys >= std::max(1U, options.max_connecting / 4)) {
    // Keys are offered by strangers: they do not take the places of stanzas.
    return refuse_keys(l, "resource-constraint", now);
  }
  const bool crowded_out = outgoing.size() >= options.max_outgoing;
  // Twice: the other server may have to open one of its own to verify us.
  if (crowded_out || !memory.has_room(2 * s2s_stream_cost)) {
    fail(l, because(error_type::wait, condition::resource_constraint, "Too many other servers"),
         crowded_out ? "too many streams that we opened" : "no memory for another stream", now);
    l.failure.reset();  // it is our own want, and over when there is room
    return;
  }
  l.dial.emplace();
  l.dial->for_keys = for_keys;
  if (!has_place()) {
    waiting.push_back(l.number);
    return;
  }
  ++dialling;
  if (for_keys) ++dialling_for_keys;
  l.dial->begun = true;
  l.dial->late_at = now.steady + options.place_limit;
  l.dial->limit = now.steady + options.login_limit;
  locate(l, now);
}

void federation::impl::end_dial(lane& l) {
  if (!l.dial) return;
  for (const auto& [conn, target] : l.dial->attempts) {
    attempts.erase(conn);
    io.push(io::close{conn});
  }
  for (const auto& q : l.dial->awaited) {
    const auto at = asking.find(q);
    if (at == asking.end()) continue;
    at->second.erase(l.number);
    if (at->second.empty()) asking.erase(at);
  }
  if (l.dial->begun) --(l.dial->late ? late_dials : dialling);
  if (!l.dial->begun) std::erase(waiting, l.number);
  if (l.dial->begun && l.dial->for_keys && !l.dial->late) --dialling_for_keys;
  l.dial.reset();
}

/// Servers that do not answer must not keep the places of those that would: after a while they hold none, and
/// there may be some times as many of them.
bool federation::impl::has_place() const {
  constexpr unsigned late_share = 4;
  return dialling < options.max_connecting && dialling + late_dials < late_share * options.max_connecting;
}

void federation::impl::start_waiting(instant now) {
  while (!waiting.empty() && has_place() && !stopping) {
    const auto at = by_number.find(waiting.front());
    waiting.pop_front();
    if (at == by_number.end()) continue;
    auto& l = *at->second;
    if (!l.dial || l.dial->begun) continue;
    l.dial.reset();
    if (!l.queue.empty() || !l.questions.empty() || l.session) begin_dial(l, now);
    arm(l, now);
  }
}

/// Goes on until the DNS has to be asked for more, or there are targets.
void federation::impl::locate(lane& l, instant now) {
  auto& d = *l.dial;
  for (;;) {
    auto found = locate_server(ascii(l.pair.remote), d.known, ids);
    // RFC 7712 §5: what the DNS promises about certificates is only asked for where it is to count.
    if (found.questions.empty() && options.policy_of(l.pair.remote).least == proof::dane) {
      for (const auto& t : found.targets)
        if (t.secure_name && d.known.count(tlsa_of(t)) == 0) found.questions.push_back(tlsa_of(t));
    }
    if (found.questions.empty()) {
      const bool any = !found.targets.empty();
      std::erase_if(found.targets, [this](const auto& t) { return options.never_connect.contains(t.to.ip); });
      if (any && found.targets.empty()) {
        end_dial(l);
        return fail(l,
                    because(error_type::cancel, condition::remote_server_not_found,
                            "There is no XMPP server for the other domain"),
                    "the DNS names only addresses of xmpp.s2s.never_connect", now);
      }
      if (any) {
        d.located = true;
        d.targets.assign(found.targets.begin(), found.targets.end());
        return attempt(l, now);
      }
      const bool silent = found.why == located_server::reason::no_answer;
      end_dial(l);
      auto why = because(silent ? error_type::wait : error_type::cancel,
                         silent ? condition::remote_server_timeout : condition::remote_server_not_found,
                         silent ? "The DNS does not answer for the other domain"
                                : "There is no XMPP server for the other domain");
      return fail(l, std::move(why), silent ? "the DNS does not answer" : "no such server in the DNS", now);
    }
    bool all_known = true;
    d.awaited.clear();
    for (auto& q : found.questions) {
      if (auto known = dns.ask(q, now)) {
        d.known[q] = *std::move(known);
        continue;
      }
      all_known = false;
      asking[q].insert(l.number);
      d.awaited.push_back(std::move(q));
    }
    if (!all_known) return;
  }
}

/// RFC 8305 §5: the next address is tried while those before it have not answered yet.
void federation::impl::attempt(lane& l, instant now) {
  auto& d = *l.dial;
  if (d.targets.empty() || d.attempts.size() >= server_dial::most_at_once) return;
  const auto t = std::move(d.targets.front());
  d.targets.pop_front();
  const auto conn = io.new_conn(conn_use::s2s);
  io::open o{conn, conn_use::s2s, t.direct_tls ? transport::tls : transport::tcp, {}, t.to};
  if (t.direct_tls) {
    o.server_name = ascii(l.pair.remote);
    o.own_name = ascii(l.pair.local);
    o.alpn = "xmpp-server";  // XEP-0368 §2
  }
  io.push(std::move(o));
  attempts.emplace(conn, l.number);
  d.attempts.emplace(conn, t);
  d.next_attempt = now.steady + options.attempt_delay;
}

std::vector<std::string> federation::impl::promised(const server_dial& d, const server_target& t) const {
  std::vector<std::string> out;
  const auto known = d.known.find(tlsa_of(t));
  if (!t.secure_name || known == d.known.end() || !known->second.secure) return out;
  for (const auto& r : known->second.all<dns::tlsa_record>()) {
    // RFC 6698 §2.1: DANE-EE, of the certificate or of its key, as SHA-256; what RFC 7671 §5.1 recommends.
    if (r.usage == 3 && r.selector <= 1 && r.matching == 1)
      out.push_back(std::to_string(r.selector) + ":" + crypto::hex(r.data));
  }
  return out;
}

void federation::impl::opened(const io::opened& e, instant now) {
  const auto of = attempts.find(e.conn);
  if (of == attempts.end()) return;
  auto& l = *by_number.at(of->second);
  auto& d = *l.dial;
  const auto target = d.attempts.at(e.conn);
  // The race is won: the others are not needed, but stay as what to try next.
  for (const auto& [conn, t] : d.attempts) {
    attempts.erase(conn);
    if (conn == e.conn) continue;
    io.push(io::close{conn});
    d.targets.push_front(t);
  }
  d.attempts.clear();
  auto& s = add(std::make_unique<s2s_stream>(s2s_id{++last_stream}, context(), e.conn, target.to, e.identity,
                                             l.pair, target.host, promised(d, target), now));
  d.stream = s.wire->id();
  tie(d.stream, l);
  const bool resumes = l.session.has_value();
  if (resumes) s.wire->resume(*std::exchange(l.session, std::nullopt));
  if (!l.queue.empty() || resumes) s.wire->want(l.pair);
  ask_keys(l, now);
  arm(l, now);
}

void federation::impl::attempt_failed(conn_id conn, io::fail why, const std::string& detail, instant now) {
  const auto of = attempts.find(conn);
  if (of == attempts.end()) return;
  auto& l = *by_number.at(of->second);
  attempts.erase(of);
  const auto at = l.dial->attempts.find(conn);
  std::string words = at->second.to.to_string() + ": " + std::string(io::to_string(why));
  if (!detail.empty()) words += ": " + detail;
  l.dial->attempts.erase(at);
  next_target(l, std::move(words), now);
}

/// An address came to nothing: the next one at once; when none is left, the domain cannot be reached.
void federation::impl::next_target(lane& l, std::string words, instant now) {
  auto& d = *l.dial;
  d.stream = s2s_id::none;
  d.words = std::move(words);
  // For whom nothing waits any more nothing is tried.
  const bool wanted = !l.queue.empty() || !l.questions.empty() || l.session;
  if (wanted && !d.targets.empty()) {
    attempt(l, now);
    return arm(l, now);
  }
  if (!d.attempts.empty() && wanted) return arm(l, now);
  const auto why = d.words;
  end_dial(l);
  if (wanted)
    fail(l,
         because(error_type::wait, condition::remote_server_timeout, "The other server could not be reached"),
         why, now);
  arm(l, now);
}

}  // namespace stox::xmpp
