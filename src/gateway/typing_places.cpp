#include "gateway/typing_places.hpp"

namespace stox::gateway {

namespace {

bool is_full(const std::unordered_map<std::string, std::size_t>& of, const std::string& name,
             std::size_t most) {
  const auto at = of.find(name);
  return at != of.end() && at->second >= most;
}

void one_less(std::unordered_map<std::string, std::size_t>& of, const std::string& name) {
  const auto at = of.find(name);
  if (at != of.end() && --at->second == 0) of.erase(at);
}

}  // namespace

std::optional<typing_drop> typing_places::take(const xmpp::jid& sender) {
  const auto bare = sender.bare_text();
  if (is_full(senders_, bare, most_of_sender)) return typing_drop::sender_full;
  if (is_full(domains_, sender.domain, most_of_domain)) return typing_drop::domain_full;
  if (taken_ >= most) return typing_drop::full;
  ++taken_;
  ++senders_[bare];
  ++domains_[sender.domain];
  return std::nullopt;
}

void typing_places::give(const xmpp::jid& sender) {
  --taken_;
  one_less(senders_, sender.bare_text());
  one_less(domains_, sender.domain);
}

}  // namespace stox::gateway
