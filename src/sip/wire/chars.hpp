#pragma once

#include <array>
#include <cstdint>
#include <string_view>

/// The character classes of RFC 3261 §25.1 as one table: a lookup instead of a chain of comparisons.
namespace stox::sip::chars {

enum : std::uint16_t {
  token = 1,        ///< token
  user = 2,         ///< unreserved / user-unreserved
  password = 4,     ///< unreserved / "&" "=" "+" "$" ","
  param = 8,        ///< paramchar without escaped
  hnv = 16,         ///< hnv-unreserved / unreserved
  uric = 32,        ///< what an absolute URI of any scheme may hold (RFC 3986 §2, without "%")
  host = 64,        ///< alphanum "-" "." and "_", which names of containers and phones do have
  value = 128,      ///< an unquoted parameter value: token, IPv6 and what peers put there
  word = 256,       ///< word
  blank = 512,      ///< SP HTAB
  hex = 1024,       ///< HEXDIG
  printing = 2048,  ///< %x21-7E
  line_end = 4096,  ///< CR LF
  spec_end = 8192   ///< what ends an addr-spec without <>, or may not stand in it: ";" "," "?" SP HTAB
};

constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> t{};
  const auto mark = [&t](std::string_view set, unsigned bits) {
    for (const char c : set) {
      auto& entry = t[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint16_t>(entry | bits);
    }
  };
  for (int c = 0x21; c <= 0x7E; ++c) t[static_cast<std::size_t>(c)] = printing | value;
  const std::string_view alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  mark(alnum, token | user | password | param | hnv | uric | host | word);
  mark("-_.!~*'()", user | password | param | hnv | uric);
  mark("&=+$,;?/", user);
  mark("&=+$,", password);
  mark("[]/:&+$", param);
  mark("[]/?:+$", hnv);
  mark(";/?:@&=+$,[]#", uric);
  mark("-.!%*_+`'~", token);
  mark("-.!%*_+`'~()<>:\\\"/[]?{}", word);
  mark("-._", host);
  mark(" \t", blank);
  mark("\r\n", line_end);
  mark(";,? \t", spec_end);
  mark("0123456789abcdefABCDEF", hex);
  for (const char c : std::string_view(";,\"<>")) {
    auto& entry = t[static_cast<unsigned char>(c)];
    entry = static_cast<std::uint16_t>(entry & ~value);
  }
  return t;
}
inline constexpr std::array<std::uint16_t, 256> table = make_table();

constexpr bool is(char c, unsigned classes) { return (table[static_cast<unsigned char>(c)] & classes) != 0; }

/// The first character of the class, or npos. (string_view::find_first_of calls memchr for every character.)
constexpr std::size_t find(std::string_view s, unsigned classes) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (is(s[i], classes)) return i;
  }
  return std::string_view::npos;
}

/// Whether `s` is not empty and all of one class.
constexpr bool all(std::string_view s, unsigned classes) {
  for (const char c : s) {
    if (!is(c, classes)) return false;
  }
  return !s.empty();
}

/// The same with %HH allowed; the empty string passes.
constexpr bool all_or_escaped(std::string_view s, unsigned classes) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (is(s[i], classes)) continue;
    if (s[i] != '%' || s.size() - i < 3 || !is(s[i + 1], hex) || !is(s[i + 2], hex)) return false;
    i += 2;
  }
  return true;
}

}  // namespace stox::sip::chars
