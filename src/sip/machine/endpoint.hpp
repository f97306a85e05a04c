#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/log.hpp"
#include "dns/resolver.hpp"
#include "sip/machine/next_hop.hpp"
#include "sip/wire/auth.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"

namespace stox::sip {

/// Numbers of transactions, given by the endpoint; flows keep these, never pointers.
enum class server_tx : std::uint64_t { none = 0 };
enum class client_tx : std::uint64_t { none = 0 };

/// Base timers, RFC 3261 §17.1.1.1; all others follow from them.
struct timers {
  duration t1 = std::chrono::milliseconds(500);
  duration t2 = std::chrono::seconds(4);
  duration t4 = std::chrono::seconds(5);
};

struct peer_info {
  transport via{};
  socket_address remote, local;
  conn_id conn{};
  bool trusted = false;                  ///< by its address, or by the domain that its certificate proves
  std::vector<std::string> proven = {};  ///< the domains that its certificate is for, RFC 5922
};

// ---- what flows hear ----

/// A request that passed every check of admission.hpp. It must be answered by `respond`, exactly once.
struct request_received {
  server_tx tx{};
  sip::request request;
  essentials head;
  sip::uri request_uri;
  peer_info peer;
};
/// The INVITE of this transaction was cancelled: answer it with 487.
struct request_cancelled {
  server_tx tx{};
};
/// A final response, or a provisional one other than 100. After a final one (and only then) the number is
/// void.
struct response_received {
  client_tx tx{};
  sip::response response;
  unsigned challenges = 0;  ///< answered on the way: each took one more CSeq
};
enum class failure : std::uint8_t {
  timed_out,  ///< no final response within the budget of 64*T1
  transport,  ///< every target refused or broke
  not_found,  ///< no such domain, or no server for SIP there that we could talk to
  no_answer,  ///< the DNS did not answer, so there is no server to ask
  held_back,  ///< every target has asked for a pause (503 with Retry-After): nothing was sent
  too_large,  ///< a MESSAGE is longer than its way may take (with the credentials asked for), RFC 3428 §8
};
/// No final response will come. The number is void.
struct request_failed {
  client_tx tx{};
  failure why{};
  bool may_have_arrived = false;  ///< it left us at least once: what became of it is not known
  std::string detail;             ///< for the sender and the log
  unsigned challenges = 0;        ///< as in response_received
};
using event = std::variant<request_received, request_cancelled, response_received, request_failed>;

// ---- what flows say ----

struct outgoing {
  sip::request request;  ///< without Via and Max-Forwards' decrement: the endpoint adds Via (and Max-Forwards
                         ///< 70 if absent)
  /// Tried one after the other; each is located by RFC 3263, which asks the DNS only about names.
  std::vector<destination> hops;
  std::string domain = {};  ///< the served domain for which it is sent: its credentials and certificate count
  /// The longest MESSAGE, in bytes. More than 1300 is the operator's word that the way has congestion control
  /// at every hop; such a one goes over TCP or TLS (RFC 3428 §8).
  std::size_t max_message_bytes = 1300;
};
struct reply {
  std::uint16_t status = 0;
  std::string reason;   ///< empty: the default one
  header_list headers;  ///< beyond Via, From, To, Call-ID, CSeq, which are the request's
  std::string body;
};

/// What peers reach us by.
struct advertised {
  std::optional<transport> via;  ///< none: all
  std::string host;              ///< a name, or an address, which then stands for its family only
  std::uint16_t port = 0;        ///< 0: the listener's
};

/// What challenges of one realm are answered with.
struct credential {
  digest_account account;
  std::vector<std::string> domains = {};  ///< A-labels: for requests of these alone; empty: of all others
};

/// A certificate of ours.
struct own_certificate {
  std::string name;                  ///< what io::open names it by
  std::vector<std::string> domains;  ///< that it is for; A-labels
};

struct endpoint_options {
  /// Peers that are believed about some domain at least; about which one is the flow's question.
  std::vector<ip_prefix> trusted_peers;
  /// A TLS peer whose certificate proves one of these domains (RFC 5922 §7) is trusted like those; A-labels.
  std::vector<std::string> trusted_domains;
  /// Domains whose users live on SIP; a Request-URI there is not ours to serve (404).
  std::vector<std::string> sip_domains;
  /// The only XMPP domains (by their SIP names) that a Request-URI may name; empty: any that is not in
  /// sip_domains.
  std::vector<std::string> xmpp_domains;
  /// Host and port for Via and Contact, the first one that fits; none: the listener's address.
  std::vector<advertised> advertise;
  /// In the order in which the first one is looked for. Where no advertised name stands for TLS, a stream
  /// that we open shows the one for the served domain of its requests, else the first.
  std::vector<own_certificate> certificates;
  std::vector<sip::method> methods = {method::message, method::options};  ///< for Allow and 405
  std::vector<std::string> accept = {"text/plain"};                       ///< for Accept and 415; lower case
  std::vector<std::string> accept_encodings;  ///< that a flow can undo, beside identity; lower case
  std::vector<std::string> supported;         ///< option tags; others in Require: 420
  /// What challenges are answered with, one for each realm and domain; others end their request (RFC 3261
  /// §22).
  std::vector<credential> credentials;
  std::string product = "stox";  ///< Server and User-Agent; empty: none
  parse_limits limits;
  sip::timers timers;
  unsigned untrusted_answers_per_second = 10;  ///< per /24 or /56 prefix, UDP; beyond it silence
  std::size_t max_connections = 1024;
  duration stranger_time = std::chrono::seconds(5);    ///< a stranger's stream ends by then, heard or not
  std::size_t stranger_bytes = std::size_t{1} << 20;   ///< of answers that strangers' streams have not taken
  duration tcp_idle = std::chrono::minutes(5);         ///< an idle connection is closed
  duration tcp_incomplete = std::chrono::seconds(10);  ///< a message begun must be whole by then
  /// RFC 5626 §4.4.1: a stream that we opened and that is silent for about that long (80 to 100 % of it) is
  /// pinged. A peer that is known to answer has that long for it.
  duration ping_after = std::chrono::minutes(2);
  duration pong_within = std::chrono::seconds(10);
  duration retry_after = std::chrono::seconds(30);  ///< told with 480/503
  /// A target that answers 503 with Retry-After gets no further requests for that time, but no longer than
  /// this: a mistake of its must not silence us for hours.
  duration max_pause = std::chrono::minutes(1);
  duration penalty = std::chrono::seconds(30);  ///< how long a target that failed is tried last
  duration try_each = std::chrono::seconds(6);  ///< per target where a further one exists; 64*T1 over all
};

/// What happened, as numbers: the rim shows them as counters.
struct endpoint_stats {
  std::uint64_t garbage = 0;  ///< datagrams or streams that were no SIP and could not be answered
  std::uint64_t requests = 0, responses = 0;  ///< received and parsed
  std::uint64_t retransmissions_in = 0, retransmissions_out = 0;
  std::uint64_t rejected[700] = {};   ///< requests that admission refused, by the code of the answer
  std::uint64_t suppressed = 0;       ///< answers to untrusted peers withheld by the rate limit or size rule
  std::uint64_t stray_responses = 0;  ///< matched no transaction
  std::uint64_t challenges_answered = 0, challenges_unanswered = 0;  ///< 401 and 407 to requests of ours
  std::uint64_t server_transactions = 0, client_transactions = 0, connections = 0;  ///< now
  std::uint64_t strangers = 0;          ///< now: those of the connections that untrusted peers opened
  std::uint64_t strangers_refused = 0;  ///< closed at once, because they have their share of the places
  std::uint64_t strangers_cut = 0;      ///< closed before they said anything that could be answered
  std::uint64_t unproven = 0;           ///< TLS servers that did not prove the domain for which we went there
  std::uint64_t pings = 0;              ///< sent to keep streams alive
};

/// A SIP server or client as the endpoint knows it now, for people.
struct peer_status {
  transport via{};
  socket_address at;            ///< port 0: clients, whose streams come from any
  std::size_t streams = 0;      ///< open to it, or from it
  std::size_t stalled = 0;      ///< of those: it takes no more bytes for now
  std::size_t requests = 0;     ///< ours that it has not answered
  duration penalty{}, pause{};  ///< what is left: it is tried last; it asked to be left alone
  std::uint64_t failures = 0;   ///< attempts that failed, since it is remembered
  std::string last_error;
};

using peer_table = std::map<std::pair<transport, socket_address>, peer_status>;

/// The whole SIP side over bytes: connections, framing, parsing, admission, transactions. Sans-I/O: it acts
/// through the io_port, keeps its deadlines in the engine's index under timer_owner::sip, and is used from
/// one thread. References outlive it.
class endpoint {
 public:
  endpoint(endpoint_options options, deadline_index& deadlines, id_source& ids, byte_account& memory,
           io_port& io, dns::resolver& dns);
  ~endpoint();
  endpoint(const endpoint&) = delete;
  endpoint& operator=(const endpoint&) = delete;

  /// New options for new work; open transactions keep what they have.
  void configure(endpoint_options options);
  /// The authorities have changed, in the rim: what TLS peers proved before counts no longer.
  void forget_proofs();
  /// Whether OPTIONS is answered 200 (true) or 503 + Retry-After (false, as at the start), and (while
  /// draining) new requests 503.
  void set_ready(bool ready);
  void set_draining(bool draining);
  /// Requests from there get the answers of a stranger, 403, whoever trusts them; until `unblock`.
  void block(const ip_prefix& source);
  void unblock(const ip_prefix& source);

  void handle(const io::event& e, instant now);
  void handle_timeout(std::uint64_t key, instant now);
  /// Forgets nonces that nobody used for long; called about once a minute.
  void tidy(instant now);
  /// An answer that the resolver gave.
  void resolved(const dns::resolver::answered& a, instant now);

  /// Sends the request to its hops' targets in order, those that failed lately last, within one budget of
  /// 64*T1. A later target gets the same Call-ID, tag and CSeq with a new branch; 482 from it then means that
  /// an earlier one did receive it, which is told as request_failed{timed_out, may_have_arrived}. Needs at
  /// least one hop. A 401 or 407 is answered where there is a credential for its realm: with the next CSeq,
  /// to the same server, within the same budget (RFC 3261 §22.2). P-Asserted-Identity is left out unless
  /// every target is trusted (RFC 3325 §5). An ACK (to a 2xx) goes once to the first target, is nobody's
  /// transaction and gives `none`.
  client_tx request(outgoing out, instant now);
  /// Answers; a provisional status other than 100 is for INVITE only (RFC 4320 §4.1). A second final answer
  /// is ignored.
  /// A 2xx to an INVITE is repeated here until its ACK comes or 64*T1 passed. A 408 to another request goes
  /// as 504 (RFC 4320 §4.2). A request that got no final answer for 64*T1 is forgotten: nobody would hear one
  /// any more.
  void respond(server_tx tx, const reply& r, instant now);
  /// CANCELs an INVITE (RFC 3261 §9.1); the answer to the INVITE tells the outcome.
  void cancel(client_tx tx, instant now);

  /// The next thing to tell a flow, or nullptr; the caller may take from it what it wants. It is there until
  /// the next call of poll(), whatever else is called before. Drain after every call above.
  event* poll();
  /// Log values since the last call.
  std::vector<log_record> take_log();
  const endpoint_stats& stats() const;
  /// Looks through all that is open.
  std::vector<peer_status> peers(instant now) const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace stox::sip
