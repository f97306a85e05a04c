#include "cli/answer_text.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace stox::cli {

namespace {

namespace json = boost::json;

// What the daemon says may hold words of peers: nothing may reach the terminal as a command to it.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out;
}

std::string shown(const json::value& v) {
  if (const auto* s = v.if_string()) return plain({s->data(), s->size()});
  if (const auto* b = v.if_bool()) return *b ? "yes" : "no";
  return json::serialize(v);
}

std::string series(const json::object& sample) {
  std::string labels;
  if (const auto* object = sample.if_contains("labels"); object != nullptr && object->is_object()) {
    for (const auto& [name, value] : object->get_object()) {
      labels += (labels.empty() ? "" : " ") + plain(name) + "=" + shown(value);
    }
  }
  const auto* name = sample.if_contains("name");
  return (name != nullptr ? shown(*name) : "?") + (labels.empty() ? "" : " (" + labels + ")");
}

void add_line(std::string& out, std::string_view name, std::string_view value, std::size_t width) {
  out += name;
  out.append(width > name.size() ? width - name.size() : 1, ' ');
  out += value;
  out += '\n';
}

void add_samples(std::string& out, const json::array& samples) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& one : samples) {
    const auto* sample = one.if_object();
    const auto* value = sample == nullptr ? nullptr : sample->if_contains("value");
    if (value == nullptr) continue;
    auto text = shown(*value);
    if (text != "0") lines.emplace_back(series(*sample), std::move(text));
  }
  std::size_t width = 0;
  for (const auto& [name, value] : lines) width = std::max(width, name.size() + 2);
  if (!lines.empty()) out += '\n';
  for (const auto& [name, value] : lines) add_line(out, name, value, width);
}

std::string member(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains({name.data(), name.size()});
  return value == nullptr ? std::string() : shown(*value);
}

// TIME KIND [domain=DOMAIN] DETAIL. A detail that is the log's line begins with the kind itself.
void add_incidents(std::string& out, const json::array& incidents) {
  for (const auto& one : incidents) {
    const auto* incident = one.if_object();
    if (incident == nullptr) continue;
    const auto kind = member(*incident, "kind"), domain = member(*incident, "domain");
    auto detail = member(*incident, "detail");
    if (detail.starts_with(kind + " ")) detail.erase(0, kind.size() + 1);
    out += member(*incident, "at") + " " + kind;
    if (!domain.empty()) out += " domain=" + domain;
    if (!detail.empty()) out += " " + detail;
    out += '\n';
  }
}

}  // namespace

bool says_ready(std::string_view text) {
  json::error_code failed;
  const auto value = json::parse({text.data(), text.size()}, failed);
  if (failed || !value.is_object()) return true;
  const auto* ready = value.get_object().if_contains("ready");
  return ready == nullptr || !ready->is_bool() || ready->get_bool();
}

result<std::string> answer_text(std::string_view text) {
  json::error_code failed;
  const auto value = json::parse({text.data(), text.size()}, failed);
  if (failed || !value.is_object()) return error(errc::refused, "the daemon's answer is no JSON object");
  const auto& object = value.get_object();
  if (const auto* why = object.if_contains("error")) return error(errc::refused, shown(*why));
  std::size_t width = 0;
  for (const auto& [name, field] : object) width = std::max(width, name.size() + 2);
  std::string out;
  for (const auto& [name, field] : object) {
    if (field.is_array()) continue;
    const auto field_text = shown(field);
    if (!field_text.empty()) add_line(out, plain(name), field_text, width);
  }
  if (const auto* samples = object.if_contains("samples"); samples != nullptr && samples->is_array()) {
    add_samples(out, samples->get_array());
  }
  if (const auto* found = object.if_contains("incidents"); found != nullptr && found->is_array()) {
    add_incidents(out, found->get_array());
  }
  return out;
}

}  // namespace stox::cli
