#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace stox {

/// What an identifier is for; the generator gives each kind a shape that its protocol allows.
enum class id_kind : std::uint8_t {
  branch,   ///< Via branch, RFC 3261 §8.1.1.7: starts with z9hG4bK
  tag,      ///< From/To tag, RFC 3261 §19.3: at least 32 bits of randomness
  call_id,  ///< Call-ID, RFC 3261 §20.8
  stanza,   ///< XMPP stanza id
};

/// Where identifiers come from: a CSPRNG in the daemon, a counter in tests and explain. Ids of the daemon
/// carry the engine's number, so that an answer finds its engine when several share a port.
class id_source {
 public:
  id_source() = default;
  id_source(const id_source&) = delete;
  id_source& operator=(const id_source&) = delete;
  virtual ~id_source() = default;
  virtual std::string next(id_kind kind) = 0;
  /// A uniform random number in [0, bound), for jitter; the counter returns 0.
  virtual std::uint64_t below(std::uint64_t bound) = 0;
};

/// z9hG4bK-1, t-1, c-1, x-1, ...: each kind counts for itself, so a golden file needs no wildcards.
class counting_ids final : public id_source {
 public:
  std::string next(id_kind kind) override;
  std::uint64_t below(std::uint64_t) override { return 0; }

 private:
  std::uint64_t counts_[4] = {};
};

}  // namespace stox
