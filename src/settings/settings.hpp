#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/net_address.hpp"
#include "base/redacted.hpp"

/// The configuration as plain values; config/ parses into them, docs and defaults stand in its option table.
namespace stox::settings {

struct listener {
  transport via{};
  socket_address at;
  friend bool operator==(const listener&, const listener&) = default;
};

/// Where all SIP requests go: "sip:192.0.2.1:5060;transport=tcp;lr", "sip:proxy.example.com;lr".
struct sip_route {
  std::string uri;               ///< as configured, for the Route header when it has ;lr
  std::string host;              ///< a name, or an address (IPv6 in brackets)
  std::uint16_t port = 0;        ///< 0: a name whose servers are found by RFC 3263
  std::optional<transport> via;  ///< always there with an address
  friend bool operator==(const sip_route&, const sip_route&) = default;
};

enum class message_type : std::uint8_t { chat, normal };

/// What a SIP client gets of which nothing is known, where receipts are asked for.
enum class first_form : std::uint8_t { plain, cpim };

/// [[gateway.domain]]: a served domain whose two names differ, or that has rules of its own. What it does not
/// say is as for all domains.
struct domain {
  std::string sip, xmpp;
  std::optional<std::vector<sip_route>> outbound_proxy = {};
  std::optional<std::vector<ip_prefix>> trusted_peers = {};
  std::optional<std::vector<std::string>> trusted_domains = {};
  std::optional<settings::message_type> message_type = {};
  std::optional<settings::first_form> first_form = {};
  std::optional<bool> late_notices = {};
  std::optional<unsigned> max_message_bytes = {};
  std::optional<unsigned> messages_per_sender = {}, queue_per_pair = {}, rate_per_domain = {};
  friend bool operator==(const domain&, const domain&) = default;
};

struct gateway {
  std::vector<std::string> sip_domains;
  std::vector<std::string> xmpp_domains;
  std::vector<settings::domain> domains;
  std::vector<std::string> contact;           ///< URIs of those who run it
  std::vector<std::string> block;             ///< whom nobody wants to hear, as it was written
  duration drain = std::chrono::seconds(10);  ///< what open work is given at the end
  friend bool operator==(const gateway&, const gateway&) = default;
};

/// What peers reach us by: a host for all transports or for one, there with a port where it is not the
/// listener's.
struct advertised {
  std::optional<transport> via;
  std::string host;  ///< a name, or an address (IPv6 in brackets), which then stands for its family only
  std::uint16_t port = 0;
  friend bool operator==(const advertised&, const advertised&) = default;
};

struct sip {
  std::vector<listener> listen;
  std::vector<advertised> advertise;      ///< the first one that fits; none: the listener's address
  std::vector<sip_route> outbound_proxy;  ///< tried in order
  std::vector<ip_prefix> trusted_peers;
  std::vector<std::string> trusted_domains;               ///< whoever proves one of them over TLS is trusted
  duration accept_wait = std::chrono::milliseconds(150);  ///< 0..250 ms: at most T1/2
  std::uint16_t accepted_code = 200;                      ///< 200 or 202
  duration hold = std::chrono::seconds(2);  ///< how long a MESSAGE waits for a link that is down
  bool global_failure = false;
  unsigned max_message_bytes = 1300;  ///< more: the way has congestion control to its end
  unsigned untrusted_answers = 10;    ///< per second and prefix
  unsigned max_connections = 1024;
  unsigned queue_per_pair = 100;  ///< MESSAGEs waiting behind the pending one of their pair
  unsigned queue_total = 50'000;
  friend bool operator==(const sip&, const sip&) = default;
};

struct component {
  std::string domain;
  std::string host;
  std::uint16_t port = 5347;
  redacted secret;
  std::string secret_file;  ///< where the secret was read from; empty: it stands in the configuration
  std::vector<std::string> reaches = {};  ///< the domains for which its server is the way; empty: all
  friend bool operator==(const component&, const component&) = default;
};

/// [[sip.credential]]: what challenges of that realm are answered with.
struct credential {
  std::string realm, user;
  redacted password;
  std::string password_file;  ///< where the password was read from; empty: it stands in the configuration
  std::optional<std::vector<std::string>> domains = {};  ///< SIP names for which it counts; none: for all
  friend bool operator==(const credential&, const credential&) = default;
};

enum class tls_policy : std::uint8_t {
  required,   ///< no stanza crosses without TLS
  preferred,  ///< only where the other server has none
};

/// The least that proves another server's domain, the strongest first.
enum class s2s_auth : std::uint8_t {
  pkix,      ///< a certificate of an authority that is trusted
  dane,      ///< that, or TLSA records under DNSSEC (RFC 7712)
  dialback,  ///< one of these, or the DNS's word alone (XEP-0220)
};

/// [[xmpp.s2s.peer]]: another server's domain for which other rules hold.
struct s2s_peer {
  std::string domain;
  std::optional<tls_policy> tls = {};
  std::optional<s2s_auth> auth = {};
  friend bool operator==(const s2s_peer&, const s2s_peer&) = default;
};

/// Loopback and link-local: no server of another domain is there, but much that trusts whoever can reach it.
inline std::vector<ip_prefix> own_surroundings() {
  std::vector<ip_prefix> out;
  for (const auto* text : {"127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10"})
    out.push_back(*ip_prefix::parse(text));
  return out;
}

/// [xmpp.s2s]
struct s2s {
  /// Federation is on: it is configured, or there is no component. If not, nothing here counts; both lists
  /// are then empty, or after a reload what is still bound.
  bool enabled = false;
  std::vector<listener> listen;      ///< transport::tcp, with STARTTLS
  std::vector<listener> tls_listen;  ///< transport::tls: from the first byte (XEP-0368)
  tls_policy tls = tls_policy::required;
  s2s_auth auth = s2s_auth::dialback;
  /// Where no stream is opened to, whatever the DNS says.
  std::vector<ip_prefix> never_connect = own_surroundings();
  unsigned max_streams = 10'000;                    ///< accepted ones
  unsigned max_unauthenticated = 500;               ///< of these, who have proved nothing yet
  unsigned max_streams_per_address = 20;            ///< of these, of one address; of IPv6: of one /56
  unsigned max_connecting = 100;                    ///< connections that we are about to make, at one time
  duration login_limit = std::chrono::seconds(30);  ///< for a new stream to prove a domain
  duration idle_limit = std::chrono::minutes(15);   ///< without a stanza: the stream is closed
  unsigned queue_stanzas = 1000;                    ///< for one domain, while its stream is made
  std::uint64_t queue_bytes = 4ull << 20;           ///< likewise
  duration queue_time = std::chrono::seconds(15);   ///< how long one waits there
  std::vector<s2s_peer> peers;
  friend bool operator==(const s2s&, const s2s&) = default;
};

struct chat {
  settings::message_type message_type = settings::message_type::chat;
  bool xhtml = false;
  bool late_notices = true;
  friend bool operator==(const chat&, const chat&) = default;
};

enum class tls_version : std::uint8_t { v1_2, v1_3 };

/// [[tls.certificate]], with what its files held when the configuration was read.
struct certificate {
  std::vector<std::string> domains;
  std::string chain, key;  ///< the files
  std::string chain_pem;
  redacted key_pem;
  wall_time not_after{};
  friend bool operator==(const certificate&, const certificate&) = default;
};

struct tls {
  std::string ca_file;  ///< empty: the system's authorities
  std::string ca_pem;   ///< what the file held
  tls_version min_version = tls_version::v1_2;
  unsigned max_handshakes = 512;             ///< of accepted connections at one time
  unsigned max_handshakes_per_network = 64;  ///< of strangers of one /24 or /56
  std::vector<settings::certificate> certificates;
  friend bool operator==(const tls&, const tls&) = default;
};

struct dns {
  std::vector<socket_address> servers;  ///< empty: the system's
  std::string trust_anchor = {};        ///< file with the root's keys; empty: no DNSSEC validation
  friend bool operator==(const dns&, const dns&) = default;
};

struct store {
  std::string path = ":memory:";
  friend bool operator==(const store&, const store&) = default;
};

/// Which component links must be up for the gateway to say that it is ready.
enum class ready_when : std::uint8_t { any, all };

struct admin {
  std::string listen;   ///< HOST:PORT; empty: no HTTP
  std::string control;  ///< path of the control socket; empty: none
  ready_when ready = ready_when::any;
  friend bool operator==(const admin&, const admin&) = default;
};

struct limits {
  std::uint64_t memory = 512ull << 20;
  /// Above what a server lets its users send, escaped anew: 512 kB of apostrophes become 3 MB.
  std::uint64_t stanza_bytes = std::uint64_t{4} << 20;
  unsigned messages_per_sender = 200;  ///< open and waiting, of one bare JID
  /// Messages a minute; 0: no limit. A silence of `rate_burst` is saved up.
  unsigned rate_per_sender = 600, rate_per_pair = 300, rate_per_domain = 0;
  duration rate_burst = std::chrono::minutes(1);
  friend bool operator==(const limits&, const limits&) = default;
};

struct log {
  log_level level = log_level::info;
  friend bool operator==(const log&, const log&) = default;
};

struct all {
  settings::gateway gateway;
  settings::sip sip;
  std::vector<settings::credential> credentials;  ///< [[sip.credential]]
  settings::tls tls;
  std::vector<settings::component> components;  ///< [[xmpp.component]]
  settings::s2s s2s;                            ///< [xmpp.s2s]
  settings::chat chat;
  settings::dns dns;
  settings::store store;
  settings::admin admin;
  settings::limits limits;
  settings::log log;
  friend bool operator==(const all&, const all&) = default;
};

}  // namespace stox::settings
