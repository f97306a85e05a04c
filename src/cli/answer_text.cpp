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

std::string joined(const json::value* list, std::string_view before) {
  std::string out;
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& item : list->get_array()) {
    if (!out.empty()) out += ' ';
    out += before;
    out += shown(item);
  }
  return out;
}

// "KEY  OLD -> NEW" or "KEY  +ADDED -REMOVED".
void add_changes(std::string& out, std::string_view title, const json::array& changes) {
  for (const auto& one : changes) {
    const auto* change = one.if_object();
    if (change == nullptr) continue;
    out += title;
    out += member(*change, "key");
    const auto added = joined(change->if_contains("added"), "+");
    const auto removed = joined(change->if_contains("removed"), "-");
    if (!added.empty()) out += " " + added;
    if (!removed.empty()) out += " " + removed;
    if (change->contains("old")) out += " " + member(*change, "old") + " -> " + member(*change, "new");
    out += '\n';
  }
}

void add_lines(std::string& out, std::string_view title, const json::array& texts) {
  for (const auto& text : texts) out.append(title).append(shown(text)).append("\n");
}

using row = std::vector<std::string>;

row row_of(const json::object& o) {
  row out;
  for (const auto& [name, value] : o) out.push_back(shown(value));
  return out;
}

// A table under the names of its columns; what is empty is "-".
void add_table(std::string& out, std::string_view title, const json::array& objects) {
  std::vector<row> rows;
  for (const auto& one : objects) {
    const auto* object = one.if_object();
    if (object == nullptr) continue;
    if (rows.empty()) {
      rows.emplace_back();
      for (const auto& [name, value] : *object) rows.back().push_back(plain(name));
    }
    rows.push_back(row_of(*object));
  }
  if (!out.empty()) out += '\n';
  if (rows.empty()) {
    out.append("no ").append(title).append("\n");
    return;
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (auto& r : rows) {
    r.resize(widths.size());
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (r[i].empty()) r[i] = "-";
      widths[i] = std::max(widths[i], r[i].size() + 2);
    }
  }
  for (const auto& r : rows) {
    for (std::size_t i = 0; i + 1 < r.size(); ++i) {
      out += r[i];
      out.append(widths[i] - r[i].size(), ' ');
    }
    out += r.back() + '\n';
  }
}

void add_array(std::string& out, std::string_view name, const json::array& array) {
  if (name == "samples") return add_samples(out, array);
  if (name == "incidents") return add_incidents(out, array);
  if (name == "changed") return add_changes(out, "changed: ", array);
  if (name == "waiting_for_restart") return add_changes(out, "waits for a restart: ", array);
  if (name == "warnings") return add_lines(out, "warning: ", array);
  if (name == "problems") return add_lines(out, "problem: ", array);
  add_table(out, plain(name), array);
}

}  // namespace

bool says(std::string_view field, std::string_view text) {
  json::error_code failed;
  const auto value = json::parse({text.data(), text.size()}, failed);
  if (failed || !value.is_object()) return true;
  const auto* told = value.get_object().if_contains({field.data(), field.size()});
  return told == nullptr || !told->is_bool() || told->get_bool();
}

result<std::string> answer_text(std::string_view text) {
  json::error_code failed;
  const auto value = json::parse({text.data(), text.size()}, failed);
  if (failed || !value.is_object()) return error(errc::refused, "the daemon's answer is no JSON object");
  const auto& object = value.get_object();
  if (const auto* why = object.if_contains("error")) {
    auto words = shown(*why);
    if (const auto* more = object.if_contains("errors"); more != nullptr && more->is_array()) {
      for (const auto& one : more->get_array()) words += "\n" + shown(one);
    }
    return error(errc::refused, std::move(words));
  }
  std::size_t width = 0;
  for (const auto& [name, field] : object) {
    if (!field.is_array()) width = std::max(width, name.size() + 2);
  }
  std::string out;
  for (const auto& [name, field] : object) {
    if (field.is_array()) continue;
    const auto field_text = shown(field);
    if (!field_text.empty()) add_line(out, plain(name), field_text, width);
  }
  for (const auto& [name, field] : object) {
    if (field.is_array()) add_array(out, name, field.get_array());
  }
  return out;
}

}  // namespace stox::cli
