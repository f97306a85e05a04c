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

std::string_view to_string(typing_drop d) {
  switch (d) {
    case typing_drop::rate: return "rate";
    case typing_drop::loop: return "loop";
    case typing_drop::sender_full: return "sender_full";
    case typing_drop::domain_full: return "domain_full";
    case typing_drop::full: return "full";
    case typing_drop::memory: return "memory";
    case typing_drop::link: return "link";
    case typing_drop::busy: return "busy";
    case typing_drop::withdrawn: return "withdrawn";
    case typing_drop::failed: return "failed";
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
