#include "xmpp/wire/stanza.hpp"

#include <algorithm>
#include <array>

#include "xmpp/wire/stanza_text.hpp"
#include "xmpp/wire/stream.hpp"

namespace stox::xmpp {

namespace {

constexpr std::array<std::string_view, 5> message_types{"normal", "chat", "groupchat", "headline", "error"};
constexpr std::array<std::string_view, 4> iq_types{"get", "set", "result", "error"};

template <class Enum, std::size_t N>
std::optional<Enum> enum_of(const std::array<std::string_view, N>& names, std::string_view s) {
  const auto* found = std::find(names.begin(), names.end(), s);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

bool is_stream_content(std::string_view ns) {
  return ns == component_ns || ns == "jabber:client" || ns == "jabber:server";
}

std::string attr_or_empty(const xml::element& e, std::string_view name) {
  const auto* value = e.attr(name);
  return value == nullptr ? std::string() : *value;
}

/// What all three kinds share.
struct head {
  jid from;
  std::optional<jid> to;
};

result<head> parse_head(const xml::element& e) {
  head out;
  const auto* from = e.attr("from");
  if (from == nullptr) return error{stanza_errc::bad_address, "no from"};
  auto sender = jid::parse(*from);
  if (!sender) return error{stanza_errc::bad_address, "from: " + sender.error().to_string()};
  out.from = std::move(*sender);
  if (const auto* to = e.attr("to")) {
    auto recipient = jid::parse(*to);
    if (!recipient) return error{stanza_errc::bad_address, "to: " + recipient.error().to_string()};
    out.to = std::move(*recipient);
  }
  return out;
}

/// RFC 6120 §4.8.3: the namespace of stanzas belongs to the stream they are on, so what came in another
/// stream's is carried over to ours. An element of a foreign namespace ends the search: what it holds (a
/// forwarded stanza) is data.
void move_to_our_stream(xml::element& e, const std::string& stanza_namespace) {
  if (e.ns != stanza_namespace) return;
  e.ns = component_ns;
  for (auto& child : e.children) {
    if (auto* inner = std::get_if<xml::element>(&child.value)) move_to_our_stream(*inner, stanza_namespace);
  }
}

xml::element payload_of(const xml::element& child, const xml::element& stanza_element) {
  xml::element out = child;
  if (stanza_element.ns != component_ns) move_to_our_stream(out, stanza_element.ns);
  return out;
}

result<stanza> parse_message(const xml::element& e, head h) {
  message m;
  m.from = std::move(h.from);
  m.to = std::move(h.to);
  m.id = attr_or_empty(e, "id");
  m.lang = attr_or_empty(e, "xml:lang");
  // RFC 6121 §5.2.2: an absent or unknown type is normal.
  m.type = enum_of<message_type>(message_types, attr_or_empty(e, "type")).value_or(message_type::normal);
  const auto language_of = [&m](const xml::element& child) {
    const auto* own = child.attr("xml:lang");
    return own == nullptr ? m.lang : *own;
  };
  for (const auto* child : e.elements()) {
    if (child->is("subject", e.ns)) {
      m.subjects.push_back({language_of(*child), child->text()});
    } else if (child->is("body", e.ns)) {
      m.bodies.push_back({language_of(*child), child->text()});
    } else if (child->is("thread", e.ns) && !m.thread) {
      m.thread = child->text();
      if (const auto* parent = child->attr("parent")) m.thread_parent = *parent;
    } else if (child->is("error", e.ns) && m.type == message_type::error && !m.error) {
      m.error = parse_error(*child);
    } else {
      m.payloads.push_back(payload_of(*child, e));
    }
  }
  if (m.type == message_type::error && !m.error) m.error = stanza_error{};
  return stanza(std::move(m));
}

result<stanza> parse_iq(const xml::element& e, head h) {
  iq i;
  i.from = std::move(h.from);
  i.to = std::move(h.to);
  i.id = attr_or_empty(e, "id");
  if (i.id.empty()) return error{stanza_errc::bad_iq, "no id"};
  const auto type = enum_of<iq_type>(iq_types, attr_or_empty(e, "type"));
  if (!type) return error{stanza_errc::bad_iq, "no known type"};
  i.type = *type;
  std::size_t payloads = 0;
  for (const auto* child : e.elements()) {
    if (i.type == iq_type::error && child->is("error", e.ns)) {
      if (!i.error) i.error = parse_error(*child);
    } else if (++payloads == 1) {
      i.payload = payload_of(*child, e);
    }
  }
  // RFC 6120 §8.2.3 rules 5 to 7: one child in a request, at most one in a result; an error may repeat the
  // request's.
  const bool request = i.type == iq_type::get || i.type == iq_type::set;
  if (request && payloads != 1) return error{stanza_errc::bad_iq, "not exactly one payload"};
  if (i.type == iq_type::result && payloads > 1) return error{stanza_errc::bad_iq, "several payloads"};
  if (i.type == iq_type::error && !i.error) i.error = stanza_error{};
  return stanza(std::move(i));
}

result<stanza> parse_presence(const xml::element& e, head h) {
  presence p;
  p.from = std::move(h.from);
  p.to = std::move(h.to);
  p.id = attr_or_empty(e, "id");
  p.type = attr_or_empty(e, "type");
  for (const auto* child : e.elements()) {
    if (child->is("error", e.ns) && p.type == "error" && !p.error) {
      p.error = parse_error(*child);
    } else {
      p.payloads.push_back(payload_of(*child, e));
    }
  }
  if (p.type == "error" && !p.error) p.error = stanza_error{};
  return stanza(std::move(p));
}

void write_attribute_always(std::string& out, std::string_view name, std::string_view value) {
  out.append(" ").append(name).append("='");
  // XML 1.0 §3.3.3: a tab or line end in an attribute is read as a blank unless it is a reference; an id must
  // come back as it was.
  for (;;) {
    const auto* at = std::find_if(value.begin(), value.end(), [](char c) { return c == '\t' || c == '\n'; });
    const auto plain = static_cast<std::size_t>(at - value.begin());
    xml::escape_to(out, value.substr(0, plain));
    if (plain == value.size()) break;
    out += *at == '\t' ? "&#9;" : "&#10;";
    value.remove_prefix(plain + 1);
  }
  out += '\'';
}

void write_attribute(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) write_attribute_always(out, name, value);
}

void open_stanza(std::string& out, std::string_view name, const jid& from, const std::optional<jid>& to,
                 std::string_view type, std::string_view id) {
  out.append("<").append(name);
  write_attribute(out, "from", from.to_string());
  if (to) write_attribute(out, "to", to->to_string());
  write_attribute(out, "type", type);
  write_attribute(out, "id", id);
}

void write_text_element(std::string& out, std::string_view name, const lang_text& t,
                        std::string_view inherited) {
  out.append("<").append(name);
  // An empty xml:lang takes the inherited one away, so here it is written.
  if (t.lang != inherited) write_attribute_always(out, "xml:lang", t.lang);
  out += '>';
  xml::escape_to(out, t.text);
  out.append("</").append(name) += '>';
}

/// The start of an answer: the addresses change places.
std::string open_answer(std::string_view name, const jid& from, const std::optional<jid>& to,
                        std::string_view type, std::string_view id) {
  std::string out;
  out.append("<").append(name);
  if (to) write_attribute(out, "from", to->to_string());
  write_attribute(out, "to", from.to_string());
  write_attribute(out, "type", type);
  write_attribute(out, "id", id);
  out += '>';
  return out;
}

std::string error_answer(std::string_view name, const jid& from, const std::optional<jid>& to,
                         std::string_view id, const stanza_error& e) {
  std::string out = open_answer(name, from, to, "error", id);
  write_error_to(out, e);
  out.append("</").append(name) += '>';
  return out;
}

}  // namespace

std::string_view to_string(message_type t) { return message_types[static_cast<std::size_t>(t)]; }

const char* errc_name(stanza_errc e) {
  switch (e) {
    case stanza_errc::not_a_stanza: return "not_a_stanza";
    case stanza_errc::bad_address: return "bad_address";
    case stanza_errc::bad_iq: return "bad_iq";
  }
  return "?";
}

boost::system::result<stanza, stox::error> parse_stanza(const xml::element& e) {
  const bool known = e.name == "message" || e.name == "iq" || e.name == "presence";
  if (!known || !is_stream_content(e.ns)) return stox::error{stanza_errc::not_a_stanza};
  auto h = parse_head(e);
  if (!h) return h.error();
  if (e.name == "message") return parse_message(e, std::move(*h));
  if (e.name == "iq") return parse_iq(e, std::move(*h));
  return parse_presence(e, std::move(*h));
}

std::string write(const message& m) {
  std::string out;
  // Most have one body, and words of ours that take little.
  out.reserve(512 + (m.bodies.empty() ? 0 : m.bodies.front().text.size()));
  // RFC 6121 §5.2.2: normal is the default and needs no attribute.
  open_stanza(out, "message", m.from, m.to, m.type == message_type::normal ? "" : to_string(m.type), m.id);
  write_attribute(out, "xml:lang", m.lang);
  out += '>';
  for (const auto& s : m.subjects) write_text_element(out, "subject", s, m.lang);
  for (const auto& b : m.bodies) write_text_element(out, "body", b, m.lang);
  if (m.thread) {
    out += "<thread";
    if (m.thread_parent) write_attribute(out, "parent", *m.thread_parent);
    out += '>';
    xml::escape_to(out, *m.thread);
    out += "</thread>";
  }
  if (m.error) write_error_to(out, *m.error);
  for (const auto& p : m.payloads) xml::write_to(out, p, component_ns);
  out += "</message>";
  return out;
}

std::string write(const iq& i) {
  std::string out;
  open_stanza(out, "iq", i.from, i.to, iq_types[static_cast<std::size_t>(i.type)], i.id);
  out += '>';
  if (i.error) write_error_to(out, *i.error);
  if (i.payload) xml::write_to(out, *i.payload, component_ns);
  out += "</iq>";
  return out;
}

std::string write(const presence& p) {
  std::string out;
  open_stanza(out, "presence", p.from, p.to, p.type, p.id);
  out += '>';
  if (p.error) write_error_to(out, *p.error);
  for (const auto& child : p.payloads) xml::write_to(out, child, component_ns);
  out += "</presence>";
  return out;
}

std::optional<std::string> write_error_reply(const stanza& s, const stanza_error& e) {
  struct answer {
    const stanza_error& e;
    std::optional<std::string> operator()(const message& m) const {
      if (m.type == message_type::error || !m.to) return std::nullopt;
      return error_answer("message", m.from, m.to, m.id, e);
    }
    std::optional<std::string> operator()(const iq& i) const {
      if (i.type == iq_type::error || i.type == iq_type::result || !i.to) return std::nullopt;
      return error_answer("iq", i.from, i.to, i.id, e);
    }
    std::optional<std::string> operator()(const presence& p) const {
      if (p.type == "error" || !p.to) return std::nullopt;
      return error_answer("presence", p.from, p.to, p.id, e);
    }
  };
  return std::visit(answer{e}, s);
}

std::optional<std::string> write_error_reply(const xml::element& raw, const stanza_error& e) {
  const bool known = raw.name == "message" || raw.name == "iq" || raw.name == "presence";
  if (!known || !is_stream_content(raw.ns)) return std::nullopt;
  const auto type = attr_or_empty(raw, "type");
  if (type == "error" || (raw.name == "iq" && type == "result")) return std::nullopt;
  if (auto h = parse_head(raw)) {
    if (!h->to) return std::nullopt;
    return error_answer(raw.name, h->from, h->to, attr_or_empty(raw, "id"), e);
  }
  // RFC 6120 §8.3.3.8: also whose address we cannot read hears that it is malformed; it goes back as it came.
  const auto from = attr_or_empty(raw, "from");
  const auto to = attr_or_empty(raw, "to");
  if (from.empty() || to.empty()) return std::nullopt;
  xml::element out(raw.name, std::string(component_ns));
  out.set("from", to).set("to", from).set("type", "error");
  if (const auto id = attr_or_empty(raw, "id"); !id.empty()) out.set("id", id);
  std::string text = xml::write(out, component_ns);
  text.resize(text.size() - 2);  // the "/>" of an element without children
  text += '>';
  write_error_to(text, e);
  return text + "</" + raw.name + ">";
}

std::string write_result(const iq& request, const std::optional<xml::element>& payload) {
  std::string out = open_answer("iq", request.from, request.to, "result", request.id);
  if (payload) xml::write_to(out, *payload, component_ns);
  out += "</iq>";
  return out;
}

}  // namespace stox::xmpp
