#include "xmpp/wire/xep/caps.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "crypto/hash.hpp"

namespace stox::xmpp::caps {

namespace {

constexpr std::string_view hashes_ns = "urn:xmpp:hashes:2";  // XEP-0300

/// The functions that XEP-0300 §4 wants of everybody.
struct function {
  std::string_view name;
  std::string (*run)(std::string_view);
};
constexpr std::array<function, 2> functions{{{"sha-256", crypto::sha256}, {"sha3-256", crypto::sha3_256}}};

// XEP-0390 §4.1: control characters, which XML cannot carry, so that no text can pass for several.
constexpr char end_of_group = 0x1c, end_of_form = 0x1d, end_of_element = 0x1e, end_of_text = 0x1f;

/// Both XEPs sort octets (i;octet), which std::string's order is.
std::string joined(std::vector<std::string> parts, char end) {
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const auto& part : parts) out += part;
  return out + end;
}

std::string hash_of(const function& f, const disco::info& i) { return crypto::base64(f.run(hash_input(i))); }

void add_form(std::string& out, const data_form& form) {
  (out += form.form_type()) += '<';
  auto fields = form.fields;
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.var < b.var; });
  for (auto& field : fields) {
    if (field.var == "FORM_TYPE") continue;
    (out += field.var) += '<';
    std::sort(field.values.begin(), field.values.end());
    for (const auto& value : field.values) (out += value) += '<';
  }
}

}  // namespace

std::string verification_text(const disco::info& i) {
  std::string out;
  auto identities = i.identities;
  std::sort(identities.begin(), identities.end(), [](const auto& a, const auto& b) {
    return std::tie(a.category, a.type, a.lang, a.name) < std::tie(b.category, b.type, b.lang, b.name);
  });
  for (const auto& id : identities) out += id.category + '/' + id.type + '/' + id.lang + '/' + id.name + '<';
  auto features = i.features;
  std::sort(features.begin(), features.end());
  for (const auto& feature : features) (out += feature) += '<';
  auto forms = i.forms;
  std::sort(forms.begin(), forms.end(),
            [](const auto& a, const auto& b) { return a.form_type() < b.form_type(); });
  for (const auto& form : forms) add_form(out, form);
  return out;
}

std::string verification(const disco::info& i) { return crypto::base64(crypto::sha1(verification_text(i))); }

std::string hash_input(const disco::info& i) {
  std::vector<std::string> features;
  for (const auto& feature : i.features) features.push_back(feature + end_of_text);
  std::vector<std::string> identities;
  for (const auto& id : i.identities) {
    std::string one;
    for (const auto* part : {&id.category, &id.type, &id.lang, &id.name}) (one += *part) += end_of_text;
    identities.push_back(one + end_of_element);
  }
  std::vector<std::string> forms;
  for (const auto& form : i.forms) {
    std::vector<std::string> fields;
    for (const auto& field : form.fields) {
      std::vector<std::string> values;
      for (const auto& value : field.values) values.push_back(value + end_of_text);
      fields.push_back(field.var + end_of_text + joined(std::move(values), end_of_element));
    }
    forms.push_back(joined(std::move(fields), end_of_form));
  }
  return joined(std::move(features), end_of_group) + joined(std::move(identities), end_of_group) +
         joined(std::move(forms), end_of_group);
}

std::vector<xml::element> write(const disco::info& i) {
  xml::element first("c", std::string(ns));
  first.set("hash", "sha-1").set("node", std::string(software)).set("ver", verification(i));
  xml::element second("c", std::string(ns_2));
  for (const auto& f : functions) {
    auto& hash = second.add({"hash", std::string(hashes_ns)});
    hash.set("algo", std::string(f.name)).add_text(hash_of(f, i));
  }
  return {std::move(first), std::move(second)};
}

bool is_node_of(std::string_view node, const disco::info& i) {
  if (node == std::string(software) + '#' + verification(i)) return true;
  return std::any_of(functions.begin(), functions.end(), [&](const function& f) {
    return node == std::string(ns_2) + '#' + std::string(f.name) + '.' + hash_of(f, i);
  });
}

}  // namespace stox::xmpp::caps
