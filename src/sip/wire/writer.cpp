#include <boost/container/small_vector.hpp>
#include <charconv>
#include <iterator>

#include "sip/wire/chars.hpp"
#include "sip/wire/message.hpp"

namespace stox::sip {
namespace {

/// Nothing in a value can start a new line, whatever it was made from.
void append_value(std::string& out, std::string_view value) {
  if (value.find('\r') == std::string_view::npos && value.find('\n') == std::string_view::npos) {
    out += value;
    return;
  }
  for (;;) {
    const auto at = chars::find(value, chars::line_end);
    out += value.substr(0, at);
    if (at == std::string_view::npos) return;
    out += ' ';
    value.remove_prefix(at + 1);
  }
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  append_value(out, value);
  out += "\r\n";
}

/// The fields by the order of enum header, those of one name in their own order. Few, and nearly sorted.
boost::container::small_vector<header_field, 32> in_order(const header_list& headers) {
  boost::container::small_vector<header_field, 32> out;
  for (const auto f : headers) {
    auto at = out.end();
    while (at != out.begin() && std::prev(at)->id > f.id) --at;
    out.insert(at, f);
  }
  return out;
}

}  // namespace

void write_line(std::string& out, const header_field& f) {
  append_line(out, f.id == header::other ? f.name : to_string(f.id), f.value);
}

void write_line(std::string& out, header id, std::string_view value) {
  append_line(out, to_string(id), value);
}

void write_rest(std::string& out, const header_list& headers, std::string_view body) {
  bool length_written = false;
  const auto write_length = [&] {
    length_written = true;
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, body.size()).ptr;
    append_line(out, to_string(header::content_length), {digits, static_cast<std::size_t>(end - digits)});
  };
  for (const auto& f : in_order(headers)) {
    if (f.id == header::content_length) continue;
    if (f.id == header::other) {
      if (!length_written) write_length();
      // A name that is no token would be read as something else, so such a field cannot be written.
      if (chars::all(f.name, chars::token)) write_line(out, f);
    } else {
      write_line(out, f);
    }
  }
  if (!length_written) write_length();
  out += "\r\n";
  out += body;
}

std::size_t written_size(const request& r) {
  std::size_t n = r.method_name.size() + r.uri.size() + r.body.size() + 16;
  for (const auto f : r.headers)
    n += (f.id == header::other ? f.name : to_string(f.id)).size() + f.value.size() + 4;
  return n;
}

namespace {

std::size_t size_hint(const header_list& headers, std::string_view body) {
  std::size_t out = 128 + body.size();
  for (const auto f : headers) out += f.name.size() + f.value.size() + 24;
  return out;
}

}  // namespace

std::string write(const request& r) {
  std::string out;
  out.reserve(size_hint(r.headers, r.body) + r.uri.size() + r.method_name.size());
  out += r.method == method::unknown ? std::string_view(r.method_name) : to_string(r.method);
  out += ' ';
  for (const char c : r.uri) {
    // A blank or line end in the Request-URI would cut the request line: escaped, the URI at least stays one
    // word.
    switch (c) {
      case '\r': out += "%0D"; break;
      case '\n': out += "%0A"; break;
      case '\t': out += "%09"; break;
      case ' ': out += "%20"; break;
      default: out += c;
    }
  }
  out += " SIP/2.0\r\n";
  write_rest(out, r.headers, r.body);
  return out;
}

std::string write(const response& r) {
  std::string out;
  out.reserve(size_hint(r.headers, r.body) + r.reason.size());
  out += "SIP/2.0 ";
  out += std::to_string(r.status);
  out += ' ';
  append_value(out, r.reason);
  out += "\r\n";
  write_rest(out, r.headers, r.body);
  return out;
}

}  // namespace stox::sip
