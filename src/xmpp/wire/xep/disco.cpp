#include "xmpp/wire/xep/disco.hpp"

#include <utility>

namespace stox::xmpp::disco {

namespace {

std::string value_of(const xml::element& e, std::string_view attribute) {
  const auto* value = e.attr(attribute);
  return value == nullptr ? std::string() : *value;
}

xml::element query_of(std::string_view ns, const std::string& node) {
  xml::element out("query", std::string(ns));
  if (!node.empty()) out.set("node", node);
  return out;
}

}  // namespace

xml::element write(const info& i) {
  xml::element out = query_of(info_ns, i.node);
  for (const auto& id : i.identities) {
    auto& e = out.add({"identity", std::string(info_ns)});
    e.set("category", id.category).set("type", id.type);
    if (!id.name.empty()) e.set("name", id.name);
    if (!id.lang.empty()) e.set("xml:lang", id.lang);
  }
  for (const auto& f : i.features) out.add({"feature", std::string(info_ns)}).set("var", f);
  for (const auto& f : i.forms) out.add(xmpp::write(f));
  return out;
}

xml::element write(const items& i) {
  xml::element out = query_of(items_ns, i.node);
  for (const auto& one : i.list) {
    auto& e = out.add({"item", std::string(items_ns)});
    e.set("jid", one.jid.to_string());
    if (!one.node.empty()) e.set("node", one.node);
    if (!one.name.empty()) e.set("name", one.name);
  }
  return out;
}

std::optional<info> parse_info(const xml::element& query) {
  if (!query.is("query", info_ns)) return std::nullopt;
  info out;
  out.node = value_of(query, "node");
  for (const auto* child : query.elements()) {
    if (child->is("identity", info_ns)) {
      identity id{value_of(*child, "category"), value_of(*child, "type"), value_of(*child, "name"),
                  value_of(*child, "xml:lang")};
      if (!id.category.empty() && !id.type.empty()) out.identities.push_back(std::move(id));
    } else if (child->is("feature", info_ns)) {
      if (auto var = value_of(*child, "var"); !var.empty()) out.features.push_back(std::move(var));
    } else if (auto form = parse_form(*child)) {
      out.forms.push_back(*std::move(form));
    }
  }
  return out;
}

std::optional<items> parse_items(const xml::element& query) {
  if (!query.is("query", items_ns)) return std::nullopt;
  items out;
  out.node = value_of(query, "node");
  for (const auto* child : query.elements()) {
    if (!child->is("item", items_ns)) continue;
    auto address = jid::parse(value_of(*child, "jid"));
    if (address)
      out.list.push_back({std::move(*address), value_of(*child, "node"), value_of(*child, "name")});
  }
  return out;
}

}  // namespace stox::xmpp::disco
