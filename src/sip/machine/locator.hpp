#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dns/resolver.hpp"
#include "sip/machine/locate.hpp"

namespace stox::sip {

/// Finds the targets of requests, asking the DNS as far as that is needed. Each search keeps the answers that
/// it has seen, so that it ends also when their time to live is 0.
class locator {
 public:
  locator(dns::resolver& dns, id_source& ids) : dns_(dns), ids_(ids) {}

  /// Begins a search for `request`. The hops are searched one after the other; the targets of all of them, in
  /// that order, are the outcome. nullopt: it comes by poll().
  std::optional<located> start(std::uint64_t request, std::vector<destination> hops, const reach& can,
                               instant now);
  /// The request does not wait any more.
  void stop(std::uint64_t request) { searches_.erase(request); }
  void answered(const dns::resolver::answered& a, instant now);

  struct outcome {
    std::uint64_t request = 0;
    located found;
  };
  std::optional<outcome> poll();
  std::size_t size() const { return searches_.size(); }

 private:
  struct search {
    std::vector<destination> hops;
    reach can;
    dns_answers known;
    std::size_t open = 0;  ///< questions whose answers it waits for
  };
  std::optional<located> advance(search& s, std::uint64_t request, instant now);
  located look(const search& s);

  dns::resolver& dns_;
  id_source& ids_;
  std::unordered_map<std::uint64_t, search> searches_;
  std::map<dns::question, std::vector<std::uint64_t>> waiting_;  ///< requests, also some that have stopped
  std::deque<outcome> outcomes_;
};

}  // namespace stox::sip
