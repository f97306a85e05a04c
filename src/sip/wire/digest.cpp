#include "sip/wire/digest.hpp"

#include <array>

#include "base/text.hpp"
#include "crypto/hash.hpp"

namespace stox::sip {

namespace {

using namespace std::string_view_literals;
constexpr std::array algorithm_names = {"MD5"sv,          "MD5-sess"sv,    "SHA-256"sv,
                                        "SHA-256-sess"sv, "SHA-512-256"sv, "SHA-512-256-sess"sv};

std::string hash(digest_algorithm a, std::string_view data) {
  switch (a) {
    case digest_algorithm::md5:
    case digest_algorithm::md5_sess: return crypto::hex(crypto::md5(data));
    case digest_algorithm::sha256:
    case digest_algorithm::sha256_sess: return crypto::hex(crypto::sha256(data));
    case digest_algorithm::sha512_256:
    case digest_algorithm::sha512_256_sess: return crypto::hex(crypto::sha512_256(data));
  }
  return {};
}

template <class... Parts>
std::string join(std::string_view first, Parts... more) {
  std::string out(first);
  ((out += ':', out += more), ...);
  return out;
}

}  // namespace

std::optional<digest_algorithm> parse_digest_algorithm(std::string_view token) {
  for (std::size_t i = 0; i < algorithm_names.size(); ++i) {
    if (text::iequals(algorithm_names[i], token)) return static_cast<digest_algorithm>(i);
  }
  return std::nullopt;
}

std::string_view to_string(digest_algorithm a) { return algorithm_names[static_cast<std::size_t>(a)]; }

bool is_session(digest_algorithm a) {
  return a == digest_algorithm::md5_sess || a == digest_algorithm::sha256_sess ||
         a == digest_algorithm::sha512_256_sess;
}

std::string digest_secret(digest_algorithm a, std::string_view username, std::string_view realm,
                          std::string_view password) {
  return hash(a, join(username, realm, password));
}

std::string digest_userhash(digest_algorithm a, std::string_view username, std::string_view realm) {
  return hash(a, join(username, realm));
}

std::string digest_response(digest_algorithm a, std::string_view secret, const digest_input& in) {
  // RFC 7616 §3.4.2: the session variant binds the secret to the first nonces.
  const auto ha1 = is_session(a) ? hash(a, join(secret, in.nonce, in.cnonce)) : std::string(secret);
  auto a2 = join(in.method, in.uri);
  if (in.qop == "auth-int") a2 = join(a2, hash(a, in.body));
  const auto ha2 = hash(a, a2);
  if (in.qop.empty()) return hash(a, join(ha1, in.nonce, ha2));  // RFC 3261 §22.4: peers of RFC 2069
  return hash(a, join(ha1, in.nonce, in.nonce_count, in.cnonce, in.qop, ha2));
}

}  // namespace stox::sip
