#include "gateway/counters.hpp"

#include <algorithm>

namespace stox::gateway {

std::string_view to_string(direction d) {
  switch (d) {
    case direction::to_xmpp: return "to_xmpp";
    case direction::to_sip: return "to_sip";
  }
  return "?";
}

std::string_view to_string(outcome o) {
  switch (o) {
    case outcome::delivered: return "delivered";
    case outcome::failed: return "failed";
    case outcome::refused: return "refused";
    case outcome::in_doubt: return "in_doubt";
    case outcome::ignored: return "ignored";
  }
  return "?";
}

void counters::count(direction d, outcome o, std::string_view cause, std::string_view domain) {
  const counter_view wanted{d, o, cause};
  auto at = messages_.lower_bound(wanted);
  if (at == messages_.end() || std::is_neq(at->first <=> wanted)) {
    at = messages_.emplace_hint(at, key{d, o, std::string(cause)}, 0);
  }
  ++at->second;
  auto of = domains_.find(domain);
  if (of == domains_.end()) of = domains_.find("other");
  ++of->second[static_cast<std::size_t>(d)][static_cast<std::size_t>(o)];
}

void counters::serve(const std::vector<std::string>& domains) {
  std::erase_if(domains_, [&](const auto& d) {
    return d.first != "other" && std::find(domains.begin(), domains.end(), d.first) == domains.end();
  });
  for (const auto& domain : domains) domains_.try_emplace(domain);
}

std::uint64_t counters::total(direction d, outcome o) const {
  std::uint64_t sum = 0;
  for (const auto& [k, n] : messages_) {
    if (k.dir == d && k.what == o) sum += n;
  }
  return sum;
}

}  // namespace stox::gateway
