#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "xmpp/machine/backoff.hpp"
#include "xmpp/machine/federation.hpp"
#include "xmpp/machine/locate_server.hpp"
#include "xmpp/machine/s2s_stream.hpp"

namespace stox::xmpp {

inline stanza_error because(error_type type, condition c, std::string text) {
  stanza_error out;
  out.type = type;
  out.condition = c;
  out.text = std::move(text);
  return out;
}

/// The search for a server and the race to its addresses.
struct server_dial {
  static constexpr std::size_t most_at_once = 4;  ///< connections while none of them is open
  bool begun = false;                             ///< else it waits for a place
  bool late = false;                              ///< begun, and its place is somebody else's by now
  bool for_keys = false;                          ///< it began for a question only
  std::map<dns::question, dns::answer> known;
  std::vector<dns::question> awaited;
  bool located = false;
  std::deque<server_target> targets;
  std::map<conn_id, server_target> attempts;
  s2s_id stream = s2s_id::none;  ///< the winner's, while it is negotiated
  steady_time next_attempt{}, late_at{}, limit{};
  std::string words;  ///< why the last one failed
};
/// The inside of federation: streams (federation_streams.cpp), the lanes of domain pairs over them
/// (federation_routes.cpp) and how a server is reached (federation_dial.cpp).
struct federation::impl {
  impl(federation_options o, deadline_index& d, id_source& i, byte_account& m, io_port& p, dns::resolver& r)
      : options(std::move(o)),
        keys(options.dialback_secret),
        deadlines(d),
        ids(i),
        memory(m),
        io(p),
        dns(r) {}
  ~impl();
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  struct queued {
    stanza_ref ref{};
    std::string text;
    steady_time until{};
    bool again = false;  ///< it was lost once
  };
  /// A dialback key that somebody offered to us, to be shown to the domain's own server.
  struct question {
    s2s_id asker{};
    std::string stream, key;
    s2s_id asked{};  ///< none: not asked yet
  };
  /// What goes between two domains.
  struct lane {
    explicit lane(const federation_options& o) : wait(o.backoff_min, o.backoff_max) {}
    std::uint64_t number = 0;
    domain_pair pair;
    s2s_id stream = s2s_id::none;  ///< that sends the pair
    std::deque<queued> queue;
    std::size_t bytes = 0;
    std::vector<question> questions;
    std::optional<server_dial> dial;
    s2s_id asked = s2s_id::none;  ///< the stream that is to carry this pair, too
    std::optional<s2s_session> session;
    backoff wait;
    std::optional<stanza_error> failure;  ///< of the last try; until retry_at nothing is tried
    steady_time retry_at{};
    timer_handle timer;
    std::optional<steady_time> armed;
    charge memory;
    bool used = false;  ///< a stanza was to go here
  };
  struct entry {
    std::unique_ptr<s2s_stream> wire;
    timer_handle timer;
    std::optional<steady_time> armed;
    bool dirty = false;
    bool up = false;                ///< some domain is proved
    std::set<std::uint64_t> lanes;  ///< those that name it
  };

  // federation_streams.cpp
  s2s_stream::context context() { return {options, keys, ids, memory, io, tokens}; }
  void accepted(const io::accepted& e, instant now);
  s2s_id crowded() const;
  entry& add(std::unique_ptr<s2s_stream> wire);
  entry* find(s2s_id id);
  entry* find(conn_id conn);
  void touch(entry& e);
  void touch(s2s_id id);
  void tie(s2s_id id, const lane& l);  ///< the lane names the stream: its end is told there
  void drop_dial_for_nobody(lane& l);
  void settle(instant now);
  void on(entry& e, s2s_event& event, instant now);
  void on(entry& e, pair_sends& x, instant now);
  void on(entry& e, pair_refused& x, instant now);
  void on(entry& e, pair_receives& x, instant now);
  void on(entry& e, key_offered& x, instant now);
  void on(entry& e, key_answered& x, instant now);
  void on(entry& e, pair_stanza& x, instant now);
  void on(entry& e, pair_stanza_refused& x, instant now);
  void on(entry& e, stanza_sent& x, instant now);
  void on(entry& e, stanza_confirmed& x, instant now);
  void on(entry& e, resume_asked& x, instant now);
  void on(entry& e, session_lost& x, instant now);
  void on(entry& e, stream_ended& x, instant now);
  void forget(s2s_id id);
  /// Sessions of streams that were accepted and that nobody went on with by then.
  void end_sessions(steady_time until, instant now);
  void arm_sessions();
  void note_up(entry& e, const domain_pair& p, std::string_view how);

  // federation_routes.cpp
  lane& lane_of(const domain_pair& p);
  lane* find_lane(const domain_pair& p);
  bool take(const domain_pair& p, std::string text, stanza_ref ref, instant now);
  void flush(lane& l, instant now);
  void reach(lane& l, instant now);
  bool ask_stream(lane& l);
  void ask_keys(lane& l, instant now);
  void refuse_keys(lane& l, std::string_view condition, instant now);
  void answer(lane& l, question& q, dialback_type type, std::string_view condition, instant now);
  void fail(lane& l, stanza_error why, const std::string& words, instant now);
  void undeliverable(lane& l, queued q, const stanza_error& why);
  void lost(std::vector<unconfirmed> all, instant now);
  void requeue(lane& l, std::vector<queued> again);
  void lane_timeout(lane& l, instant now);
  void arm(lane& l, instant now);
  void release(lane& l, queued& q);
  static bool is_idle(const lane& l) {
    return l.stream == s2s_id::none && l.asked == s2s_id::none && !l.dial;
  }
  bool own(stanza_ref ref) const { return static_cast<std::uint64_t>(ref) >= first_own_ref; }

  // federation_dial.cpp
  void begin_dial(lane& l, instant now);
  void locate(lane& l, instant now);
  void attempt(lane& l, instant now);
  void opened(const io::opened& e, instant now);
  void attempt_failed(conn_id conn, io::fail why, const std::string& detail, instant now);
  void next_target(lane& l, std::string words, instant now);
  void end_dial(lane& l);
  void start_waiting(instant now);
  bool has_place() const;
  std::vector<std::string> promised(const server_dial& d, const server_target& t) const;

  static constexpr std::uint64_t sessions_key = 0;  ///< no stream has the number 0
  static constexpr std::uint64_t first_own_ref = std::uint64_t{1} << 63;

  federation_options options;
  dialback_keys keys;
  deadline_index& deadlines;
  id_source& ids;
  byte_account& memory;
  io_port& io;
  dns::resolver& dns;

  std::map<s2s_id, entry> streams;
  std::unordered_map<conn_id, s2s_id> by_conn;
  std::unordered_map<token, s2s_id> tokens;
  std::set<s2s_id> unproved;                  ///< accepted ones, the oldest first
  std::map<ip_address, unsigned> by_address;  ///< accepted ones; of IPv6 by /56
  std::deque<s2s_id> dirty;
  std::map<domain_pair, std::unique_ptr<lane>> lanes;
  std::unordered_map<std::uint64_t, lane*> by_number;
  std::unordered_map<conn_id, std::uint64_t> attempts;  ///< connections that are being made, with their lane
  std::map<dns::question, std::set<std::uint64_t>> asking;
  std::deque<std::uint64_t> waiting;  ///< lanes whose dial waits for a place
  unsigned dialling = 0, late_dials = 0, dialling_for_keys = 0;
  std::map<std::string, std::set<s2s_id>> outgoing;  ///< by the other domain
  timer_handle sessions_timer;
  std::map<std::string, s2s_session> sessions;  ///< of streams that were accepted, to be resumed
  std::uint64_t last_stream = 0, last_lane = 0, last_ref = first_own_ref;
  bool stopping = false;
  federation_stats counts;
  std::deque<federation_event> events;
  std::vector<log_record> log;
};

}  // namespace stox::xmpp
