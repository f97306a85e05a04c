#pragma once

#include <span>
#include <string>
#include <string_view>

/// Pure functions over bytes; OpenSSL stays in hash.cpp.
namespace stox::crypto {

std::string sha1(std::string_view data);      ///< 20 raw bytes
std::string sha256(std::string_view data);    ///< 32 raw bytes
std::string sha3_256(std::string_view data);  ///< 32 raw bytes
std::string md5(std::string_view data);       ///< 16 raw bytes
std::string sha512_256(std::string_view data);
std::string hmac_sha256(std::string_view key, std::string_view data);
std::string hex(std::string_view raw);  ///< lower case
std::string base64(std::string_view raw);
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace stox::crypto
