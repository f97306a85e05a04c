#include "crypto/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>
#include <cstdlib>

namespace stox::crypto {

namespace {

// A hash that could not be computed must never pass for one: an empty string would equal another empty
// string. It depends on the installation only, never on input.
[[noreturn]] void no_such_algorithm() { std::abort(); }

const unsigned char* raw_bytes(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

// Fetched once per algorithm: OpenSSL 3 searches its providers anew for every EVP_sha256() that is used as it
// is.
const EVP_MD* fetch(const char* name) {
  const EVP_MD* const md = EVP_MD_fetch(nullptr, name, nullptr);
  if (md == nullptr) no_such_algorithm();
  return md;
}

std::string digest(const EVP_MD* md, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out, &size, md, nullptr) != 1) no_such_algorithm();
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace

std::string sha1(std::string_view data) {
  static const EVP_MD* const md = fetch("SHA1");
  return digest(md, data);
}

std::string sha256(std::string_view data) {
  static const EVP_MD* const md = fetch("SHA2-256");
  return digest(md, data);
}

std::string sha3_256(std::string_view data) {
  static const EVP_MD* const md = fetch("SHA3-256");
  return digest(md, data);
}

std::string md5(std::string_view data) {
  static const EVP_MD* const md = fetch("MD5");
  return digest(md, data);
}

std::string sha512_256(std::string_view data) {
  static const EVP_MD* const md = fetch("SHA2-512/256");
  return digest(md, data);
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
  // HMAC() takes the key's size as int; RFC 2104 §2: a key longer than a block is replaced by its hash
  // anyway.
  const std::string short_key = key.size() > INT_MAX ? sha256(key) : std::string();
  if (!short_key.empty()) key = short_key;
  // A null key would mean "the key of the call before".
  if (key.data() == nullptr) key = "";
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw_bytes(data), data.size(), out,
           &size) == nullptr) {
    no_such_algorithm();
  }
  return {reinterpret_cast<const char*>(out), size};
}

std::string hex(std::string_view raw) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(raw.size() * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string base64(std::string_view raw) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((raw.size() + 2) / 3 * 4);
  const auto* const in = raw_bytes(raw);
  std::size_t i = 0;
  for (; i + 3 <= raw.size(); i += 3) {
    out += digits[in[i] >> 2];
    out += digits[(in[i] & 3) << 4 | in[i + 1] >> 4];
    out += digits[(in[i + 1] & 15) << 2 | in[i + 2] >> 6];
    out += digits[in[i + 2] & 63];
  }
  if (i + 1 == raw.size()) {
    out += digits[in[i] >> 2];
    out += digits[(in[i] & 3) << 4];
    out += "==";
  } else if (i + 2 == raw.size()) {
    out += digits[in[i] >> 2];
    out += digits[(in[i] & 3) << 4 | in[i + 1] >> 4];
    out += digits[(in[i + 1] & 15) << 2];
    out += '=';
  }
  return out;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  // The length is no secret: both are hashes of a known size.
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace stox::crypto
