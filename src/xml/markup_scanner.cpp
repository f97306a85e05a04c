#include "xml/markup_scanner.hpp"

#include <algorithm>

namespace stox::xml {

namespace {

template <class... C>
std::size_t find_any(std::string_view s, std::size_t from, C... wanted) {
  while (from < s.size() && ((s[from] != wanted) && ...)) ++from;
  return from;
}

}  // namespace

std::optional<errc> markup_scanner::step(char c) {
  switch (state_) {
    case state::open:
      if (c == '!') {
        state_ = state::bang;
      } else if (c == '?') {
        // Only the XML declaration may look like this, and only at the very start or behind a byte order
        // mark.
        if (markup_at_ != 0 && markup_at_ != 3) return errc::restricted_xml;
        state_ = state::instruction;
        question_ = false;
      } else {
        state_ = state::tag;
      }
      return std::nullopt;
    case state::bang:
      if (c != '[') return c == '-' || c == 'D' ? errc::restricted_xml : errc::not_well_formed;
      state_ = state::cdata;
      brackets_ = 0;
      return std::nullopt;
    case state::cdata:
      if (c == '>' && brackets_ == 2) state_ = state::content;
      brackets_ = c != ']' ? 0 : brackets_ == 0 ? 1 : 2;
      return std::nullopt;
    case state::instruction:
      if (c == '>' && question_) state_ = state::content;
      question_ = c == '?';
      return std::nullopt;
    case state::content:
    case state::reference:
    case state::tag:
    case state::single_quoted:
    case state::double_quoted: break;
  }
  return std::nullopt;
}

markup_scanner::outcome markup_scanner::scan(std::string_view bytes) {
  outcome out;
  std::size_t i = 0;
  const auto at_end = [&] { return i >= bytes.size(); };
  while (!at_end()) {
    switch (state_) {
      case state::content:
        i = find_any(bytes, i, '<', '&');
        out.whole = i;
        if (at_end()) break;
        state_ = bytes[i] == '<' ? state::open : state::reference;
        markup_at_ = seen_ + i;
        ++i;
        break;
      case state::reference:
        i = find_any(bytes, i, ';', '<');
        if (at_end()) break;
        // With '<' it was none. The tokeniser will say so when it gets the tag, however the bytes came.
        state_ = bytes[i] == ';' ? state::content : state::open;
        markup_at_ = seen_ + i;
        ++i;
        break;
      case state::tag:
        i = find_any(bytes, i, '>', '\'', '"');
        if (at_end()) break;
        state_ = bytes[i] == '>'   ? state::content
                 : bytes[i] == '"' ? state::double_quoted
                                   : state::single_quoted;
        ++i;
        break;
      case state::single_quoted:
      case state::double_quoted:
        i = std::min(bytes.find(state_ == state::single_quoted ? '\'' : '"', i), bytes.size());
        if (at_end()) break;
        state_ = state::tag;
        ++i;
        break;
      case state::open:
      case state::bang:
      case state::cdata:
      case state::instruction:
        out.refused = step(bytes[i]);
        if (out.refused) return out;
        if (state_ != state::tag) ++i;  // a tag's first byte is looked at as one of the tag
        break;
    }
  }
  if (state_ == state::content) out.whole = bytes.size();
  seen_ += bytes.size();
  return out;
}

}  // namespace stox::xml
