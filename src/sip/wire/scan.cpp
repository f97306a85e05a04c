#include "sip/wire/scan.hpp"

#include <algorithm>

#include "base/net_address.hpp"
#include "base/text.hpp"

namespace stox::sip {

std::optional<std::string_view> scanner::quoted() {
  if (peek() != '"') return std::nullopt;
  for (auto i = at_ + 1; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') {
      const auto out = text_.substr(at_, i + 1 - at_);
      at_ = i + 1;
      return out;
    }
    // RFC 3261 §25.1: quoted-pair may hold any ASCII character but CR and LF.
    if (c == '\\' && ++i == text_.size()) return std::nullopt;
    if (text_[i] == '\r' || text_[i] == '\n') return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string_view> scanner::comment() {
  if (peek() != '(') return std::nullopt;
  std::size_t depth = 0;
  for (auto i = at_; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '\\') {
      ++i;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      const auto out = text_.substr(at_, i + 1 - at_);
      at_ = i + 1;
      return out;
    }
  }
  return std::nullopt;
}

namespace {

/// RFC 5118 §4.10: RFC 3261's grammar permits a third colon before an embedded IPv4 address, which is to be
/// tolerated; the canonical form without it is what we keep.
bool take_ipv6(std::string_view inside, std::string& out) {
  if (inside.size() > 46 || inside.find(':') == std::string_view::npos) return false;
  std::string address = text::to_lower(inside);
  for (const char c : address) {
    if (!chars::is(c, chars::hex) && c != ':' && c != '.') return false;
  }
  if (const auto triple = address.find(":::"); triple != std::string::npos) {
    if (address.find('.') == std::string::npos) return false;
    address.erase(triple, 1);
  }
  if (!ip_address::parse(address)) return false;
  out += '[';
  out += address;
  out += ']';
  return true;
}

/// Labels are not empty; a name whose last label is a number can only be an IPv4 address.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name.front() == '.') return false;
  if (name.find("..") != std::string_view::npos) return false;
  if (name.back() == '.') return true;  // the root's dot
  const auto last = name.substr(name.rfind('.') + 1);
  return !std::all_of(last.begin(), last.end(), text::is_digit) || ip_address::parse(name).has_value();
}

}  // namespace

bool scanner::host(std::string& out) {
  if (peek() == '[') {
    const auto close = rest().substr(0, 64).find(']');
    if (close == std::string_view::npos || !take_ipv6(rest().substr(1, close - 1), out)) return false;
    skip(close + 1);
    return true;
  }
  const auto name = run(chars::host);
  if (!is_host_name(name)) return false;
  const auto from = out.size();
  out += name;
  for (auto i = from; i < out.size(); ++i) out[i] = text::lower(out[i]);
  return true;
}

bool scanner::port(std::optional<std::uint16_t>& out, bool blanks_allowed) {
  const auto from = at_;
  if (blanks_allowed) skip_blanks();
  if (peek() != ':') {
    at_ = from;
    return true;
  }
  ++at_;
  if (blanks_allowed) skip_blanks();
  const auto digits_at = at_;
  while (!at_end() && text::is_digit(text_[at_])) ++at_;
  const auto number = text::to_number(text_.substr(digits_at, at_ - digits_at), 65535);
  if (!number) return false;
  out = static_cast<std::uint16_t>(*number);
  return true;
}

bool scanner::one_param(param_list& out) {
  const auto name = token();
  if (name.empty() || out.size() == max_params) return false;
  // RFC 3261 §7.3.1: a parameter name stands only once in a value.
  if (find_param(out, name) != nullptr) return false;
  auto& p = out.emplace_back();
  p.name = name;
  if (!take('=')) return true;
  if (peek() == '"') {
    const auto text = quoted();
    if (!text) return false;
    p.value = std::string(*text);
    return true;
  }
  const auto text = run(chars::value);
  if (text.empty()) return false;
  p.value = std::string(text);
  return true;
}

bool scanner::params(param_list& out) {
  while (take(';')) {
    if (!one_param(out)) return false;
  }
  return true;
}

void write_params(std::string& out, const param_list& params) {
  for (const auto& p : params) {
    out += ';';
    out += p.name;
    if (!p.value) continue;
    out += '=';
    scanner in(*p.value);
    if (chars::all(*p.value, chars::value) || (in.quoted() && in.at_end())) {
      out += *p.value;
    } else {
      out += quote(*p.value);
    }
  }
}

std::optional<std::string> unquoted_param(const param_list& params, std::string_view name) {
  const auto* p = find_param(params, name);
  if (p == nullptr || !p->value) return std::nullopt;
  return unquote(*p->value);
}

std::size_t element_length(std::string_view value) {
  if (value.find(',') == std::string_view::npos) return value.size();
  bool in_angles = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    switch (value[i]) {
      case ',':
        if (!in_angles) return i;
        break;
      case '<': in_angles = true; break;
      case '>': in_angles = false; break;
      case '"':
      case '(': {
        if (in_angles) break;
        scanner in(value.substr(i));
        const auto hidden = value[i] == '"' ? in.quoted() : in.comment();
        // One that does not end hides all the rest: the element will be refused as a whole.
        if (!hidden) return value.size();
        i += hidden->size() - 1;
        break;
      }
      default: break;
    }
  }
  return value.size();
}

}  // namespace stox::sip
