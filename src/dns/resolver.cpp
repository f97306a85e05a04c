#include "dns/resolver.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stox::dns {
namespace {

// The records to be tried first, and no more than are used.
void cut(std::vector<record>& records) {
  const auto rank = [](const record& r) {
    if (const auto* s = std::get_if<srv_record>(&r)) return std::pair<unsigned, unsigned>(s->priority, 0);
    if (const auto* n = std::get_if<naptr_record>(&r))
      return std::pair<unsigned, unsigned>(n->order, n->preference);
    return std::pair<unsigned, unsigned>(0, 0);
  };
  std::stable_sort(records.begin(), records.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  if (records.size() > most_records) records.resize(most_records);
  records.shrink_to_fit();
}

// From the third failure in a row on it is more than one bad name.
constexpr std::uint64_t outage = 3;
constexpr auto warn_every = std::chrono::minutes(1);

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
    forget(at->second);
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
  answer a{e.status, {}, e.secure};
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
    cut(a.records);
  }
  const duration ttl = std::chrono::seconds(e.ttl);
  if (a.status == io::lookup_status::failed) {
    note_failure(at->first, "failure", now);
  } else {
    note_answer(at->first);
  }
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
  note_failure(found->second->first, "timeout", now);
  io_.push(io::cancel_lookup{found->first});
  finish(found->second, answer{}, options_.failure, now);
}

void resolver::tidy(instant now) {
  for (auto at = cache_.begin(); at != cache_.end();) {
    if (now.steady < at->until) {
      ++at;
      continue;
    }
    forget(at++);
  }
}

void resolver::clear() {
  while (!cache_.empty()) forget(cache_.begin());
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

void resolver::note_failure(const question& q, std::string_view why, instant now) {
  ++failing_;
  ++untold_;
  if (warned_ && now.steady < *warned_ + warn_every && (outage_told_ || failing_ < outage)) return;
  warned_ = now.steady;
  outage_told_ = failing_ >= outage;
  log_.push_back({log_level::warning,
                  outage_told_ ? "dns.outage" : "dns.no_answer",
                  {},
                  {{"question", to_string(q)},
                   {"why", std::string(why)},
                   {"failures", std::to_string(std::exchange(untold_, 0))}}});
}

void resolver::note_answer(const question& q) {
  failing_ = 0;
  if (!std::exchange(outage_told_, false)) return;
  log_.push_back({log_level::warning, "dns.answers_again", {}, {{"question", to_string(q)}}});
}

void resolver::forget(std::list<known>::iterator at) {
  cached_ -= at->memory.size();
  by_question_.erase(at->question);
  cache_.erase(at);
}

void resolver::remember(const question& q, const answer& a, steady_time until) {
  const auto size = size_of(q, a);
  // Names are for convenience, messages are not: they get three quarters in any case.
  const auto share = memory_.limit() / 4;
  while (!cache_.empty() && (cache_.size() >= options_.cache_entries || cached_ + size > share)) {
    forget(std::prev(cache_.end()));
  }
  if (cached_ + size > share || !memory_.has_room(size)) return;
  cached_ += size;
  cache_.push_front({q, a, until, charge(memory_, size)});
  by_question_[q] = cache_.begin();
}

}  // namespace stox::dns
