#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace stox::net {

/// A zone that signs its records, RFC 4034, with one key (ECDSA P-256 with SHA-256, RFC 6605).
class dnssec_zone {
 public:
  static constexpr std::uint16_t dnskey_type = 48;
  static constexpr std::uint32_t ttl = 77;  // dns_server's

  explicit dnssec_zone(std::string name) : name_(std::move(name)), key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    unsigned char* point = nullptr;
    const auto n = EVP_PKEY_get1_encoded_public_key(key_.get(), &point);
    public_.assign(reinterpret_cast<const char*>(point) + 1, n - 1);  // without the octet "uncompressed"
    OPENSSL_free(point);
  }
  const std::string& name() const { return name_; }
  std::string dnskey() const { return u16(257) + std::string("\x03\x0D", 2) + public_; }
  /// The line of a trust anchor's file.
  std::string anchor() const {
    std::string base64(4 * ((public_.size() + 2) / 3) + 1, '\0');
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                  reinterpret_cast<const unsigned char*>(public_.data()),
                                  static_cast<int>(public_.size()));
    base64.resize(static_cast<std::size_t>(n));
    return name_ + ". IN DNSKEY 257 3 13 " + base64 + "\n";
  }
  /// The data of the RRSIG record over these, RFC 4034 §3.1.
  std::string signature(std::uint16_t type, const std::string& owner, std::vector<std::string> data) const {
    const auto now = static_cast<std::uint32_t>(std::time(nullptr));
    const auto labels = 1 + std::count(owner.begin(), owner.end(), '.');
    std::string out = u16(type) + '\x0D' + static_cast<char>(labels) + u32(ttl) + u32(now + 86'400) +
                      u32(now - 86'400) + u16(key_tag()) + wire(name_);
    std::sort(data.begin(), data.end());
    std::string text = out;
    for (const auto& d : data)
      text += wire(owner) + u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(d.size())) + d;
    return out + sign(text);
  }

 private:
  static std::string u16(unsigned v) {
    return {static_cast<char>(v >> 8 & 0xFF), static_cast<char>(v & 0xFF)};
  }
  static std::string u32(std::uint32_t v) { return u16(v >> 16) + u16(v & 0xFFFF); }
  static std::string wire(std::string_view name) {
    std::string out;
    for (const auto label : text::split(name, '.')) out += static_cast<char>(label.size()) + std::string(label);
    return out + '\0';
  }
  // RFC 4034, appendix B.
  unsigned key_tag() const {
    const auto rdata = dnskey();
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < rdata.size(); ++i) {
      const auto octet = static_cast<unsigned char>(rdata[i]);
      sum += i % 2 == 0 ? static_cast<std::uint32_t>(octet) << 8 : octet;
    }
    return (sum + (sum >> 16)) & 0xFFFF;
  }
  // RFC 6605 §4: both numbers, 32 octets each.
  std::string sign(const std::string& text) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    unsigned char der[128];
    std::size_t size = sizeof der;
    EVP_DigestSign(context.get(), der, &size, reinterpret_cast<const unsigned char*>(text.data()),
                   text.size());
    const unsigned char* at = der;
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> made(
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
    std::string out(64, '\0');
    auto* const numbers = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(made.get()), numbers, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(made.get()), numbers + 32, 32);
    return out;
  }

  std::string name_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::string public_;
};

}  // namespace stox::net
