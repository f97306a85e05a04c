#pragma once

#include <cstdint>
#include <string_view>

namespace stox {

/// SipHash-2-4: a hash of which nobody outside can know, without the key, what shares a value with what. For
/// tables that keep a hash in place of a name that a peer chose.
class keyed_hash {
 public:
  keyed_hash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}
  std::uint64_t operator()(std::string_view bytes) const;

 private:
  std::uint64_t key0_, key1_;
};

}  // namespace stox
