#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "sip/machine/context.hpp"
#include "sip/machine/next_hop.hpp"
#include "sip/wire/auth.hpp"
#include "sip/wire/message.hpp"

namespace stox::sip {

/// The challenges that one request has answered, so that no server keeps it going round.
struct answered_challenges {
  struct entry {
    target server;
    header kind{};  ///< of the challenge
    std::string realm;
    unsigned times = 0;
  };
  std::vector<entry> all;
  unsigned rounds = 0;  ///< how often the request was sent again for them
};

/// Digest as a client, RFC 3261 §22, RFC 7616, RFC 8760. Only realms that are configured are answered. The
/// nonce of each is kept for the server and the domain that it came from, so that later requests carry
/// credentials at once; a bounded number of them, the one unused for longest goes first.
class authenticator {
 public:
  explicit authenticator(context& ctx) : ctx_(ctx) {}

  /// Puts the credentials for what that server is known to want into a request to it, and takes out those for
  /// another one. True: the request is not what it was. `domain`, here and below: the served domain for which
  /// the request is sent.
  bool prepare(request& r, std::string_view domain, const target& server, instant now);
  /// Takes in the challenges of a 401 or 407. True: one of them has not been answered yet, and `prepare` now
  /// has the answer. A realm is answered once, and once more if only the nonce was stale (RFC 7616 §3.3).
  /// What is not answered is logged.
  bool challenged(const request& r, std::string_view domain, const response& refusal, const target& server,
                  answered_challenges& so_far);
  /// The request was not refused: takes a nextnonce, RFC 7616 §3.5.
  void accepted(const request& r, std::string_view domain, const response& answer, const target& server);
  void tidy(instant now);

 private:
  /// Whose request went where. A tenant's nonce is no other one's: their accounts differ.
  struct place {
    target server;
    std::string host;  ///< of the Request-URI
    std::string domain;
    friend bool operator==(const place&, const place&) = default;
  };
  /// What a server wanted there.
  struct protection {
    place where;
    header kind{};  ///< www_authenticate or proxy_authenticate
    digest_challenge challenge;
    std::uint32_t used = 0;   ///< how often the nonce was sent, nc
    std::string cnonce = {};  ///< one for each nonce: a -sess secret is made of both (RFC 7616 §3.4.2)
    steady_time last_used{};
    charge memory;
  };
  /// A nonce that is longer than this in a sum with realm and opaque is not kept, nor answered.
  static constexpr std::size_t max_challenge = 2048;
  static constexpr std::size_t most = 256;
  static constexpr duration kept_for = std::chrono::hours(1);  ///< without use
  /// Sends of one request, whatever realms the servers on its way have.
  static constexpr unsigned most_rounds = 8;

  const digest_account* account_of(std::string_view realm, std::string_view domain) const;
  static std::size_t cost_of(const place& where, const digest_challenge& c);
  void keep(protection p);
  bool take(const digest_challenge& c, header kind, const place& where, answered_challenges& so_far,
            std::string& why);

  context& ctx_;
  std::list<protection> known_;  ///< the last used one first
};

}  // namespace stox::sip
