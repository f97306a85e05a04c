#include "net/ids.hpp"

#include <openssl/rand.h>

#include <cstring>
#include <exception>
#include <string_view>

namespace stox::net {
namespace {

constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

// Random characters after the engine number: 16 are 80 bits, 13 are 65.
constexpr std::size_t random_characters(id_kind kind) {
  switch (kind) {
    case id_kind::branch: return 16;
    case id_kind::tag: return 13;
    case id_kind::call_id: return 20;
    case id_kind::stanza: return 16;
  }
  return 20;
}

}  // namespace

csprng_ids::csprng_ids(unsigned engine)
    : engine_{alphabet[engine >> 5 & 31], alphabet[engine & 31]}, pool_{}, used_(pool_.size()) {}

const unsigned char* csprng_ids::take(std::size_t n) {
  if (used_ + n > pool_.size()) {
    if (RAND_bytes(pool_.data(), static_cast<int>(pool_.size())) != 1) std::terminate();
    used_ = 0;
  }
  used_ += n;
  return pool_.data() + used_ - n;
}

std::string csprng_ids::next(id_kind kind) {
  // RFC 3261 §8.1.1.7: the magic cookie tells that the branch is unique.
  const std::string_view prefix = kind == id_kind::branch ? "z9hG4bK" : "";
  const std::size_t n = random_characters(kind);
  const auto* random = take(n);
  std::string id(prefix.size() + engine_.size() + n, '\0');
  char* out = id.data();
  std::memcpy(out, prefix.data(), prefix.size());
  out += prefix.size();
  for (const char c : engine_) *out++ = c;
  for (std::size_t i = 0; i < n; ++i) *out++ = alphabet[random[i] & 31];
  return id;
}

std::uint64_t csprng_ids::below(std::uint64_t bound) {
  if (bound < 2) return 0;
  // The last, incomplete run of `bound` values is refused, or small results would come more often.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(sizeof value), sizeof value);
    if (value < limit) return value % bound;
  }
}

}  // namespace stox::net
