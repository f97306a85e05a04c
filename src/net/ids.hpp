#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ids.hpp"

namespace stox::net {

/// Identifiers from OpenSSL's CSPRNG: two characters of engine number, then base32 characters of 5 random
/// bits each, lower case only, because some peers fold case. Nothing in them tells a host name, a time or a
/// count. Ends the process when the generator fails: an identifier that can be guessed is worse than none.
class csprng_ids final : public id_source {
 public:
  explicit csprng_ids(unsigned engine);  ///< 0..1023
  std::string next(id_kind kind) override;
  std::uint64_t below(std::uint64_t bound) override;

 private:
  const unsigned char* take(std::size_t n);

  std::array<char, 2> engine_;
  std::array<unsigned char, 4096> pool_;  ///< one call of the generator costs about as much as 4 kB of it
  std::size_t used_;
};

}  // namespace stox::net
