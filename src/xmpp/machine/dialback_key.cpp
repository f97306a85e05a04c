#include "xmpp/machine/dialback_key.hpp"

#include "crypto/hash.hpp"

namespace stox::xmpp {

dialback_keys::dialback_keys(const redacted& secret)
    : hashed_(crypto::hex(crypto::sha256(secret.reveal()))) {}

std::string dialback_keys::make(std::string_view receiving, std::string_view originating,
                                std::string_view stream) const {
  std::string text(receiving);
  text.append(" ").append(originating).append(" ").append(stream);
  return crypto::hex(crypto::hmac_sha256(hashed_.reveal(), text));
}

bool dialback_keys::holds(std::string_view key, std::string_view receiving, std::string_view originating,
                          std::string_view stream) const {
  return crypto::equal_constant_time(key, make(receiving, originating, stream));
}

}  // namespace stox::xmpp
