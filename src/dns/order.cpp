#include "dns/order.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace stox::dns {
namespace {

// RFC 2782: records of weight 0 come first, so that they have a very small chance; a number is drawn between
// 0 and the sum of the weights, and the first record whose running sum reaches it is next.
void draw(std::vector<srv_record>& out, std::vector<srv_record> equals, id_source& random) {
  std::stable_partition(equals.begin(), equals.end(), [](const auto& r) { return r.weight == 0; });
  while (!equals.empty()) {
    std::uint64_t sum = 0;
    for (const auto& r : equals) sum += r.weight;
    const auto drawn = random.below(sum + 1);
    std::uint64_t running = 0;
    const auto at = std::find_if(equals.begin(), equals.end(),
                                 [&](const auto& r) { return (running += r.weight) >= drawn; });
    out.push_back(std::move(*at));
    equals.erase(at);
  }
}

}  // namespace

std::vector<srv_record> in_order(std::vector<srv_record> records, id_source& random) {
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  std::vector<srv_record> out;
  for (auto from = records.begin(); from != records.end();) {
    const auto to =
        std::find_if(from, records.end(), [&](const auto& r) { return r.priority != from->priority; });
    draw(out, {from, to}, random);
    from = to;
  }
  return out;
}

std::vector<naptr_record> in_order(std::vector<naptr_record> records) {
  std::stable_sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::pair(a.order, a.preference) < std::pair(b.order, b.preference);
  });
  return records;
}

}  // namespace stox::dns
