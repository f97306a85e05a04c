#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element.hpp"

namespace stox::xmpp {

/// XEP-0004, a form of type "result" as disco carries it (XEP-0128).
struct data_form {
  struct field {
    std::string var;
    std::string type;  ///< "hidden"; "" if none is said
    std::vector<std::string> values;
    friend bool operator==(const field&, const field&) = default;
  };

  static constexpr std::string_view ns = "jabber:x:data";

  std::vector<field> fields;

  /// XEP-0068: what the form is about; "" if it does not say.
  std::string form_type() const;
  friend bool operator==(const data_form&, const data_form&) = default;
};

xml::element write(const data_form& f);
/// nullopt if the element is no form of type "result". A field without a name is left out.
std::optional<data_form> parse_form(const xml::element& e);

}  // namespace stox::xmpp
