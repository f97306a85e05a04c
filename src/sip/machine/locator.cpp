#include "sip/machine/locator.hpp"

#include <algorithm>
#include <utility>

namespace stox::sip {

std::optional<located> locator::start(std::uint64_t request, std::vector<destination> hops, const reach& can,
                                      instant now) {
  search s{std::move(hops), can, {}, 0, charge(memory_, 0)};
  auto found = advance(s, request, now);
  if (!found) searches_.emplace(request, std::move(s));
  return found;
}

void locator::answered(const dns::resolver::answered& a, instant now) {
  const auto waiters = waiting_.extract(a.question);
  if (waiters.empty()) return;
  for (const auto request : waiters.mapped()) {
    const auto at = searches_.find(request);
    if (at == searches_.end()) continue;
    auto& s = at->second;
    learn(s, a.question, a.answer);
    if (--s.open > 0) continue;
    auto found = advance(s, request, now);
    if (!found) continue;
    outcomes_.push_back({request, std::move(*found)});
    searches_.erase(at);
  }
}

std::optional<locator::outcome> locator::poll() {
  if (outcomes_.empty()) return std::nullopt;
  auto out = std::move(outcomes_.front());
  outcomes_.pop_front();
  return out;
}

// One step over all hops. A hop that leads nowhere is passed over while another one leads somewhere.
located locator::look(const search& s) {
  located all;
  bool complete = true;
  for (const auto& hop : s.hops) {
    auto one = locate(hop, s.can, s.known, ids_);
    for (auto& q : one.questions) {
      const bool asked = std::find(all.questions.begin(), all.questions.end(), q) != all.questions.end();
      if (!asked) all.questions.push_back(std::move(q));
      complete = false;
    }
    if (!complete) continue;
    all.targets.insert(all.targets.end(), one.targets.begin(), one.targets.end());
    // A server that may be there after all weighs more than one that is not.
    if (all.why == located::reason::none || one.why == located::reason::no_answer) all.why = one.why;
  }
  if (!all.targets.empty()) all.why = located::reason::none;
  return all;
}

void locator::learn(search& s, const dns::question& q, const dns::answer& a) {
  s.known[q] = a;
  s.memory.resize(s.memory.size() + dns::size_of(q, a));
}

std::optional<located> locator::advance(search& s, std::uint64_t request, instant now) {
  for (;;) {
    auto found = look(s);
    bool learned = false;
    for (const auto& q : found.questions) {
      if (s.known.size() + s.open >= most_questions) {
        learn(s, q, {});
        learned = true;
      } else if (const auto a = dns_.ask(q, now)) {
        learn(s, q, *a);
        learned = true;
      } else if (found.targets.empty()) {
        waiting_[q].push_back(request);
        ++s.open;
      }
    }
    if (s.open > 0) return std::nullopt;
    if (learned) continue;
    found.questions.clear();
    return found;
  }
}

}  // namespace stox::sip
