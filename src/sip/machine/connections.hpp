#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/io.hpp"
#include "sip/machine/context.hpp"
#include "sip/machine/slot_table.hpp"
#include "sip/machine/stream_framer.hpp"

namespace stox::sip {

struct listener {
  conn_id conn{};
  transport via{};
  socket_address local;
};

/// What the end of a connection takes with it.
struct connection_loss {
  std::vector<token> unsent;         ///< sends that never reached the rim
  std::vector<std::uint64_t> users;  ///< client transactions that wait for a response on it
  std::string why;
};

/// The transport layer, RFC 3261 §18: listeners, and streams with their framing, reuse and limits. Streams
/// that the rim closed are forgotten; those that we close take no more bytes in either direction until the
/// rim confirms.
///
/// A stranger's stream is one that an untrusted peer opened. Strangers together get a quarter of the places
/// and a small total of bytes, each gets one answer and some seconds, and what becomes of it is counted and
/// told at debug level only: whatever they do, trusted peers have room and the log stays readable.
///
/// A TLS stream that we open is for one domain, which its server has to prove (RFC 5922 §7.3) before anything
/// is sent: two domains at one address never share a stream. One that a trusted peer opened is used for
/// requests to the domains that he proved, if he offers it (RFC 5923).
class connections {
 public:
  explicit connections(context& ctx) : ctx_(ctx) {}

  void listening(const io::listening& e);
  void accepted(const io::accepted& e, instant now);
  void opened(const io::opened& e, instant now);
  connection_loss closed(const io::closed& e);
  void blocked(conn_id conn, bool is_blocked);
  /// The number is the one of a timer under owner::stream.
  void timeout(std::uint64_t number, instant now);

  // ---- reading a stream ----
  /// False: not a stream that is read (unknown, or being closed).
  bool begin_read(conn_id conn, std::string_view bytes, instant now);
  frame next_frame(conn_id conn);
  void end_read(conn_id conn, instant now);

  /// RFC 5923 §8: a request on that stream, which may offer it for requests the other way by "alias" in its
  /// Via.
  void offered(conn_id conn, const request& r);

  // ---- sending ----
  /// A stream to that target: one that we opened earlier or were offered, or a new one. None when there may
  /// be no more of them. `domain`: the served one for which something is sent; empty: none.
  conn_id connect(const target& to, std::string_view domain, instant now);
  /// Sends now, or once the stream is open and takes bytes again. False: the stream is gone, nothing was
  /// sent.
  bool send(conn_id conn, token tok, std::string bytes, instant now);
  void send_datagram(conn_id conn, const socket_address& to, token tok, std::string bytes);
  /// Forgets a send that still waits; false when it does not.
  bool withdraw(conn_id conn, token tok);
  void close(conn_id conn);
  /// Closes a stream for what its peer did or left undone, and says so.
  void cut(conn_id conn, std::string_view why);
  void add_user(conn_id conn, std::uint64_t number);
  void remove_user(conn_id conn, std::uint64_t number);

  // ---- asking ----
  const listener* find_listener(conn_id conn) const;
  /// The listener to send a request from: of that transport and address family, loopback for loopback.
  const listener* choose_listener(transport via, const ip_address& to) const;
  /// Its ends, or nullopt for no stream (or one that is being closed).
  struct ends {
    transport via{};
    socket_address local, peer;
  };
  std::optional<ends> find_stream(conn_id conn) const;
  /// Whether its peer is trusted by its address or by what it proved.
  bool is_trusted(conn_id conn) const;
  /// Trust has changed: streams that trusted peers opened end where their peer is trusted no longer.
  void review_trust();
  /// What TLS peers proved was proved under authorities that may count no longer: nothing is sent to them
  /// over streams of before, and those that are trusted by proof alone end.
  void forget_proofs();
  /// False also for one that is not known.
  bool is_open(conn_id conn) const;
  /// New requests do not use it any more.
  void end_reuse(conn_id conn);
  /// Likewise if nothing came over it after that.
  void end_reuse_if_silent(conn_id conn, steady_time since);
  /// The domains that its peer's certificate is for.
  std::vector<std::string> proven(conn_id conn) const;
  const std::vector<listener>& listeners() const { return listeners_; }
  void list(peer_table& out) const;

 private:
  struct waiting_send {
    token tok{};
    std::string bytes;
  };
  /// Where a stream may be used again: for TLS with the domain that was proved, and the name of what we
  /// showed there, since to the peer that is who speaks.
  using reuse_key = std::tuple<transport, socket_address, std::string, std::string>;
  struct stream {
    conn_id conn{};
    transport via{};
    socket_address local, peer;
    std::string domain;                ///< TLS, opened by us: what the server has to prove
    std::string shown;                 ///< TLS, opened by the peer: the name of what it was shown
    std::vector<std::string> proven;   ///< the domains that the peer's certificate is for
    std::vector<reuse_key> reused_as;  ///< its entries in reusable_
    std::string why_closed;            ///< where it was us who closed it for a reason
    bool outgoing = false;
    bool stranger = false;
    bool open = false;
    bool blocked = false;
    bool closing = false;
    stream_framer framer;
    std::optional<steady_time> begun;   ///< since when a message is incomplete
    steady_time last_used{};            ///< in either direction
    steady_time last_heard{};           ///< when something came
    std::optional<steady_time> end;     ///< a stranger's
    duration ping_after{};              ///< of silence; 0: never
    std::optional<steady_time> pinged;  ///< since when a pong is awaited
    std::optional<steady_time> last_ping;
    bool pongs = false;            ///< it has answered a ping before
    std::size_t answer_bytes = 0;  ///< a stranger's: given to the rim, which may hold them until it ends
    std::vector<waiting_send> waiting;
    std::size_t waiting_bytes = 0;
    std::unordered_set<std::uint64_t> users;
    timer_handle timer;
    std::optional<steady_time> armed;
    charge memory;
  };
  stream* find(conn_id conn);
  const stream* find(conn_id conn) const;
  stream& add(conn_id conn, transport via, instant now);
  std::string our_name(const target& to, std::string_view domain) const;
  std::string name_shown_to(const peer_identity& who) const;
  bool is_trusted(const ip_address& ip, const std::vector<std::string>& proven) const;
  static std::vector<std::string> proven_by(const std::optional<peer_identity>& who);
  /// False: it is not the server of the domain for which we went there, and that was told.
  bool prove(stream& s, const std::optional<peer_identity>& who);
  static std::size_t names_size(const stream& s);
  void reuse(stream& s, reuse_key key);
  void end_reuse(stream& s);
  void flush(stream& s);
  void close(stream& s);
  void cut(stream& s, std::string_view why, log_level level);
  bool make_room();
  bool refuse_stranger() const;
  void draw_ping(stream& s);
  std::optional<steady_time> ping_due(const stream& s) const;
  void keep_alive(stream& s, instant now);
  void update(stream& s);
  steady_time due(const stream& s) const;

  context& ctx_;
  std::vector<listener> listeners_;
  slot_table<stream> streams_;
  std::unordered_map<conn_id, std::uint64_t> by_conn_;
  std::map<reuse_key, conn_id> reusable_;
  std::size_t strangers_ = 0;  ///< streams, those that are being closed included
  std::size_t stranger_bytes_ = 0;
};

}  // namespace stox::sip
