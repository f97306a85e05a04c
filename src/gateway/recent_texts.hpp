#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "gateway/counters.hpp"

namespace stox::gateway {

/// How the last messages of one pair began, by their ids: a reaction, an answer or a retraction names only an
/// id, and the SIP side has to be told what it is about. It also knows a message that comes a second time.
/// One block of bytes that grows to max_bytes, so that an ordinary message costs no allocation.
class recent_texts {
 public:
  static constexpr std::size_t max_messages = 16;
  static constexpr std::size_t max_bytes = 4096;
  static constexpr std::size_t max_code_points = 60;  ///< kept of a text; "..." says that there was more

  struct message_id {
    std::string_view text;  ///< longer ones than 128 bytes are not remembered
    /// Whether its giver never uses it again: an origin-id, or the id of an archive (XEP-0359). Plain ids of
    /// stanzas are not: two devices of one user may both count from 1.
    bool unique = false;
  };

  /// Remembers a message; `text` empty: only that it was there. `owed`: its sender is to be told if it fails
  /// after all.
  void add(direction way, std::initializer_list<message_id> ids, std::string_view text, steady_time now,
           bool owed = false);
  /// The beginning of the newest message with that id, either way or only that way; nullopt: not known.
  std::optional<std::string> find(std::string_view id, std::optional<direction> way = {}) const;
  /// Whether a message that way with that unique id was remembered within the last minutes.
  bool seen(direction way, std::string_view unique_id, steady_time now) const;
  struct failed_text {
    std::string beginning;
    bool owed = false;  ///< its sender is owed the news
    friend bool operator==(const failed_text&, const failed_text&) = default;
  };
  /// The message to XMPP with that id has failed after all; that is once.
  std::optional<failed_text> take_failed(std::string_view id);
  /// The ids of the messages that way before the newest one with that id, oldest first; one of each.
  std::vector<std::string> ids_before(direction way, std::string_view id) const;
  /// Its text is no longer known: it was taken back.
  void forget_text(direction way, std::string_view id);
  /// It did not arrive: whoever sends it again means it.
  void forget(direction way, std::string_view id);

  std::size_t size() const { return count_; }
  std::size_t memory_used() const { return bytes_.capacity(); }
  /// What add would take at most beyond memory_used().
  std::size_t growth(std::initializer_list<message_id> ids, std::string_view text) const;

 private:
  struct entry;
  template <class Wanted>
  std::size_t newest(Wanted wanted) const;
  entry at(std::size_t offset) const;
  void drop(std::size_t offset);

  std::vector<char> bytes_;  ///< entries, oldest first
  std::size_t count_ = 0;
};

}  // namespace stox::gateway
