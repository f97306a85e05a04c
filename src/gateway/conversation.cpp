#include "gateway/conversation.hpp"

namespace stox::gateway {

namespace {

constexpr std::size_t max_pairs = 200'000;
constexpr std::size_t max_threads = 200'000;
constexpr auto forget_after = std::chrono::hours(1);

constexpr unsigned max_repeats = 20;
constexpr auto repeat_window = std::chrono::seconds(10);

std::string key_of(std::string_view jid, std::string_view aor, std::string_view thread) {
  // A JID and a URI hold no NUL, so no two triples give one key.
  std::string key;
  key.reserve(jid.size() + aor.size() + thread.size() + 2);
  key.append(jid).append(1, '\0').append(aor).append(1, '\0').append(thread);
  return key;
}

}  // namespace

conversations::conversations() : pairs_(max_pairs), threads_(max_threads) {}

pair_state& conversations::pair(const std::string& jid, const std::string& aor, steady_time now,
                                byte_account& memory) {
  const auto key = key_of(jid, aor, {});
  auto& state = pairs_.get(key, now);
  if (state.name.empty()) {
    state.name = "p" + std::to_string(++named_);
    state.memory = charge(memory, sizeof(pair_state) + key.size() + 128);
  }
  return state;
}

pair_state* conversations::find_pair(const std::string& jid, const std::string& aor, steady_time now) {
  return pairs_.find(key_of(jid, aor, {}), now);
}

thread_state& conversations::thread(const std::string& jid, const std::string& aor,
                                    const std::string& call_id, steady_time now, id_source& ids,
                                    byte_account& memory) {
  const auto key = key_of(jid, aor, call_id);
  auto& state = threads_.get(key, now);
  if (state.from_tag.empty()) {
    state.from_tag = ids.next(id_kind::tag);
    state.call_id = call_id.empty() ? ids.next(id_kind::call_id) : call_id;
    state.memory = charge(memory, sizeof(thread_state) + key.size() + state.call_id.size() + 128);
  }
  return state;
}

thread_state* conversations::find_thread(const std::string& jid, const std::string& aor,
                                         const std::string& call_id, steady_time now) {
  return threads_.find(key_of(jid, aor, call_id), now);
}

void conversations::expire(steady_time now) {
  pairs_.expire(now - forget_after);
  threads_.expire(now - forget_after);
}

bool repeats_too_often(pair_state::repeat& r, std::string_view body, steady_time now) {
  const auto hash = std::hash<std::string_view>{}(body);
  if (r.count == 0 || r.body_hash != hash || now - r.since > repeat_window) {
    r = {hash, 1, now};
    return false;
  }
  return ++r.count > max_repeats;
}

}  // namespace stox::gateway
