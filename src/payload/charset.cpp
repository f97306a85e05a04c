#include "payload/charset.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.hpp"
#include "payload/utf8.hpp"

namespace stox::payload {

namespace {

enum class charset : std::uint8_t { utf8, ascii, latin1, utf16, utf16_be, utf16_le };

std::optional<charset> find_charset(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, charset>, 11> names{{
      {"", charset::utf8},
      {"utf-8", charset::utf8},
      {"utf8", charset::utf8},
      {"us-ascii", charset::ascii},
      {"ascii", charset::ascii},
      {"iso-8859-1", charset::latin1},
      {"iso_8859-1", charset::latin1},
      {"latin1", charset::latin1},
      {"utf-16", charset::utf16},
      {"utf-16be", charset::utf16_be},
      {"utf-16le", charset::utf16_le},
  }};
  const auto at =
      std::find_if(names.begin(), names.end(), [&](const auto& n) { return text::iequals(n.first, name); });
  if (at == names.end()) return std::nullopt;
  return at->second;
}

std::string from_latin1(std::string_view octets) {
  std::string out;
  out.reserve(octets.size() + octets.size() / 8);
  for (const char c : octets) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> from_utf16(std::string_view octets, bool little) {
  if (octets.size() % 2 != 0) return std::nullopt;
  const auto unit = [&](std::size_t i) {
    const auto a = static_cast<unsigned char>(octets[i]), b = static_cast<unsigned char>(octets[i + 1]);
    return little ? std::uint32_t{b} << 8 | a : std::uint32_t{a} << 8 | b;
  };
  std::string out;
  out.reserve(octets.size());
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    const auto first = unit(i);
    if (first < 0xd800 || first > 0xdfff) {
      append_utf8(out, first);
      continue;
    }
    // RFC 2781 §2.2: a high surrogate and behind it a low one.
    if (first > 0xdbff || i + 3 >= octets.size()) return std::nullopt;
    const auto second = unit(i += 2);
    if (second < 0xdc00 || second > 0xdfff) return std::nullopt;
    append_utf8(out, 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
  }
  return out;
}

std::optional<std::string> from_marked_utf16(std::string_view octets) {
  if (octets.starts_with("\xff\xfe")) return from_utf16(octets.substr(2), true);
  if (octets.starts_with("\xfe\xff")) octets.remove_prefix(2);
  return from_utf16(octets, false);
}

}  // namespace

bool is_known_charset(std::string_view name) { return find_charset(name).has_value(); }

std::optional<std::string> to_utf8(std::string_view octets, std::string_view name) {
  const auto set = find_charset(name);
  if (!set) return std::nullopt;
  switch (*set) {
    case charset::utf8:
      if (octets.starts_with("\xef\xbb\xbf")) octets.remove_prefix(3);
      if (!text::is_utf8(octets)) return std::nullopt;
      return std::string(octets);
    case charset::ascii:
      if (std::any_of(octets.begin(), octets.end(),
                      [](char c) { return static_cast<unsigned char>(c) > 0x7f; }))
        return std::nullopt;
      return std::string(octets);
    case charset::latin1: return from_latin1(octets);
    case charset::utf16: return from_marked_utf16(octets);
    case charset::utf16_be: return from_utf16(octets, false);
    case charset::utf16_le: return from_utf16(octets, true);
  }
  return std::nullopt;
}

}  // namespace stox::payload
