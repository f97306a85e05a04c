#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/io.hpp"
#include "base/net_address.hpp"
#include "dns/errc.hpp"

namespace stox::dns {

/// RFC 2782.
struct srv_record {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;  ///< lower case, without the last dot; empty: "." (the service is not there)
  friend bool operator==(const srv_record&, const srv_record&) = default;
};

/// RFC 3403 §4.1.
struct naptr_record {
  std::uint16_t order = 0, preference = 0;
  std::string flags, service;  ///< lower case: both compare without case
  std::string regexp;
  std::string replacement;  ///< like srv_record::target
  friend bool operator==(const naptr_record&, const naptr_record&) = default;
};

/// RFC 6698 §2.1.
struct tlsa_record {
  std::uint8_t usage = 0, selector = 0, matching = 0;
  std::string data;
  friend bool operator==(const tlsa_record&, const tlsa_record&) = default;
};

using record = std::variant<ip_address, srv_record, naptr_record, tlsa_record>;

/// Reads the uncompressed data of one record, as the rim's resolver hands it over. Names may hold letters,
/// digits, "-" and "_" only (RFC 1123 §2.1, RFC 2782): others name no host and would have to be escaped
/// wherever they are shown. Errors: dns::errc.
result<record> parse_record(io::record_type type, std::string_view data);

/// What is asked.
struct question {
  io::record_type type{};
  std::string name;  ///< lower case, without the last dot
  friend auto operator<=>(const question&, const question&) = default;
};
std::string to_string(const question& q);  ///< "SRV _sip._udp.example.com"

/// What of an answer is used; those to be tried first. A domain's owner writes as many as he likes.
inline constexpr std::size_t most_records = 32;

/// What is known. Records that could not be read are left out.
struct answer {
  io::lookup_status status = io::lookup_status::failed;
  std::vector<record> records;  ///< of the question's type; empty unless found
  bool secure = false;          ///< DNSSEC proves it
  friend bool operator==(const answer&, const answer&) = default;

  template <class T>
  std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& r : records)
      if (const auto* one = std::get_if<T>(&r)) out.push_back(*one);
    return out;
  }
};

/// About what the two hold, for the byte account.
std::size_t size_of(const question& q, const answer& a);

}  // namespace stox::dns
