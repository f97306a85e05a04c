#include "gateway/recent_texts.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/text.hpp"

namespace stox::gateway {

namespace {

constexpr auto twice_within = std::chrono::minutes(5);
constexpr std::size_t max_id = 128;
constexpr std::size_t max_ids = 8;
constexpr std::size_t first_block = 256;
constexpr std::size_t nowhere = SIZE_MAX;
constexpr std::string_view more = "...";

/// What stands before the ids and the text of an entry.
struct header {
  std::int64_t second = 0;    ///< of the steady clock
  std::uint16_t size = 0;     ///< of the whole entry
  std::uint16_t text_at = 0;  ///< from the start of the entry
  std::uint8_t way = 0;
  std::uint8_t ids = 0;
  std::uint8_t owed = 0;
  std::uint8_t failed = 0;
};

bool is_kept(const recent_texts::message_id& i) { return !i.text.empty() && i.text.size() <= max_id; }

/// The part of a trimmed text that is kept.
std::string_view beginning(std::string_view text) {
  return text.substr(0, text::code_point_at(text, recent_texts::max_code_points).value_or(text.size()));
}

std::int64_t second_of(steady_time t) {
  return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}

/// At most.
std::size_t bytes_of(std::initializer_list<recent_texts::message_id> ids, std::string_view text) {
  constexpr std::size_t code_point = 4;
  std::size_t n =
      sizeof(header) + std::min(text.size(), code_point * recent_texts::max_code_points) + more.size();
  for (const auto& i : ids) n += is_kept(i) ? i.text.size() + 2 : 0;
  return n;
}

}  // namespace

/// One entry, read in place. Each of its ids is: length, whether it is unique, bytes.
struct recent_texts::entry {
  header head;
  std::string_view bytes;

  direction way() const { return static_cast<direction>(head.way); }
  std::string_view text() const { return bytes.substr(head.text_at); }
  std::string_view first_id() const {
    const auto rest = bytes.substr(sizeof(header), head.text_at - sizeof(header));
    return rest.empty() ? rest : rest.substr(2, static_cast<unsigned char>(rest[0]));
  }
  bool has(std::string_view id, bool only_unique) const {
    auto rest = bytes.substr(sizeof(header), head.text_at - sizeof(header));
    while (!rest.empty()) {
      const auto n = static_cast<unsigned char>(rest[0]);
      const bool counts = !only_unique || rest[1] != 0;
      if (counts && rest.substr(2, n) == id) return true;
      rest.remove_prefix(2 + std::size_t{n});
    }
    return false;
  }
};

recent_texts::entry recent_texts::at(std::size_t offset) const {
  entry e;
  std::memcpy(&e.head, bytes_.data() + offset, sizeof(header));
  e.bytes = {bytes_.data() + offset, e.head.size};
  return e;
}

template <class Wanted>
std::size_t recent_texts::newest(Wanted wanted) const {
  auto found = nowhere;
  for (std::size_t offset = 0; offset < bytes_.size();) {
    const auto e = at(offset);
    if (wanted(e)) found = offset;
    offset += e.head.size;
  }
  return found;
}

void recent_texts::drop(std::size_t offset) {
  const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
  bytes_.erase(first, first + at(offset).head.size);
  --count_;
}

std::size_t recent_texts::growth(std::initializer_list<message_id> ids, std::string_view text) const {
  const auto wanted = std::min(bytes_.size() + bytes_of(ids, text), max_bytes);
  auto block = std::max(bytes_.capacity(), first_block);
  while (block < wanted) block *= 2;
  return block - bytes_.capacity();
}

void recent_texts::add(direction way, std::initializer_list<message_id> ids, std::string_view text,
                       steady_time now, bool owed) {
  const auto bound = bytes_of(ids, text);
  while (count_ > 0 && (count_ == max_messages || bytes_.size() + bound > max_bytes)) drop(0);
  bytes_.reserve(bytes_.capacity() + growth(ids, text));

  const auto start = bytes_.size();
  header head;
  head.second = second_of(now);
  head.way = static_cast<std::uint8_t>(way);
  head.owed = owed ? 1 : 0;
  bytes_.resize(start + bound);
  char* const begin = bytes_.data() + start;
  char* end = begin + sizeof head;
  for (const auto& i : ids) {
    if (!is_kept(i) || head.ids == max_ids) continue;
    ++head.ids;
    *end++ = static_cast<char>(i.text.size());
    *end++ = i.unique ? 1 : 0;
    end = std::copy(i.text.begin(), i.text.end(), end);
  }
  head.text_at = static_cast<std::uint16_t>(end - begin);
  text = text::trim(text);
  const auto kept = beginning(text);
  // One line of a quote: a line break in it would begin words of our own.
  end =
      std::transform(kept.begin(), kept.end(), end, [](char c) { return c == '\n' || c == '\r' ? ' ' : c; });
  if (kept.size() < text.size()) end = std::copy(more.begin(), more.end(), end);
  head.size = static_cast<std::uint16_t>(end - begin);
  bytes_.resize(start + head.size);
  std::memcpy(bytes_.data() + start, &head, sizeof head);
  ++count_;
}

std::optional<std::string> recent_texts::find(std::string_view id, std::optional<direction> way) const {
  const auto offset = newest([&](const entry& e) { return (!way || e.way() == *way) && e.has(id, false); });
  if (offset == nowhere || at(offset).text().empty()) return std::nullopt;
  return std::string(at(offset).text());
}

bool recent_texts::seen(direction way, std::string_view unique_id, steady_time now) const {
  const auto since = second_of(now - twice_within);
  return newest([&](const entry& e) {
           return e.way() == way && e.head.second >= since && e.has(unique_id, true);
         }) != nowhere;
}

std::vector<std::string> recent_texts::ids_before(direction way, std::string_view id) const {
  std::vector<std::string> out;
  const auto end = newest([&](const entry& e) { return e.way() == way && e.has(id, false); });
  if (end == nowhere) return out;
  for (std::size_t offset = 0; offset < end; offset += at(offset).head.size) {
    const auto e = at(offset);
    if (e.way() == way && !e.first_id().empty()) out.emplace_back(e.first_id());
  }
  return out;
}

std::optional<recent_texts::failed_text> recent_texts::take_failed(std::string_view id) {
  const auto offset = newest([&](const entry& e) {
    return e.way() == direction::to_xmpp && e.head.failed == 0 && e.has(id, false);
  });
  if (offset == nowhere) return std::nullopt;
  auto e = at(offset);
  e.head.failed = 1;
  std::memcpy(bytes_.data() + offset, &e.head, sizeof e.head);
  return failed_text{std::string(e.text()), e.head.owed != 0};
}

void recent_texts::forget_text(direction way, std::string_view id) {
  for (std::size_t offset = 0; offset < bytes_.size();) {
    auto e = at(offset);
    if (e.way() == way && e.has(id, false)) {
      const auto first = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
      bytes_.erase(first + e.head.text_at, first + e.head.size);
      e.head.size = e.head.text_at;
      std::memcpy(bytes_.data() + offset, &e.head, sizeof e.head);
    }
    offset += e.head.size;
  }
}

void recent_texts::forget(direction way, std::string_view id) {
  // A correction goes by the id of what it corrects, too.
  const auto wanted = [&](const entry& e) { return e.way() == way && e.has(id, false); };
  for (auto offset = newest(wanted); offset != nowhere; offset = newest(wanted)) drop(offset);
}

}  // namespace stox::gateway
