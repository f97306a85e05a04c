#pragma once

#include <string>
#include <string_view>

#include "base/redacted.hpp"

namespace stox::xmpp {

/// Keys of server dialback by the rule of XEP-0185: HMAC-SHA256 under our secret of who receives, who
/// originates, and the stream. Whoever holds the secret can check a key without having kept it.
class dialback_keys {
 public:
  /// Servers that share a domain share the secret.
  explicit dialback_keys(const redacted& secret);
  std::string make(std::string_view receiving, std::string_view originating, std::string_view stream) const;
  bool holds(std::string_view key, std::string_view receiving, std::string_view originating,
             std::string_view stream) const;

 private:
  redacted hashed_;
};

}  // namespace stox::xmpp
