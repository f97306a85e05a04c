#include <algorithm>
#include <array>

#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/stanza_text.hpp"

namespace stox::xmpp {

namespace {

struct row {
  std::string_view name;
  error_type usual;
};
// RFC 6120 §8.3.3.1-22, in the order of the enum. Where it allows two types, the first.
constexpr std::array<row, condition_count> conditions{{
    {"bad-request", error_type::modify},
    {"conflict", error_type::cancel},
    {"feature-not-implemented", error_type::cancel},
    {"forbidden", error_type::auth},
    {"gone", error_type::cancel},
    {"internal-server-error", error_type::cancel},
    {"item-not-found", error_type::cancel},
    {"jid-malformed", error_type::modify},
    {"not-acceptable", error_type::modify},
    {"not-allowed", error_type::cancel},
    {"not-authorized", error_type::auth},
    {"policy-violation", error_type::modify},
    {"recipient-unavailable", error_type::wait},
    {"redirect", error_type::modify},
    {"registration-required", error_type::auth},
    {"remote-server-not-found", error_type::cancel},
    {"remote-server-timeout", error_type::wait},
    {"resource-constraint", error_type::wait},
    {"service-unavailable", error_type::cancel},
    {"subscription-required", error_type::auth},
    {"undefined-condition", error_type::cancel},
    {"unexpected-request", error_type::wait},
}};

constexpr std::string_view blocking_errors_ns = "urn:xmpp:blocking:errors";

constexpr std::array<std::string_view, 5> type_names{"auth", "cancel", "continue", "modify", "wait"};

std::optional<error_type> parse_type(std::string_view s) {
  const auto* found = std::find(type_names.begin(), type_names.end(), s);
  if (found == type_names.end()) return std::nullopt;
  return static_cast<error_type>(found - type_names.begin());
}

}  // namespace

std::string_view to_string(condition c) { return conditions[static_cast<std::size_t>(c)].name; }

std::optional<condition> parse_condition(std::string_view s) {
  const auto* found =
      std::find_if(conditions.begin(), conditions.end(), [s](const row& r) { return r.name == s; });
  if (found == conditions.end()) return std::nullopt;
  return static_cast<condition>(found - conditions.begin());
}

std::string_view to_string(error_type t) { return type_names[static_cast<std::size_t>(t)]; }

error_type usual_type(condition c) { return conditions[static_cast<std::size_t>(c)].usual; }

stanza_error parse_error(const xml::element& e) {
  stanza_error out;
  bool found = false;
  for (const auto* child : e.elements()) {
    if (child->is("blocked", blocking_errors_ns)) out.blocked = true;
    if (child->ns != stanzas_ns) continue;
    if (child->name == "text") {
      if (!out.text.empty()) continue;
      out.text = child->text();
      const auto* lang = child->attr("xml:lang");
      out.lang = lang == nullptr ? std::string() : *lang;
    } else if (const auto c = parse_condition(child->name); c && !found) {
      found = true;
      out.condition = *c;
      if (*c == condition::gone || *c == condition::redirect) out.new_address = child->text();
    }
  }
  const auto* type = e.attr("type");
  const auto known = type != nullptr ? parse_type(*type) : std::nullopt;
  out.type = known.value_or(usual_type(out.condition));
  return out;
}

void write_error_to(std::string& out, const stanza_error& e) {
  const auto name = to_string(e.condition);
  out.append("<error type='").append(to_string(e.type)).append("'><");
  out.append(name).append(" xmlns='").append(stanzas_ns);
  if (e.new_address.empty()) {
    out += "'/>";
  } else {
    out += "'>";
    xml::escape_to(out, e.new_address);
    out.append("</").append(name) += '>';
  }
  if (!e.text.empty()) {
    out.append("<text xmlns='").append(stanzas_ns) += '\'';
    if (!e.lang.empty()) {
      out += " xml:lang='";
      xml::escape_to(out, e.lang);
      out += '\'';
    }
    out += '>';
    xml::escape_to(out, e.text);
    out += "</text>";
  }
  if (e.blocked) out.append("<blocked xmlns='").append(blocking_errors_ns) += "'/>";
  out += "</error>";
}

}  // namespace stox::xmpp
