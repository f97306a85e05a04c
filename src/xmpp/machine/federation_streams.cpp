#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "xmpp/machine/federation_impl.hpp"
#include "xmpp/wire/stanza.hpp"

// The streams: who may connect, what they tell, how they end.
namespace stox::xmpp {

namespace {

std::uint64_t stream_key(s2s_id id) { return static_cast<std::uint64_t>(id) << 1; }

/// Who has one address of IPv6 has a whole network of them.
ip_address rationed(const ip_address& ip) { return ip.is_v4() ? ip : rationed_network(ip); }

/// Of streams that broke and may go on; each end looks at all of them.
constexpr std::size_t most_sessions = 1000;

constexpr std::size_t key_cost = 4096;  ///< about what a question to another server makes us hold

bool is_answer(const xml::element& e) {
  if (e.name != "iq") return false;
  const auto* type = e.attr("type");
  return type != nullptr && (*type == "result" || *type == "error");
}

}  // namespace

federation::impl::entry& federation::impl::add(std::unique_ptr<s2s_stream> wire) {
  const auto id = wire->id();
  by_conn.emplace(wire->conn(), id);
  auto& e = streams[id];
  e.wire = std::move(wire);
  if (!e.wire->incoming()) outgoing[e.wire->pair().remote].insert(id);
  touch(e);
  return e;
}

federation::impl::entry* federation::impl::find(s2s_id id) {
  const auto at = streams.find(id);
  return at == streams.end() ? nullptr : &at->second;
}

federation::impl::entry* federation::impl::find(conn_id conn) {
  const auto at = by_conn.find(conn);
  return at == by_conn.end() ? nullptr : find(at->second);
}

void federation::impl::touch(entry& e) {
  if (std::exchange(e.dirty, true)) return;
  dirty.push_back(e.wire->id());
}

void federation::impl::tie(s2s_id id, const lane& l) {
  if (auto* e = find(id)) e->lanes.insert(l.number);
}

void federation::impl::touch(s2s_id id) {
  if (auto* e = find(id)) touch(*e);
}

// ---- who may connect ----

void federation::impl::accepted(const io::accepted& e, instant now) {
  auto& of_address = by_address[rationed(e.peer.ip)];
  ++of_address;
  auto& s =
      add(std::make_unique<s2s_stream>(s2s_id{++last_stream}, context(), e.conn, e.peer, e.identity, now));
  unproved.insert(s.wire->id());
  if (stopping) return s.wire->fail("system-shutdown", "the gateway ends", now);
  if (of_address > options.max_streams_per_address) {
    ++counts.refused_address;
    return s.wire->fail("resource-constraint", "too many streams of its address", now);
  }
  if (!memory.has_room(0)) {
    ++counts.refused_memory;
    return s.wire->fail("resource-constraint", "no memory for another stream", now);
  }
  if (unproved.size() <= options.max_unauthenticated) return;
  ++counts.refused_unproved;
  auto& leaves = *find(crowded());
  leaves.wire->fail("resource-constraint", "too many streams that proved nothing", now);
  touch(leaves);
}

/// The oldest of the network that has most of the streams that proved nothing: it has had its time, and a
/// peer that is slow on purpose takes the places of its own network first.
s2s_id federation::impl::crowded() const {
  std::map<ip_address, std::pair<unsigned, s2s_id>> networks;  // how many, and the oldest
  for (const auto id : unproved) {
    auto& n = networks.try_emplace(rationed_network(streams.at(id).wire->peer().ip), 0, id).first->second;
    ++n.first;
  }
  const auto fuller = [](const auto& a, const auto& b) {
    if (a.second.first != b.second.first) return a.second.first < b.second.first;
    return a.second.second > b.second.second;
  };
  return std::max_element(networks.begin(), networks.end(), fuller)->second.second;
}

// ---- what they tell ----

/// Takes the events of every stream that something happened to, until nothing moves.
void federation::impl::settle(instant now) {
  while (!dirty.empty()) {
    const auto id = dirty.front();
    dirty.pop_front();
    auto* e = find(id);
    if (e == nullptr) continue;
    e->dirty = false;
    while (auto event = e->wire->poll()) on(*e, *event, now);
    if (e->wire->is_over()) {
      forget(id);
      continue;
    }
    const auto due = e->wire->deadline();
    if (due == e->armed) continue;
    e->armed = due;
    deadlines.set(e->timer, {timer_owner::s2s, stream_key(id)}, due);
  }
}

void federation::impl::on(entry& e, s2s_event& event, instant now) {
  std::visit([&](auto& x) { on(e, x, now); }, event);
}

void federation::impl::note_up(entry& e, const domain_pair& p, std::string_view how) {
  const bool first = !std::exchange(e.up, true);
  if (first) unproved.erase(e.wire->id());
  // A peer can prove many, as often as it likes.
  log_record record{first ? log_level::info : log_level::debug, "s2s.up", {}, {}};
  record.fields = {{"domain", p.local},
                   {"peer", p.remote},
                   {"address", e.wire->peer().to_string()},
                   {"direction", e.wire->incoming() ? "in" : "out"},
                   {"how", std::string(how)},
                   {"tls", e.wire->is_secured() ? "yes" : "no"}};
  log.push_back(std::move(record));
}

void federation::impl::on(entry& e, pair_sends& x, instant now) {
  auto& l = lane_of(x.pair);
  if (!e.wire->incoming()) {
    ++counts.reached;
    note_up(e, x.pair, e.wire->by_certificate() ? "certificate" : "dialback");
  }
  if (find(l.stream) == nullptr || !find(l.stream)->wire->sends(x.pair)) l.stream = e.wire->id();
  tie(l.stream, l);
  l.asked = s2s_id::none;
  l.failure.reset();
  l.wait.reset();
  if (e.wire->went_on() && x.pair == e.wire->pair() && !e.wire->incoming()) ++counts.resumed;
  if (l.dial && l.dial->stream == e.wire->id()) end_dial(l);
  flush(l, now);
  arm(l, now);
}

void federation::impl::on(entry& e, pair_refused& x, instant now) {
  auto& l = lane_of(x.pair);
  if (std::exchange(l.asked, s2s_id::none) == e.wire->id()) {
    // It does not want the pair on this stream (XEP-0220 §2.5); one of its own may do.
    if (!l.queue.empty() && !l.dial) begin_dial(l, now);
    return arm(l, now);
  }
  const auto told = parse_condition(x.condition);
  auto why = because(error_type::cancel, told.value_or(condition::remote_server_not_found), {});
  why.type = usual_type(why.condition);
  why.text = "The other server does not accept this domain";
  const bool needed = !e.wire->proved_nothing() || !l.questions.empty();
  if (l.dial && l.dial->stream == e.wire->id()) end_dial(l);
  fail(l, std::move(why), "refused: " + (x.condition.empty() ? "invalid" : x.condition), now);
  if (!needed) {
    e.wire->end(now);
    touch(e);
  }
}

void federation::impl::on(entry& e, pair_receives& x, instant) {
  switch (x.how) {
    case proof::certificate: ++counts.by_certificate; break;
    case proof::dane: ++counts.by_dane; break;
    case proof::dialback: ++counts.by_dialback; break;
  }
  static constexpr std::string_view names[] = {"dialback", "dane", "certificate"};
  if (e.wire->incoming()) note_up(e, x.pair, names[static_cast<std::size_t>(x.how)]);
}

void federation::impl::on(entry& e, key_offered& x, instant now) {
  // A stranger may ask for as many domains as he likes.
  if (find_lane(x.pair) == nullptr && !memory.has_room(key_cost))
    return e.wire->answer_key(x.pair, dialback_type::error, "resource-constraint", now);
  auto& l = lane_of(x.pair);
  tie(e.wire->id(), l);
  l.questions.push_back({e.wire->id(), std::move(x.stream), std::move(x.key), s2s_id::none});
  ask_keys(l, now);
  arm(l, now);
}

void federation::impl::on(entry& e, key_answered& x, instant now) {
  auto* l = find_lane(x.pair);
  if (l == nullptr) return;
  const auto at = std::find_if(l->questions.begin(), l->questions.end(), [&](const question& q) {
    return q.asked == e.wire->id() && q.stream == x.stream;
  });
  if (at == l->questions.end()) return;
  auto q = *at;
  l->questions.erase(at);
  if (x.type != dialback_type::valid) ++counts.keys_refused;
  answer(*l, q, x.type, x.type == dialback_type::error ? "remote-server-not-found" : "", now);
  // A stream that was only made to ask has done its work.
  const bool wanted =
      !l->queue.empty() || l->asked != s2s_id::none || !e.wire->proved_nothing() || l->session;
  if (wanted || !l->questions.empty()) return;
  if (l->dial && l->dial->stream == e.wire->id()) end_dial(*l);
  e.wire->end(now);
  touch(e);
}

void federation::impl::on(entry&, pair_stanza& x, instant) {
  ++counts.stanzas_in;
  if (is_answer(x.value)) {
    // What our own ping set off comes over whatever stream the peer has for us.
    const auto* id = x.value.attr("id");
    const auto* l = find_lane(x.pair);
    auto* asked = l == nullptr ? nullptr : find(l->stream);
    if (id != nullptr && asked != nullptr && asked->wire->pinged_back(*id)) return touch(*asked);
  }
  events.push_back({std::move(x.pair.local), stanza_received{link_id::none, std::move(x.value)}});
}

void federation::impl::on(entry&, pair_stanza_refused& x, instant) {
  ++counts.stanzas_in;
  events.push_back(
      {std::move(x.pair.local), stanza_refused{link_id::none, std::move(x.head), std::move(x.why)}});
}

void federation::impl::on(entry&, stanza_sent& x, instant) {
  if (!own(x.ref)) events.push_back({{}, x});
}

void federation::impl::on(entry&, stanza_confirmed& x, instant) {
  if (!own(x.ref)) events.push_back({{}, x});
}

void federation::impl::on(entry& e, resume_asked& x, instant now) {
  // What came along with it may have ended this stream; the session is for the next one then.
  if (e.wire->is_closing()) return;
  // XEP-0198 §5: the peer saw the connection break before we did; what it holds goes on with the new one.
  const auto open = std::find_if(streams.begin(), streams.end(), [&](const auto& s) {
    const auto& w = *s.second.wire;
    return &s.second != &e && w.incoming() && w.session() == x.id && w.pair() == x.pair;
  });
  if (open != streams.end() && !x.id.empty()) {
    if (auto session = open->second.wire->hand_over(now))
      sessions.insert_or_assign(x.id, *std::move(session));
    touch(open->second);
  }
  const auto at = sessions.find(x.id);
  // Only who opened the session goes on with it.
  if (at == sessions.end() || at->second.pair != x.pair || at->second.until < now.steady) {
    e.wire->take_up(std::nullopt, 0, now);
    return;
  }
  auto session = std::move(at->second);
  sessions.erase(at);
  if (!session.waiting.empty() && !e.wire->sends(x.pair)) {
    // XEP-0288 §2.2: this stream carries nothing of ours, so that it cannot go on.
    e.wire->take_up(std::nullopt, 0, now);
    ++counts.lost_sessions;
    return lost(
        {std::make_move_iterator(session.waiting.begin()), std::make_move_iterator(session.waiting.end())},
        now);
  }
  ++counts.resumed;
  e.wire->take_up(std::move(session), x.handled, now);
  auto* l = find_lane(x.pair);
  if (l == nullptr || !e.wire->sends(x.pair)) return;
  // What follows goes behind what the session held, but never before what another stream has still open.
  if (const auto* other = find(l->stream); other != nullptr && other->wire->waiting() > 0) return;
  l->stream = e.wire->id();
  tie(l->stream, *l);
}

void federation::impl::on(entry&, session_lost& x, instant now) {
  ++counts.lost_sessions;
  lost(std::move(x.lost), now);
}

void federation::impl::on(entry& e, stream_ended& x, instant now) {
  const auto id = e.wire->id();
  // "conflict": its session goes on elsewhere, which is no error.
  if (x.refused && !x.condition.empty() && x.condition != "conflict") ++counts.stream_errors;
  log_record record{e.up ? log_level::info : log_level::debug, "s2s.down", {}, {}};
  const auto shown = e.wire->shown_pair();
  record.fields = {{"domain", shown.local},
                   {"peer", shown.remote},
                   {"address", e.wire->peer().to_string()},
                   {"direction", e.wire->incoming() ? "in" : "out"},
                   {"why", x.why}};
  // Whoever connects can make these lines; only those of a proved peer are above debug.
  log.push_back(std::move(record));
  if (x.session && stopping) {
    // Nobody will go on with it.
    std::move(x.session->waiting.begin(), x.session->waiting.end(), std::back_inserter(x.lost));
  } else if (x.session && e.wire->incoming() && sessions.size() >= most_sessions) {
    ++counts.lost_sessions;
    std::move(x.session->waiting.begin(), x.session->waiting.end(), std::back_inserter(x.lost));
  } else if (x.session && e.wire->incoming()) {
    sessions.emplace(x.session->id, *std::move(x.session));
    arm_sessions();
  } else if (x.session) {
    auto& l = lane_of(x.session->pair);
    l.session = std::move(x.session);
    arm(l, now);
  }
  std::vector<lane*> concerned;
  for (const auto number : e.lanes)
    if (const auto at = by_number.find(number); at != by_number.end()) concerned.push_back(at->second);
  for (auto* l : concerned) {
    if (l->stream == id) l->stream = s2s_id::none;
    if (l->asked == id) l->asked = s2s_id::none;
    std::erase_if(l->questions, [id](const question& q) { return q.asker == id; });
    drop_dial_for_nobody(*l);
  }
  lost(std::move(x.lost), now);
  for (auto* l : concerned) {
    for (auto& q : l->questions)
      if (q.asked == id) q.asked = s2s_id::none;
    if (l->dial && l->dial->stream == id) {
      next_target(*l, x.why, now);
      continue;
    }
    if (stopping) continue;
    ask_keys(*l, now);
    // Only who opened a stream can go on with it, and over one for both directions the peer waits for that,
    // too.
    const bool waits =
        !l->queue.empty() || (l->session && (!l->session->waiting.empty() || e.wire->is_bidi()));
    if (l->stream == s2s_id::none && waits && !l->dial) reach(*l, now);
    arm(*l, now);
  }
}

/// Who wanted it has gone: its place is somebody else's.
void federation::impl::drop_dial_for_nobody(lane& l) {
  if (!l.dial || !l.queue.empty() || !l.questions.empty() || l.session || l.dial->stream != s2s_id::none)
    return;
  end_dial(l);
}

void federation::impl::end_sessions(steady_time until, instant now) {
  std::vector<unconfirmed> all;
  std::erase_if(sessions, [&](auto& s) {
    auto& [id, session] = s;
    if (session.until > until) return false;
    ++counts.lost_sessions;
    std::move(session.waiting.begin(), session.waiting.end(), std::back_inserter(all));
    return true;
  });
  lost(std::move(all), now);
  arm_sessions();
}

void federation::impl::arm_sessions() {
  std::optional<steady_time> due;
  for (const auto& [id, session] : sessions) due = due ? std::min(*due, session.until) : session.until;
  deadlines.set(sessions_timer, {timer_owner::s2s, sessions_key}, due);
}

void federation::impl::forget(s2s_id id) {
  const auto at = streams.find(id);
  auto& e = at->second;
  deadlines.set(e.timer, {}, std::nullopt);
  unproved.erase(id);
  if (e.wire->incoming()) {
    const auto of = by_address.find(rationed(e.wire->peer().ip));
    if (of != by_address.end() && --of->second == 0) by_address.erase(of);
  }
  if (const auto of = outgoing.find(e.wire->pair().remote); !e.wire->incoming() && of != outgoing.end()) {
    of->second.erase(id);
    if (of->second.empty()) outgoing.erase(of);
  }
  by_conn.erase(e.wire->conn());
  streams.erase(at);
}

}  // namespace stox::xmpp
