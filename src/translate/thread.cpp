#include <algorithm>
#include <string>

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "translate/pager.hpp"

namespace stox::translate::pager {

namespace {

constexpr std::string_view hex_prefix = "th-";
constexpr std::string_view hash_prefix = "th5-";
/// What follows it in a Call-ID tells one message of a thread from the others.
constexpr std::string_view message_mark = "~m.";
constexpr std::size_t max_kept = 128;  ///< a Call-ID stands in every request of 1300 bytes
constexpr std::size_t max_coded = 64;  ///< bytes of a thread that is written in hex

bool is_word_char(char c) {
  return text::is_alnum(c) || std::string_view("-.!%*_+`'~()<>:\\\"/[]?{}").find(c) != std::string_view::npos;
}

/// RFC 3261 §25.1: callid = word [ "@" word ].
bool is_call_id(std::string_view s) {
  const auto at = s.find('@');
  const auto word = [](std::string_view w) {
    return !w.empty() && std::all_of(w.begin(), w.end(), is_word_char);
  };
  return at == std::string_view::npos ? word(s) : word(s.substr(0, at)) && word(s.substr(at + 1));
}

int nibble(char c) {
  if (text::is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> decode_hex(std::string_view s) {
  if (s.size() % 2 != 0 || s.size() > 2 * max_coded) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < s.size(); i += 2) {
    const int high = nibble(s[i]);
    const int low = nibble(s[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

bool is_kept(std::string_view thread);

/// The thread that `call_id` is the code of, if call_id_of would give that code.
std::optional<std::string> decoded(std::string_view call_id) {
  if (call_id.substr(0, hex_prefix.size()) != hex_prefix) return std::nullopt;
  auto thread = decode_hex(call_id.substr(hex_prefix.size()));
  // Only what needs the code is coded: otherwise two Call-IDs would stand for one thread. Each step halves
  // the length.
  if (!thread || is_kept(*thread)) return std::nullopt;
  return thread;
}

/// A thread that looks like one of our hex codes is coded itself, so that both ways give back what they got.
/// A hash that came home as a thread is kept: the answer stays in the Call-ID that it belongs to.
bool is_kept(std::string_view thread) {
  return thread.size() <= max_kept && is_call_id(thread) && !decoded(thread) &&
         thread.find(message_mark) == std::string_view::npos;
}

}  // namespace

std::string call_id_of(std::string_view thread) {
  if (is_kept(thread)) return std::string(thread);
  if (thread.size() <= max_coded) return std::string(hex_prefix) + crypto::hex(thread);
  return std::string(hash_prefix) + crypto::hex(crypto::sha256(thread));
}

std::string call_id_of(std::string_view thread, std::string_view message) {
  return call_id_of(thread).append(message_mark).append(message);
}

std::string thread_of(std::string_view call_id) {
  call_id = call_id.substr(0, call_id.find(message_mark));
  if (auto thread = decoded(call_id)) return *thread;
  return std::string(call_id);
}

}  // namespace stox::translate::pager
