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

/// A value without what stands around it; blanks at its ends cannot be written again (§2.3.1).
std::string plain(std::string_view value) { return std::string(text::trim(unescape(value))); }

/// §3.1: what a name, or a name's prefix, is made of.
bool is_name(std::string_view s) {
  constexpr std::string_view separators = "()<>@,;:\\\"/[]?={}.";
  return !s.empty() && std::all_of(s.begin(), s.end(), [&](char c) {
    return c > 0x20 && c < 0x7f && separators.find(c) == std::string_view::npos;
  });
}

/// Whether it can stand between angle brackets; controls can, as escapes.
bool is_bracketable(std::string_view s) {
  return !s.empty() && s.find_first_of("<>") == std::string_view::npos;
}

bool is_language(std::string_view s) {
  return !s.empty() && s.size() <= 64 &&
         std::all_of(s.begin(), s.end(), [](char c) { return text::is_alnum(c) || c == '-'; });
}

/// The URI in angle brackets at the end of `value`; empty where there is none.
std::string uri_in(std::string_view value) {
  value = value.substr(0, value.find('>'));
  auto uri = plain(value);
  return is_bracketable(uri) ? uri : std::string();
}

/// [ Formal-name ] "<" URI ">", §3.6. A URI without brackets is taken too.
cpim::address address_of(std::string_view value) {
  const auto open = value.rfind('<');
  if (open == std::string_view::npos) return {{}, uri_in(value)};
  auto name = text::trim(value.substr(0, open));
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
  return {unescape(name), uri_in(value.substr(open + 1))};
}

struct tagged {
  std::string_view value;
  std::string lang;
};

/// ";lang=fr Objet": parameters stand between the colon and the first blank outside of quotes (§3.3, §3.6).
tagged without_parameters(const header_block::field& f) {
  tagged out{f.value, {}};
  if (!f.direct) return out;
  while (out.value.starts_with(';')) {
    std::size_t end = 1;
    for (bool quoted = false; end < out.value.size(); ++end) {
      const char c = out.value[end];
      if (quoted && c == '\\') ++end;
      if (c == '"') quoted = !quoted;
      if (!quoted && (c == ';' || c == ' ')) break;
    }
    end = std::min(end, out.value.size());
    const auto parameter = out.value.substr(1, end - 1);
    if (text::istarts_with(parameter, "lang=") && is_language(parameter.substr(5)))
      out.lang = parameter.substr(5);
    out.value.remove_prefix(end);
  }
  out.value = text::trim(out.value);
  return out;
}

/// The namespaces that are in force at a field, §3.4.
class scope {
 public:
  /// "imdn <urn:ietf:params:imdn>"; without a prefix, the namespace of names without one.
  void declare(std::string_view value) {
    const auto open = value.find('<');
    if (open == std::string_view::npos) return;
    const auto prefix = text::trim(value.substr(0, open));
    auto ns = uri_in(value.substr(open + 1));
    if (ns.empty()) return;
    if (ns == core_ns) ns.clear();
    if (prefix.empty()) {
      default_ = std::move(ns);
    } else if (is_name(prefix)) {
      known_.push_back({std::move(ns), std::string(prefix)});
    }
  }

  /// nullopt: no name, or of a prefix that nothing declares.
  std::optional<cpim::header_name> resolve(std::string_view name) const {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos)
      return is_name(name) ? std::optional(cpim::header_name{default_, std::string(name)}) : std::nullopt;
    const auto local = name.substr(dot + 1);
    // The last declaration counts. Prefixes in another case are taken, but for want of a better one.
    const cpim::header_name* found = nullptr;
    for (const auto& k : known_) {
      if (k.name == name.substr(0, dot) || (text::iequals(k.name, name.substr(0, dot)) &&
                                            (found == nullptr || found->name != name.substr(0, dot))))
        found = &k;
    }
    if (found == nullptr || !is_name(local)) return std::nullopt;
    return cpim::header_name{found->ns, std::string(local)};
  }

 private:
  static constexpr std::string_view core_ns = "urn:ietf:params:cpim-headers:";
  std::vector<cpim::header_name> known_;  ///< here `name` is a prefix
  std::string default_;                   ///< empty: that of RFC 3862
};

void add_required(cpim& m, std::string_view value, const scope& names) {
  for (const auto element : text::split(value, ',')) {
    const auto name = text::trim(element);
    if (name.empty()) continue;
    // A prefix that nothing declares asks for something all the same; with its dot it is no name of RFC 3862.
    m.required.push_back(names.resolve(name).value_or(cpim::header_name{{}, std::string(name)}));
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
  const auto head = read_header_block(text, l);
  if (!head) return head.error();
  if (!text::is_utf8(text.substr(0, text.size() - head->rest.size())))
    return error(errc::malformed, "CPIM header fields are not UTF-8");
  cpim out;
  scope names;
  std::string mime_fields;
  for (const auto& f : head->fields) {
    if (is_mime_field(f.name)) {
      mime_fields += f.name + ": " + f.value + "\r\n";
      continue;
    }
    auto name = names.resolve(f.name);
    if (!name) continue;
    const auto [value, lang] = without_parameters(f);
    if (!name->ns.empty() && f.name != "NS") {
      out.extensions.push_back({std::move(name->ns), std::move(name->name), plain(value)});
    } else if (name->name == "From") {
      out.from.push_back(address_of(value));
    } else if (name->name == "To") {
      out.to.push_back(address_of(value));
    } else if (name->name == "cc") {
      out.cc.push_back(address_of(value));
    } else if (name->name == "DateTime") {
      out.date_time = plain(value);
    } else if (name->name == "Subject") {
      out.subjects.push_back({lang, plain(value)});
    } else if (name->name == "NS") {
      names.declare(value);
    } else if (name->name == "Require" || name->name == "Required") {  // AG Projects' SDK writes the latter
      add_required(out, value, names);
    }
  }
  if (!mime_fields.empty()) out.content = std::move(mime_fields) + "\r\n";
  out.content += head->rest;
  if (out.content.empty()) return error(errc::malformed, "CPIM without content");
  return out;
}

namespace {

/// The prefixes of what is written.
class prefixes {
 public:
  /// "imdn." for IMDN's, "x1.", "x2." ... for others; empty for RFC 3862's own.
  std::string of(std::string_view ns) {
    if (ns.empty()) return {};
    const auto at = std::find(named_.begin(), named_.end(), ns);
    const auto number = static_cast<std::size_t>(at - named_.begin()) + 1;
    if (at == named_.end()) named_.push_back(ns);
    return (ns == imdn_header_ns ? "imdn" : "x" + std::to_string(number)) + ".";
  }
  const std::vector<std::string_view>& named() const { return named_; }

 private:
  std::vector<std::string_view> named_;
};

bool can_be_written(std::string_view ns, std::string_view name) {
  return is_name(name) && (ns.empty() || is_bracketable(ns));
}

}  // namespace

std::string write(const cpim& m) {
  std::string out;
  const auto field = [](std::string& to, std::string_view name, std::string_view value) {
    to.append(name).append(": ");
    escape_to(to, value, false);
    to += "\r\n";
  };
  const auto addresses = [&out](std::string_view name, const std::vector<cpim::address>& all) {
    for (const auto& a : all) {
      out.append(name).append(": ");
      if (!a.name.empty()) out += quoted_text(a.name) + " ";
      out += '<';
      if (is_bracketable(a.uri)) escape_to(out, a.uri, false);
      out += ">\r\n";
    }
  };
  addresses("From", m.from);
  addresses("To", m.to);
  addresses("cc", m.cc);
  if (!m.date_time.empty()) field(out, "DateTime", m.date_time);
  for (const auto& s : m.subjects) {
    out += is_language(s.lang) ? "Subject:;lang=" + s.lang + " " : "Subject: ";
    escape_to(out, s.text, false);
    out += "\r\n";
  }
  prefixes known;
  std::string extensions, required;
  for (const auto& e : m.extensions) {
    if (!e.ns.empty() && can_be_written(e.ns, e.name)) field(extensions, known.of(e.ns) + e.name, e.value);
  }
  for (const auto& r : m.required) {
    if (can_be_written(r.ns, r.name)) required += (required.empty() ? "" : ",") + known.of(r.ns) + r.name;
  }
  // §3.4: a declaration precedes every use.
  for (const auto ns : known.named()) {
    const auto prefix = known.of(ns);
    field(out, "NS", prefix.substr(0, prefix.size() - 1) + " <" + std::string(ns) + ">");
  }
  out += extensions;
  if (!required.empty()) field(out, "Require", required);
  return out + "\r\n" + m.content;
}

}  // namespace stox::payload
