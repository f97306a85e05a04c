#include "xmpp/wire/xep/vcard.hpp"

#include <utility>

namespace stox::xmpp::vcard {

namespace {

xml::element write_temp(const card& c) {
  const std::string ns(temp_ns);
  xml::element out("vCard", ns);
  out.add({"FN", ns}).add_text(c.name);
  out.add({"N", ns});  // the DTD of §8 wants one
  out.add({"JABBERID", ns}).add_text(c.jid);
  out.add({"URL", ns}).add_text(c.sip_uri);
  return out;
}

void add_v4(xml::element& to, const char* property, const char* type, const std::string& value) {
  const std::string ns(v4_ns);
  to.add({property, ns}).add({type, ns}).add_text(value);
}

xml::element write_v4(const card& c) {
  xml::element out("vcard", std::string(v4_ns));
  add_v4(out, "fn", "text", c.name);
  add_v4(out, "impp", "uri", c.xmpp_uri);
  add_v4(out, "impp", "uri", c.sip_uri);
  if (c.application) add_v4(out, "kind", "text", "application");
  return out;
}

/// XEP-0060 §6.5.2: <pubsub><items node=''><item id=''>.
xml::element write_pep(const card& c) {
  const std::string ns(pubsub_ns);
  xml::element out("pubsub", ns);
  auto& items = out.add({"items", ns});
  items.set("node", std::string(pep_node));
  items.add({"item", ns}).set("id", "current").add(write_v4(c));
  return out;
}

bool asks_node(const xml::element& pubsub, const char* action) {
  const auto* child = pubsub.child(action, pubsub_ns);
  const auto* node = child == nullptr ? nullptr : child->attr("node");
  return node != nullptr && *node == pep_node;
}

}  // namespace

std::optional<form> form_of(const xml::element& payload) {
  if (payload.is("vCard", temp_ns)) return form::temp;
  if (payload.is("vcard", v4_ns)) return form::v4;
  if (!payload.is("pubsub", pubsub_ns)) return std::nullopt;
  return asks_node(payload, "items") || asks_node(payload, "publish") ? std::optional(form::pep)
                                                                      : std::nullopt;
}

xml::element write(const card& c, form f) {
  switch (f) {
    case form::temp: return write_temp(c);
    case form::v4: return write_v4(c);
    case form::pep: return write_pep(c);
  }
  return {};
}

}  // namespace stox::xmpp::vcard
