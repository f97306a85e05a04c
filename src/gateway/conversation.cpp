#include "gateway/conversation.hpp"

#include <utility>

namespace stox::gateway {

namespace {

constexpr std::size_t max_pairs = 200'000;
constexpr std::size_t max_threads = 200'000;

constexpr std::size_t max_thread = 128;  ///< bytes; a longer one is left out of notices

constexpr unsigned max_repeats = 20;
constexpr auto repeat_window = std::chrono::seconds(10);

/// The random part of names: 40 bits, in the letters of base32.
std::string prefix_from(std::uint64_t random) {
  static constexpr char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  for (int i = 0; i < 8; ++i, random >>= 5) out += alphabet[random & 31];
  return out;
}

/// What containers spend on one entry beside its key: list node, and places in an index that is a
/// quarter to half full.
constexpr std::size_t entry_bytes = 128;

}  // namespace

conversations::conversations(byte_account& memory, id_source& ids)
    : memory_(memory),
      share_(SIZE_MAX, memory),
      pairs_(max_pairs, ids.below(std::uint64_t{1} << 40U)),
      threads_(max_threads, ids.below(std::uint64_t{1} << 40U)),
      prefix_(prefix_from(ids.below(std::uint64_t{1} << 40U))) {}

const std::string& conversations::key_of(std::string_view jid, std::string_view aor,
                                         std::string_view thread) {
  // A JID and a URI hold no NUL, so no two triples give one key.
  key_.assign(jid).append(1, '\0').append(aor).append(1, '\0').append(thread);
  return key_;
}

std::size_t conversations::cost(const std::string& jid, const std::string& aor) {
  constexpr std::size_t ids = 4 * 128;  // a name, a tag, a Call-ID in key and value, a thread
  return 2 * (jid.size() + aor.size() + entry_bytes) + sizeof(pair_state) + sizeof(thread_state) + ids;
}

pair_state& conversations::pair(const std::string& jid, const std::string& aor, steady_time now) {
  const auto& key = key_of(jid, aor, {});
  auto* known = pairs_.find(key, now);
  if (known != nullptr) return *known;
  trim(cost(jid, aor));
  auto& state = pairs_.get(key, now);
  const auto number = std::to_string(++named_);
  state.name.reserve(prefix_.size() + 1 + number.size());
  state.name.append(prefix_).append(1, '-').append(number);
  state.fixed = sizeof(pair_state) + entry_bytes + key.size() + state.name.size();
  state.memory = charge(share_, state.fixed);
  return state;
}

pair_state* conversations::find_pair(const std::string& jid, const std::string& aor, steady_time now) {
  return pairs_.find(key_of(jid, aor, {}), now);
}

thread_state conversations::new_thread(const std::string& call_id, id_source& ids) {
  thread_state made;
  made.from_tag = ids.next(id_kind::tag);
  made.call_id = call_id.empty() ? ids.next(id_kind::call_id) : call_id;
  return made;
}

thread_state& conversations::keep_thread(const std::string& jid, const std::string& aor,
                                         const std::string& call_id, thread_state made, steady_time now) {
  trim(cost(jid, aor));
  const auto& key = key_of(jid, aor, call_id);
  auto& state = threads_.get(key, now);
  state = std::move(made);
  state.fixed =
      sizeof(thread_state) + entry_bytes + key.size() + state.call_id.size() + state.from_tag.size();
  state.memory = charge(share_, state.fixed);
  state.weigh();
  return state;
}

thread_state* conversations::find_thread(const std::string& jid, const std::string& aor,
                                         const std::string& call_id, steady_time now) {
  return threads_.find(key_of(jid, aor, call_id), now);
}

/// What is remembered only makes later messages better; it must not take the place of messages.
void conversations::trim(std::size_t coming) {
  while (share_.used() + coming > memory_.limit() / 4) {
    const bool any = threads_.size() > pairs_.size() ? threads_.forget_stalest() : pairs_.forget_stalest();
    if (!any) return;
  }
}

void conversations::note(pair_state& pair, direction way, std::initializer_list<recent_texts::message_id> ids,
                         std::string_view text, steady_time now, bool owed) {
  const auto coming = pair.texts.growth(ids, text);
  while (coming > 0 && share_.used() + coming > memory_.limit() / 4) {
    const bool thread = threads_.size() > pairs_.size() || pairs_.size() == 1;
    if (!(thread ? threads_.forget_stalest() : pairs_.forget_stalest_but(pair))) break;
  }
  pair.texts.add(way, ids, text, now, owed);
  if (coming > 0) pair.weigh();
}

void conversations::set_thread(pair_state& pair, const std::string* thread) {
  const bool kept = thread != nullptr && thread->size() <= max_thread;
  const auto size = pair.thread.size();
  pair.thread = kept ? *thread : std::string();
  if (pair.thread.size() != size) pair.weigh();
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
