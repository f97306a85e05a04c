#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/key_index.hpp"
#include "sip/machine/answered_branches.hpp"
#include "sip/machine/authenticator.hpp"
#include "sip/machine/client_tx.hpp"
#include "sip/machine/connections.hpp"
#include "sip/machine/context.hpp"
#include "sip/machine/locator.hpp"
#include "sip/machine/slot_table.hpp"
#include "sip/machine/target_plan.hpp"

namespace stox::sip {

/// The client side: a request goes to its targets in order, each with a transaction (branch) of its own,
/// within one budget of 64*T1. After the final response only what absorbs its copies is kept: of an INVITE
/// the whole call, of others the hashes of its branches.
class client_core {
 public:
  client_core(context& ctx, connections& conns, dns::resolver& dns)
      : ctx_(ctx), conns_(conns), locator_(dns, ctx.ids, ctx.memory), auth_(ctx), answered_(ctx.memory) {}

  client_tx request(outgoing out, instant now);
  void cancel(client_tx tx, instant now);

  void handle(response&& r, instant now);
  void tidy(instant now) { auth_.tidy(now); }
  void resolved(const dns::resolver::answered& a, instant now);
  void timeout(std::uint64_t number, instant now);
  /// The deadline of owner::answered has come.
  void expire_answered(instant now);
  /// The fate of a send; `part` is the attempt.
  void sent(std::uint64_t number, std::uint32_t part);
  void send_failed(std::uint64_t number, std::uint32_t part, io::fail why, std::string_view words,
                   instant now);
  /// The stream on which the transaction waited for a response is gone.
  void connection_lost(std::uint64_t number, conn_id conn, std::string_view why, instant now);

  void list(peer_table& out, instant now) const;

 private:
  /// A Via of ours as it is written, with the places of what responses are matched by.
  struct own_via {
    std::string text;
    std::uint16_t sent_by_at = 0, sent_by_size = 0, branch_at = 0, branch_size = 0;
    std::string_view sent_by() const { return std::string_view(text).substr(sent_by_at, sent_by_size); }
    std::string_view branch() const { return std::string_view(text).substr(branch_at, branch_size); }
  };
  /// The one that was made for a target before its attempt.
  struct prepared_via {
    transport via{};
    socket_address to;
    own_via made;
  };
  /// One branch.
  struct attempt {
    own_via via;
    target where;
    conn_id conn{};
    steady_time since{};           ///< when it was made
    token last{};                  ///< the send that may still wait for its stream
    std::uint32_t unreported = 0;  ///< sends whose fate was not told yet
    bool reused = false;           ///< on a stream that stood open before
    bool left = false;             ///< the kernel took it at least once
    bool refused = false;          ///< by 503, 401, 407 or a dead stream: it was not processed
    bool untouched() const { return !left && unreported == 0; }
    bool in_doubt() const { return !untouched() && !refused; }
  };
  struct call {
    explicit call(client_transaction f) : fsm(f) {}
    client_transaction fsm;  ///< of the last attempt
    sip::request request;
    std::string domain;  ///< the served one for which it is sent
    std::size_t request_bytes = 0;
    std::string method;
    std::optional<prepared_via> first_via;  ///< of the first target, whose branch the first attempt has
    target_plan plan;
    answered_challenges challenges;
    boost::container::small_vector<attempt, 1> attempts;
    std::string wire;
    std::string last_error;
    steady_time give_up_at{};
    std::optional<steady_time> try_until;
    bool finished = false;   ///< the final response was told
    bool hidden = false;     ///< a CANCEL of ours: nobody asked for its outcome
    bool timed_out = false;  ///< an attempt ended without a word
    bool cancel_wanted = false;
    bool cancelled = false;  ///< a CANCEL was sent
    bool reopened = false;   ///< a reused stream had died, and a new one was taken
    bool too_large = false;  ///< with the credentials that a server wants
    std::size_t max_message_bytes = 0;
    bool forced = false;  ///< onto a stream, instead of UDP, by its size
    timer_handle timer;
    charge memory;
    /// Whether nothing has left for the current target.
    bool untouched() const { return !attempts.empty() && attempts.back().untouched(); }
  };
  /// An ACK to a 2xx that waits for the DNS.
  struct waiting_ack {
    struct request request;
    std::string domain;
    charge memory;
  };
  struct place {
    std::uint64_t number = 0;
    std::uint32_t part = 0;
  };

  reach what_we_have() const;
  void begin(call& c, std::uint64_t number, located found, instant now);
  void acknowledge_success(outgoing out, instant now);
  void send_ack_once(struct request ack, std::string_view domain, const located& found, instant now);
  std::optional<std::string> make_plan(call& c, const std::vector<target>& targets) const;
  const advertised* name_for(const target& where, const listener* l) const;
  own_via via_for(const target& where, std::string_view branch) const;
  bool write_for(call& c, const attempt& a, instant now);
  bool start_attempt(call& c, std::uint64_t number, instant now);
  bool transmit(call& c, std::uint64_t number, instant now);
  bool withdraw(call& c);
  void release(call& c, std::uint64_t number);
  void doubt_stream(const call& c);
  void stream_failed(call& c, std::uint64_t number, instant now);
  void move_on(call& c, std::uint64_t number, instant now);
  void fail(call& c, std::uint64_t number, failure why, std::string detail);
  void provisional(call& c, const place& p, response&& r, instant now);
  void final(call& c, const place& p, response&& r, instant now);
  bool answer_challenge(call& c, const place& p, const response& r, instant now);
  void remember_answered(const call& c, instant now);
  void finish(call& c, const place& p, response&& r, instant now);
  void send_ack(const call& c, const attempt& a, const response& r, instant now);
  void send_cancel(call& c, instant now);
  void pause(const socket_address& server, const response& r, instant now);
  static std::size_t bytes_of(const struct request& r);
  /// The detail of failure::too_large, or nullopt.
  static std::optional<std::string> size_problem(const call& c, transport via, std::size_t size);
  static failure why_of(const call& c);
  static bool doubt_before(const call& c, std::size_t part);
  static std::uint64_t hash_of(std::string_view branch, std::string_view method);
  /// All that a response is matched by, once its transaction has ended.
  static std::uint64_t hash_of(std::string_view branch, std::string_view method, std::string_view sent_by);
  /// A response that belongs to no open call.
  void handle_stray(const response_match& head, std::string_view from, instant now);
  /// RFC 3261 §17.1.3: the attempt of that branch and CSeq method; number 0: none.
  place find(std::string_view branch, std::string_view method) const;
  void update(call& c, std::uint64_t number);
  void destroy(std::uint64_t number);

  context& ctx_;
  connections& conns_;
  /// Searches for ACKs are numbered apart from the calls, whose numbers have at most 60 bits.
  static constexpr std::uint64_t first_ack = std::uint64_t{1} << 60;
  std::uint64_t last_ack_ = 0;
  std::unordered_map<std::uint64_t, waiting_ack> acks_;
  locator locator_;
  server_health health_;
  authenticator auth_;
  slot_table<call> calls_;
  key_index<std::uint64_t> by_branch_;
  answered_branches answered_;
  timer_handle answered_timer_;
};

}  // namespace stox::sip
