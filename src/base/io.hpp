#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/net_address.hpp"
#include "base/peer_identity.hpp"

/// The boundary between the core and the rim: every byte that crosses it crosses as one of these values.
namespace stox {

/// A stream connection, or a UDP listener. The core numbers the connections that it opens (`first_core_conn`
/// upwards); the rim numbers listeners and accepted connections (below). An id is never used again.
enum class conn_id : std::uint64_t { none = 0 };
inline constexpr std::uint64_t first_core_conn = std::uint64_t{1} << 62;

/// Names one `send`, so that its fate can be told. `none` asks for no report of success; failure of a
/// connection tells the rest.
enum class token : std::uint64_t { none = 0 };

/// What a connection is for, hence which endpoint owns its bytes.
enum class conn_use : std::uint8_t { sip, component, s2s };

namespace io {

// ---- actions: the core asks, the rim does ----

/// Writes `bytes`; `to` only counts for a UDP listener. Answered by sent{tok} once the kernel took all of it,
/// or by send_failed{tok}, exactly once, unless tok is none.
struct send {
  conn_id conn{};
  token tok{};
  socket_address to;
  std::string bytes;
};

/// Connects a stream. Answered by opened or closed.
struct open {
  conn_id conn{};
  conn_use use{};
  transport via{};
  std::string host;   ///< name or literal; empty: `to` is meant
  socket_address to;  ///< port always; ip when host is empty
  /// TLS: the name that is asked for (SNI, RFC 6066 §3), and the one of ours that the certificate which we
  /// show should prove. Neither is an address.
  std::string server_name = {}, own_name = {};
  std::string alpn = {};  ///< the protocol that is asked for over TLS (RFC 7301); empty: none
};

/// Makes TLS of an open TCP connection, after what is queued has left; what is sent from now on waits for it.
/// We are the client where we opened. Answered by secured or closed. What the peer sent before is told as
/// received; whether there may be any is the core's business.
struct start_tls {
  conn_id conn{};
  std::string server_name = {}, own_name = {};  ///< as in open
};

/// Writes out what is queued, then closes. Answered by closed.
struct close {
  conn_id conn{};
};

/// Names one question to the DNS.
enum class lookup_id : std::uint64_t { none = 0 };

/// The types of records that are asked for, by their numbers in the protocol.
enum class record_type : std::uint16_t {
  a = 1,       ///< RFC 1035
  aaaa = 28,   ///< RFC 3596
  srv = 33,    ///< RFC 2782
  naptr = 35,  ///< RFC 3403
  tlsa = 52,   ///< RFC 6698
};
std::string_view to_string(record_type t);

/// Asks the DNS. Answered by looked_up, once, unless it is cancelled first.
struct lookup {
  lookup_id id{};
  record_type type{};
  std::string name;  ///< A-labels, without the last dot
};

/// Nobody waits for that answer any more.
struct cancel_lookup {
  lookup_id id{};
};

using action = std::variant<send, open, start_tls, close, lookup, cancel_lookup>;

// ---- events: the rim tells, the core reacts ----

enum class fail : std::uint8_t {
  peer_closed,  ///< orderly end by the peer
  refused,      ///< nobody listens there
  unreachable,  ///< no route, or an ICMP error
  timed_out,    ///< no connection within the connect limit
  reset,        ///< broken in mid-stream
  overflow,     ///< the connection's write queue is full
  not_found,    ///< the host name has no address
  closed_here,  ///< we asked for it
  tls,          ///< no secure connection came about, or it broke
};
std::string_view to_string(fail f);

struct listening {
  conn_id conn{};
  transport via{};
  socket_address local;
  conn_use use = conn_use::sip;
};
struct accepted {
  conn_id conn{};
  conn_use use{};
  transport via{};
  socket_address local, peer;
  std::optional<peer_identity> identity = {};  ///< always there over TLS, also where the peer proved nothing
};
struct opened {
  conn_id conn{};
  socket_address local, peer;
  std::optional<peer_identity> identity = {};
};
/// What start_tls asked for is done.
struct secured {
  conn_id conn{};
  peer_identity identity;
};
/// The connection is gone. Every token sent on it that was not reported before has been reported by
/// send_failed.
struct closed {
  conn_id conn{};
  fail why{};
  std::string detail = {};  ///< of fail::tls: OpenSSL's words
};
/// `bytes` is borrowed: valid until handle() returns. For UDP one datagram, `from` its source, `to` the
/// listener's address.
struct received {
  conn_id conn{};
  socket_address from;
  std::string_view bytes;
};
struct sent {
  token tok{};
};
struct send_failed {
  token tok{};
  fail why{};
};
/// The connection's write queue went above its high-water mark / below its low one.
struct blocked {
  conn_id conn{};
};
struct writable {
  conn_id conn{};
};

enum class lookup_status : std::uint8_t {
  found,
  no_data,  ///< the name is there, such records are not
  no_name,  ///< there is no such name
  failed,   ///< no answer, or one that cannot be trusted
};
std::string_view to_string(lookup_status s);

struct looked_up {
  lookup_id id{};
  lookup_status status{};
  std::uint32_t ttl = 0;          ///< seconds for which the answer, also a negative one, may be kept
  std::vector<std::string> data;  ///< of each record, with its names uncompressed
  bool secure = false;            ///< DNSSEC proves it (RFC 4035 §4.3)
};

using event = std::variant<listening, accepted, opened, secured, closed, received, sent, send_failed, blocked,
                           writable, looked_up>;

}  // namespace io

/// The bits of a number that say whose connection or token it is.
inline std::uint64_t mark_of(conn_use use) { return static_cast<std::uint64_t>(use) << 56; }

/// Where endpoints put what the rim is to do, in order; it also numbers connections and tokens, with the
/// owner in the number, so that an answer finds the endpoint it belongs to.
class io_port {
 public:
  template <class Action>
  void push(Action a) {
    actions_.emplace_back(std::move(a));
  }
  std::vector<io::action>& actions() { return actions_; }
  conn_id new_conn(conn_use use) { return conn_id{first_core_conn | mark_of(use) | ++last_conn_}; }
  token new_token(conn_use use) { return token{mark_of(use) | ++last_token_}; }

 private:
  std::vector<io::action> actions_;
  std::uint64_t last_conn_ = 0;
  std::uint64_t last_token_ = 0;
};

/// Whose connection or token it is; of the rim's numbers likewise (listeners, accepted connections).
inline conn_use use_of(conn_id c) {
  return static_cast<conn_use>(static_cast<std::uint64_t>(c) >> 56 & 0x3F);
}
inline conn_use use_of(token t) { return static_cast<conn_use>(static_cast<std::uint64_t>(t) >> 56 & 0x3F); }

}  // namespace stox
