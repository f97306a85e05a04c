#include "payload/cpim.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "payload/header_block.hpp"
#include "payload/utf8.hpp"

namespace stox::payload {

namespace {

/// RFC 3862 §2.3: \uxxxx, \b \t \n \r; a backslash and any other character is that character, and one at the
/// end is nothing.
std::string unescape(std::string_view s) {
  std::string out;
  out.reserve(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\') {
      out += s[i];
      continue;
    }
    if (++i == s.size()) break;
    switch (s[i]) {
      case 'b': out += '\b'; break;
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 'u': {
        const auto code = hex_number(s.substr(i + 1, 4));
        // A lone surrogate is no character.
        if (!code || s.size() - i < 5 || (*code >= 0xd800 && *code <= 0xdfff)) {
          out += 'u';
          break;
        }
        append_utf8(out, *code);
        i += 4;
        break;
      }
      default: out += s[i];
    }
  }
  return out;
}

/// RFC 3862 §2.1: no blanks at the ends of a line, also not by an escape.
std::string value_of(std::string_view s) { return std::string(text::trim(unescape(text::trim(s)))); }

/// RFC 3862 §2.3.1.
void escape_to(std::string& out, std::string_view s, bool quoted) {
  for (const char c : s) {
    switch (c) {
      case '\\': out += "\\\\"; continue;
      case '\b': out += "\\b"; continue;
      case '\t': out += "\\t"; continue;
      case '\n': out += "\\n"; continue;
      case '\r': out += "\\r"; continue;
      case '"': out += quoted ? "\\\"" : "\""; continue;
      default: break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    static constexpr char digits[] = "0123456789abcdef";
    out += "\\u00";
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

std::string quoted_text(std::string_view s) {
  std::string out = "\"";
  escape_to(out, s, true);
  return out += '"';
}

/// [ Formal-name ] "<" URI ">", §3.6. A URI without brackets is taken too.
cpim::address address_of(std::string_view value) {
  const auto open = value.rfind('<');
  if (open == std::string_view::npos) return {{}, std::string(text::trim(value))};
  const auto close = std::min(value.find('>', open), value.size());
  auto name = text::trim(value.substr(0, open));
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  return {unescape(name), std::string(text::trim(value.substr(open + 1, close - open - 1)))};
}

/// ";lang=fr Objet": parameters stand between the colon and a blank (§3.3).
cpim::subject subject_of(const header_block::field& f) {
  cpim::subject out;
  std::string_view value = f.value;
  while (f.direct && value.starts_with(';')) {
    const auto end = std::min(value.find_first_of(" ;", 1), value.size());
    const auto parameter = value.substr(1, end - 1);
    if (text::istarts_with(parameter, "lang=")) out.lang = parameter.substr(5);
    value.remove_prefix(end);
  }
  out.text = value_of(value);
  return out;
}

struct prefix {
  std::string name, ns;
};

/// "imdn <urn:ietf:params:imdn>"; without a prefix it would be the default for what follows, which nobody
/// sends.
std::optional<prefix> prefix_of(std::string_view value) {
  const auto open = value.find('<');
  if (open == std::string_view::npos || value.back() != '>') return std::nullopt;
  const auto name = text::trim(value.substr(0, open));
  if (name.empty()) return std::nullopt;
  return prefix{std::string(name), unescape(value.substr(open + 1, value.size() - open - 2))};
}

struct qualified {
  std::string ns, name;
};

/// RFC 3862 §2.1 tells names by case; RFC 5438's own examples write "IMDN." under "NS: imdn", so prefixes are
/// not told apart by it.
std::optional<qualified> resolve(std::string_view name, const std::vector<prefix>& known) {
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto at = std::find_if(known.begin(), known.end(),
                               [&](const prefix& p) { return text::iequals(p.name, name.substr(0, dot)); });
  if (at == known.end()) return std::nullopt;
  return qualified{at->ns, std::string(name.substr(dot + 1))};
}

void add_required(cpim& m, std::string_view value, const std::vector<prefix>& known) {
  for (const auto element : text::split(value, ',')) {
    const auto name = text::trim(element);
    if (name.empty()) continue;
    const auto full = resolve(name, known);
    m.required.push_back(full ? full->ns + " " + full->name : std::string(name));
  }
}

bool is_mime_field(std::string_view name) {
  return text::istarts_with(name, "Content-") || text::iequals(name, "MIME-Version");
}

}  // namespace

const std::string* cpim::find(std::string_view ns, std::string_view name) const {
  const auto at = std::find_if(extensions.begin(), extensions.end(),
                               [&](const extension& e) { return e.ns == ns && text::iequals(e.name, name); });
  return at == extensions.end() ? nullptr : &at->value;
}

result<cpim> parse_cpim(std::string_view text, const limits& l) {
  auto head = read_header_block(text, l);
  if (!head) return head.error();
  for (const auto& f : head->fields) {
    if (!text::is_utf8(f.value)) return error(errc::malformed, "CPIM header fields are not UTF-8");
  }
  cpim out;
  std::vector<prefix> known;
  for (const auto& f : head->fields) {
    if (f.name != "NS") continue;
    if (auto p = prefix_of(f.value)) known.push_back(*std::move(p));
  }
  std::string mime_fields;
  for (const auto& f : head->fields) {
    if (f.name == "From") {
      out.from.push_back(address_of(f.value));
    } else if (f.name == "To") {
      out.to.push_back(address_of(f.value));
    } else if (f.name == "cc") {
      out.cc.push_back(address_of(f.value));
    } else if (f.name == "DateTime") {
      out.date_time = f.value;
    } else if (f.name == "Subject") {
      out.subjects.push_back(subject_of(f));
    } else if (f.name == "Require" || f.name == "Required") {  // AG Projects' SDK writes the latter
      add_required(out, f.value, known);
    } else if (is_mime_field(f.name)) {
      mime_fields += f.name + ": " + f.value + "\r\n";
    } else if (auto full = resolve(f.name, known)) {
      out.extensions.push_back({std::move(full->ns), std::move(full->name), value_of(f.value)});
    }
  }
  if (!mime_fields.empty()) out.content = std::move(mime_fields) + "\r\n";
  out.content += head->rest;
  if (out.content.empty()) return error(errc::malformed, "CPIM without content");
  return out;
}

std::string write(const cpim& m) {
  std::string out;
  const auto field = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ");
    escape_to(out, value, false);
    out += "\r\n";
  };
  const auto addresses = [&out](std::string_view name, const std::vector<cpim::address>& all) {
    for (const auto& a : all) {
      out.append(name).append(": ");
      if (!a.name.empty()) out += quoted_text(a.name) + " ";
      out += '<';
      escape_to(out, a.uri, false);
      out += ">\r\n";
    }
  };
  addresses("From", m.from);
  addresses("To", m.to);
  addresses("cc", m.cc);
  if (!m.date_time.empty()) field("DateTime", m.date_time);
  for (const auto& s : m.subjects) {
    out += s.lang.empty() ? "Subject: " : "Subject:;lang=" + s.lang + " ";
    escape_to(out, s.text, false);
    out += "\r\n";
  }
  std::vector<std::string_view> named;
  for (const auto& e : m.extensions) {
    auto at = std::find(named.begin(), named.end(), e.ns);
    if (at == named.end()) {
      named.push_back(e.ns);
      at = named.end() - 1;
      const auto prefix = e.ns == imdn_header_ns ? std::string("imdn") : "x" + std::to_string(named.size());
      field("NS", prefix + " <" + e.ns + ">");
    }
    const auto n = static_cast<std::size_t>(at - named.begin()) + 1;
    field((e.ns == imdn_header_ns ? std::string("imdn") : "x" + std::to_string(n)) + "." + e.name, e.value);
  }
  std::string required;
  for (const auto& r : m.required) required += (required.empty() ? "" : ",") + r;
  if (!required.empty()) field("Require", required);
  return out + "\r\n" + m.content;
}

}  // namespace stox::payload
