#include "xmpp/wire/xep/data_form.hpp"

#include <utility>

namespace stox::xmpp {

std::string data_form::form_type() const {
  for (const auto& f : fields) {
    if (f.var == "FORM_TYPE" && !f.values.empty()) return f.values.front();
  }
  return {};
}

xml::element write(const data_form& f) {
  const std::string ns(data_form::ns);
  xml::element out("x", ns);
  out.set("type", "result");
  for (const auto& one : f.fields) {
    auto& field = out.add({"field", ns});
    field.set("var", one.var);
    if (!one.type.empty()) field.set("type", one.type);
    for (const auto& value : one.values) field.add({"value", ns}).add_text(value);
  }
  return out;
}

std::optional<data_form> parse_form(const xml::element& e) {
  const auto* type = e.is("x", data_form::ns) ? e.attr("type") : nullptr;
  if (type == nullptr || *type != "result") return std::nullopt;
  data_form out;
  for (const auto* child : e.elements()) {
    const auto* var = child->is("field", data_form::ns) ? child->attr("var") : nullptr;
    if (var == nullptr) continue;
    const auto* field_type = child->attr("type");
    data_form::field field{*var, field_type == nullptr ? std::string() : *field_type, {}};
    for (const auto* value : child->elements()) {
      if (value->is("value", data_form::ns)) field.values.push_back(value->text());
    }
    out.fields.push_back(std::move(field));
  }
  return out;
}

}  // namespace stox::xmpp
