#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "base/io.hpp"
#include "dns/record.hpp"

/// What `stoxctl doctor DOMAIN` looks at, and what it saw.
namespace stox::doctor {

/// Who is examined, and how.
struct subject {
  std::string domain;  ///< U-labels, as a JID has it
  std::string ascii;   ///< the same in A-labels, as the DNS, SIP and certificates have it
  std::string from;    ///< who we say we are, in U-labels
  std::string from_ascii;
  bool xmpp = true, sip = true;
  bool shows_certificate = false;  ///< whether we have one: without it nobody offers us SASL EXTERNAL
  duration patience = std::chrono::seconds(5);  ///< for each step
};

/// How far a connection came.
enum class stage : std::uint8_t {
  connecting,
  greeting,  ///< XMPP: in clear, until STARTTLS is agreed on
  securing,
  asking,  ///< XMPP: for the features over TLS; SIP: for the answer to OPTIONS
  done,
};

/// What became of one connection, and why it ended early.
struct attempt {
  stage reached = stage::connecting;
  std::optional<io::fail> why;            ///< unless done; none: see detail
  std::string detail;                     ///< OpenSSL's words, or the peer's, made safe
  std::optional<peer_identity> identity;  ///< over TLS
};

/// A server of the XMPP domain, at one of its addresses.
struct xmpp_target {
  std::string host;
  socket_address at;
  bool direct = false;  ///< TLS from the first byte, XEP-0368
  friend bool operator==(const xmpp_target&, const xmpp_target&) = default;
};

struct xmpp_visit {
  xmpp_target to;
  attempt went;
  std::string stream_error;                                 ///< a condition of RFC 6120 §4.9.3, or empty
  bool starttls = false;                                    ///< offered in clear
  bool external = false;                                    ///< SASL EXTERNAL
  bool dialback = false, bidi = false, resumption = false;  ///< XEP-0220, XEP-0288, XEP-0198
};

struct sip_visit {
  transport via{};
  socket_address at;
  attempt went;
  std::uint16_t status = 0;  ///< of the answer to OPTIONS
};

using dns_answers = std::map<dns::question, dns::answer>;

struct facts {
  dns_answers dns;
  std::vector<xmpp_visit> xmpp;
  bool xmpp_by_address = false;  ///< there are no SRV records: RFC 6120 §3.2.2's way out
  std::vector<sip_visit> sip;
};

}  // namespace stox::doctor
