#include "support/golden_file.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/text.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"

namespace stox::testing {

namespace {

/// "-- in sip --" as a section without text.
bool read_marker(std::string_view line, section& out) {
  if (!line.starts_with("-- ") || !line.ends_with(" --") || line.size() < 7) return false;
  const auto words = text::split(line.substr(3, line.size() - 6), ' ');
  static constexpr std::string_view kinds[] = {"config", "pending", "in", "out", "dropped", "back"};
  if (std::find(std::begin(kinds), std::end(kinds), words.front()) == std::end(kinds) || words.size() > 2)
    return false;
  out = {std::string(words.front()), words.size() == 2 ? std::string(words[1]) : std::string{}, {}};
  return true;
}

std::string marker(const section& s) {
  return "-- " + s.kind + (s.form.empty() ? "" : " " + s.form) + " --\n";
}

std::string_view unquoted(std::string_view s) {
  s = text::trim(s);
  return s.size() >= 2 && s.front() == '"' && s.back() == '"' ? s.substr(1, s.size() - 2) : s;
}

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

void drop_stream_namespace(xml::element& e) {
  if (e.ns != "jabber:client") return;
  e.ns.clear();
  for (auto& child : e.children) {
    if (auto* inner = std::get_if<xml::element>(&child.value)) drop_stream_namespace(*inner);
  }
}

}  // namespace

golden_file golden_file::load(const std::filesystem::path& path) {
  golden_file out;
  out.path = path;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  bool has_spec = false;
  while (std::getline(in, line)) {
    section next;
    if (read_marker(line, next)) {
      out.sections.push_back(std::move(next));
    } else if (!out.sections.empty()) {
      out.sections.back().text += line + '\n';
    } else if (line.starts_with("# ")) {
      has_spec = has_spec || line.starts_with("# spec: ");
      out.comments.push_back(line);
    } else {
      out.defect = "a line before the first section is no comment: " + line;
    }
  }
  for (auto& s : out.sections) {
    if (s.text.ends_with('\n')) s.text.pop_back();
  }
  if (out.comments.empty() || !has_spec)
    out.defect = "the header needs a sentence and a line \"# spec: ...\"";
  if (out.find("in") == nullptr) out.defect = "no section in";
  return out;
}

void golden_file::save() const {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  for (const auto& c : comments) out << c << '\n';
  for (const auto& s : sections) out << marker(s) << s.text << (s.text.empty() ? "" : "\n");
}

std::string golden_file::sentence() const {
  return comments.empty() ? path.string() : comments.front().substr(2);
}

const section* golden_file::find(std::string_view kind) const {
  const auto at =
      std::find_if(sections.begin(), sections.end(), [kind](const section& s) { return s.kind == kind; });
  return at != sections.end() ? &*at : nullptr;
}

std::string golden_file::text_of(std::string_view kind) const {
  const auto* s = find(kind);
  return s != nullptr ? s->text : std::string{};
}

std::string golden_file::config(std::string_view key) const {
  const std::string all = text_of("config");
  for (const auto line : text::split(all, '\n')) {
    const auto equals = line.find('=');
    if (equals != std::string_view::npos && text::trim(line.substr(0, equals)) == key) {
      return std::string(unquoted(line.substr(equals + 1)));
    }
  }
  return {};
}

std::vector<std::string> golden_file::config_list(std::string_view key) const {
  std::vector<std::string> out;
  const std::string value = config(key);
  if (value.size() < 2) return out;
  for (const auto element : text::split(std::string_view(value).substr(1, value.size() - 2), ',')) {
    out.emplace_back(unquoted(element));
  }
  return out;
}

bool is_expectation(const section& s) { return s.kind == "out" || s.kind == "dropped" || s.kind == "back"; }

std::string render(const std::vector<section>& sections) {
  std::string out;
  for (const auto& s : sections) {
    if (is_expectation(s)) out += marker(s) + (s.form == "xmpp" ? canonical_xml(s.text) : s.text) + '\n';
  }
  return out;
}

std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".gold") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string to_wire(std::string_view text) {
  std::string head(text.substr(0, text.find("\n\n")));
  const std::string body =
      replace_all(std::string(text.substr(std::min(head.size() + 2, text.size()))), "\n", "\r\n");
  head = replace_all(replace_all(std::move(head), "\n", "\r\n"), "Content-Length: ~",
                     "Content-Length: " + std::to_string(body.size()));
  return head + "\r\n\r\n" + body;
}

std::string from_wire(std::string_view wire) {
  auto text = replace_all(std::string(wire), "\r\n", "\n");
  if (text.ends_with("\n\n") && text.find("\n\n") == text.size() - 2) text.resize(text.size() - 2);
  return text;
}

std::string canonical_xml(std::string_view text) {
  auto element = xml::parse(text, {}, "jabber:client");
  if (!element) return std::string(text);
  drop_stream_namespace(*element);
  auto out = xml::canonical(*element);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace stox::testing
