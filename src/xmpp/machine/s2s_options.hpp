#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/prefix_set.hpp"
#include "base/redacted.hpp"
#include "xml/reader.hpp"
#include "xmpp/machine/fence.hpp"

namespace stox::xmpp {

/// Between whom stanzas go, each as it stands in JIDs (U-labels, lower case).
struct domain_pair {
  std::string local, remote;
  friend auto operator<=>(const domain_pair&, const domain_pair&) = default;
};

/// What proves a domain, the weakest first.
enum class proof : std::uint8_t {
  dialback,     ///< the DNS's word (XEP-0220)
  dane,         ///< TLSA records under DNSSEC (RFC 7712)
  certificate,  ///< one of an authority that we trust (RFC 6125, XEP-0178)
};

/// What we ask of another server.
struct s2s_policy {
  bool tls_required = true;
  proof least = proof::dialback;
};

struct federation_options {
  std::vector<std::string> served;  ///< our domains
  bool has_tls = true;              ///< there are certificates
  s2s_policy others;
  std::map<std::string, s2s_policy, std::less<>> peers;  ///< of domains with rules of their own
  /// Under which dialback keys are made; gateways that serve the same domain share it.
  redacted dialback_secret;

  xml::read_limits limits;
  /// Before anything is proved: nothing there is long.
  xml::read_limits early{std::size_t{10} * 1024, 8, 32, 128};
  std::size_t early_bytes = std::size_t{48} * 1024;  ///< of one stream, in all

  prefix_set never_connect;  ///< where no stream is opened to, whatever the DNS says
  unsigned max_unauthenticated = 500;
  unsigned max_streams_per_address = 20;              ///< of IPv6: per /56
  unsigned max_outgoing = 5000;                       ///< domains to which we have streams of our own
  unsigned max_connecting = 100;                      ///< domains to which connections are made at one time
  duration place_limit = std::chrono::seconds(2);     ///< how long such a domain counts there
  duration login_limit = std::chrono::seconds(30);    ///< for a new stream to prove a domain
  duration greeting_limit = std::chrono::seconds(8);  ///< for a server that we reached to offer what it has
  duration idle_limit = std::chrono::minutes(15);     ///< without a stanza the stream is closed
  duration close_limit = std::chrono::seconds(5);     ///< for the peer to close its side, too
  duration attempt_delay = std::chrono::milliseconds(250);  ///< until the next address is tried (RFC 8305 §5)
  duration resume_limit = std::chrono::minutes(2);          ///< a broken stream can be resumed (XEP-0198 §5)
  duration backoff_min = std::chrono::seconds(5);           ///< after a domain could not be reached
  duration backoff_max = std::chrono::minutes(5);
  std::size_t queue_stanzas = 1000;                ///< of one pair, while its stream is made
  std::size_t queue_bytes = std::size_t{4} << 20;  ///< likewise
  duration queue_time = std::chrono::seconds(15);  ///< how long one waits there
  fence::rules pings{64, std::chrono::milliseconds(100), std::chrono::seconds(15)};

  bool serves(std::string_view domain) const {
    return std::find(served.begin(), served.end(), domain) != served.end();
  }
  const s2s_policy& policy_of(std::string_view domain) const {
    const auto own = peers.find(domain);
    return own == peers.end() ? others : own->second;
  }
};

}  // namespace stox::xmpp
