#include "xml/element.hpp"

#include <algorithm>

namespace stox::xml {

const std::string* element::attr(std::string_view attribute_name) const {
  for (const auto& a : attributes) {
    if (a.ns.empty() && a.name == attribute_name) return &a.value;
  }
  return nullptr;
}

element& element::set(std::string_view attribute_name, std::string value) {
  for (auto& a : attributes) {
    if (a.ns.empty() && a.name == attribute_name) {
      a.value = std::move(value);
      return *this;
    }
  }
  attributes.push_back({std::string(attribute_name), {}, std::move(value)});
  return *this;
}

const element* element::child(std::string_view local_name, std::string_view name_space) const {
  for (const auto& c : children) {
    const auto* const e = c.as_element();
    if (e != nullptr && e->is(local_name, name_space)) return e;
  }
  return nullptr;
}

std::vector<const element*> element::elements() const {
  std::vector<const element*> out;
  for (const auto& c : children) {
    if (const auto* const e = c.as_element()) out.push_back(e);
  }
  return out;
}

std::string element::text() const {
  std::string out;
  for (const auto& c : children) {
    if (const auto* const t = c.as_text()) out += *t;
  }
  return out;
}

element& element::add(element child) {
  children.push_back({std::move(child)});
  return std::get<element>(children.back().value);
}

element& element::add_text(std::string text) {
  children.push_back({std::move(text)});
  return *this;
}

bool operator==(const element& a, const element& b) {
  return a.name == b.name && a.ns == b.ns && a.attributes == b.attributes && a.children == b.children;
}

}  // namespace stox::xml
