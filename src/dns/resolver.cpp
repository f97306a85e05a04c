#include "dns/resolver.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stox::dns {
namespace {

// What an entry of the cache holds, about.
std::size_t size_of(const question& q, const answer& a) {
  std::size_t n = 400 + 2 * q.name.size();
  for (const auto& r : a.records) {
    n += sizeof(record);
    if (const auto* s = std::get_if<srv_record>(&r)) n += s->target.size();
    if (const auto* p = std::get_if<naptr_record>(&r)) {
      n += p->flags.size() + p->service.size() + p->regexp.size() + p->replacement.size();
    }
  }
  return n;
}

}  // namespace

resolver::~resolver() {
  for (auto& [q, p] : pending_) deadlines_.set(p.timer, {}, std::nullopt);
}

std::optional<answer> resolver::ask(const question& q, instant now) {
  if (const auto at = by_question_.find(q); at != by_question_.end()) {
    if (now.steady < at->second->until) {
      cache_.splice(cache_.begin(), cache_, at->second);
      ++stats_.from_cache;
      return at->second->answer;
    }
    cache_.erase(at->second);
    by_question_.erase(at);
  }
  if (pending_.contains(q)) return std::nullopt;
  if (pending_.size() >= options_.open_questions) {
    ++stats_.refused;
    return answer{};
  }
  const io::lookup_id id{++last_id_};
  const auto at = pending_.emplace(q, pending{id, {}}).first;
  by_id_.emplace(id, at);
  deadlines_.set(at->second.timer, {timer_owner::dns, last_id_}, now.steady + options_.timeout);
  io_.push(io::lookup{id, q.type, q.name});
  ++stats_.asked;
  return std::nullopt;
}

void resolver::handle(const io::looked_up& e, instant now) {
  const auto found = by_id_.find(e.id);
  if (found == by_id_.end()) return;  // came after its time-out
  const auto at = found->second;
  answer a{e.status, {}};
  if (e.status == io::lookup_status::found) {
    for (const auto& data : e.data) {
      auto r = parse_record(at->first.type, data);
      if (r) {
        a.records.push_back(std::move(*r));
      } else {
        ++stats_.bad_records;
      }
    }
    if (a.records.empty()) a.status = io::lookup_status::failed;
  }
  const duration ttl = std::chrono::seconds(e.ttl);
  switch (a.status) {
    case io::lookup_status::found: return finish(at, std::move(a), std::min(ttl, options_.longest), now);
    case io::lookup_status::no_data:
    case io::lookup_status::no_name: return finish(at, std::move(a), std::min(ttl, options_.negative), now);
    case io::lookup_status::failed: ++stats_.failed; return finish(at, std::move(a), options_.failure, now);
  }
}

void resolver::handle_timeout(std::uint64_t key, instant now) {
  const auto found = by_id_.find(io::lookup_id{key});
  if (found == by_id_.end()) return;
  ++stats_.timed_out;
  io_.push(io::cancel_lookup{found->first});
  finish(found->second, answer{}, options_.failure, now);
}

void resolver::tidy(instant now) {
  for (auto at = cache_.begin(); at != cache_.end();) {
    if (now.steady < at->until) {
      ++at;
      continue;
    }
    by_question_.erase(at->question);
    at = cache_.erase(at);
  }
}

std::optional<resolver::answered> resolver::poll() {
  if (answers_.empty()) return std::nullopt;
  auto out = std::move(answers_.front());
  answers_.pop_front();
  return out;
}

void resolver::finish(pending_map::iterator at, answer a, duration keep, instant now) {
  deadlines_.set(at->second.timer, {}, std::nullopt);
  by_id_.erase(at->second.id);
  auto q = pending_.extract(at).key();
  if (keep > duration::zero()) remember(q, a, now.steady + keep);
  answers_.push_back({std::move(q), std::move(a)});
}

void resolver::remember(const question& q, const answer& a, steady_time until) {
  const auto size = size_of(q, a);
  if (!memory_.has_room(size)) return;
  while (cache_.size() >= options_.cache_entries) {
    by_question_.erase(cache_.back().question);
    cache_.pop_back();
  }
  cache_.push_front({q, a, until, charge(memory_, size)});
  by_question_[q] = cache_.begin();
}

}  // namespace stox::dns
