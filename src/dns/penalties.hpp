#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "base/instant.hpp"
#include "base/net_address.hpp"

namespace stox::dns {

/// Servers that lately failed: they are tried last for a while, never left out (RFC 3263 §4.3 only orders;
/// with every server penalised the first must still be tried).
class penalties {
 public:
  struct server {
    transport via{};
    socket_address at;
    friend auto operator<=>(const server&, const server&) = default;
  };

  /// It failed: last for `how_long` from now; longer than before, never shorter.
  void punish(const server& s, duration how_long, instant now);
  /// It answered.
  void forgive(const server& s) { until_.erase(s); }
  bool is_punished(const server& s, instant now) const;
  std::size_t size() const { return until_.size(); }
  const std::map<server, steady_time>& all() const { return until_; }

 private:
  static constexpr std::size_t most = 4096;  ///< beyond them the one that ends first is forgotten
  std::map<server, steady_time> until_;
};

}  // namespace stox::dns
