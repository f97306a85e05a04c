#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stox::xml {

inline constexpr std::string_view xml_ns = "http://www.w3.org/XML/1998/namespace";

struct attribute {
  std::string name;  ///< local name; attributes of the xml namespace keep their prefix: "xml:lang"
  std::string ns;    ///< empty for unprefixed and for "xml:..." attributes
  std::string value;
  friend bool operator==(const attribute&, const attribute&) = default;
};

struct node;

/// One XML element as a value. Text is unescaped; namespaces are resolved, prefixes are not kept.
struct element {
  std::string name;
  std::string ns;
  std::vector<attribute> attributes;
  std::vector<node> children;

  element() = default;
  element(std::string local_name, std::string name_space);

  bool is(std::string_view local_name, std::string_view name_space) const {
    return name == local_name && ns == name_space;
  }
  /// The attribute's value, or nullptr. "xml:lang" by that name.
  const std::string* attr(std::string_view attribute_name) const;
  element& set(std::string_view attribute_name, std::string value);  ///< returns *this, for building
  /// The first child of that name and namespace, or nullptr.
  const element* child(std::string_view local_name, std::string_view name_space) const;
  std::vector<const element*> elements() const;  ///< children that are elements
  std::string text() const;                      ///< the direct text children, joined
  element& add(element child);                   ///< returns the child
  element& add_text(std::string text);           ///< returns *this
  friend bool operator==(const element&, const element&);
};

/// A child: an element or text.
struct node {
  std::variant<element, std::string> value;
  const element* as_element() const { return std::get_if<element>(&value); }
  const std::string* as_text() const { return std::get_if<std::string>(&value); }
  friend bool operator==(const node&, const node&) = default;
};

inline element::element(std::string local_name, std::string name_space)
    : name(std::move(local_name)), ns(std::move(name_space)) {}

/// Serialises. `default_ns` is the namespace in force where the text goes: an element in it carries no xmlns.
std::string write(const element& e, std::string_view default_ns);
void write_to(std::string& out, const element& e, std::string_view default_ns);
/// One canonical form for comparing in tests: attributes sorted, children of mixed whitespace-only text
/// dropped, indented.
std::string canonical(const element& e);

/// Escapes for text and for attribute values in either quote; bytes that XML 1.0 cannot carry (controls,
/// U+FFFE, U+FFFF, bad UTF-8) become U+FFFD, so that nothing we write can break the stream.
void escape_to(std::string& out, std::string_view text);
std::string escape(std::string_view text);
/// Whether text holds only characters that XML 1.0 §2.2 allows, in valid UTF-8.
bool is_xml_text(std::string_view text);

}  // namespace stox::xml
