#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Golden files: text in, exact text out. Form and rules: tests/golden/README.md.
namespace stox::testing {

/// `-- kind form --` and the lines after it. The text has no final line end.
struct section {
  std::string kind;  ///< config, pending, in, out, dropped, back
  std::string form;  ///< sip, xmpp, uri, jid, error, or empty
  std::string text;
  friend bool operator==(const section&, const section&) = default;
};

struct golden_file {
  std::filesystem::path path;
  std::vector<std::string> comments;  ///< the first lines, with their "# "
  std::vector<section> sections;
  std::string defect;  ///< why the file is no golden file, empty if it is one

  static golden_file load(const std::filesystem::path& path);
  void save() const;

  std::string sentence() const;  ///< what the file shows
  const section* find(std::string_view kind) const;
  std::string text_of(std::string_view kind) const;  ///< "" when absent
  /// The value of `key = value` in the config section, without quotes; "" when absent.
  std::string config(std::string_view key) const;
  std::vector<std::string> config_list(std::string_view key) const;  ///< of `key = ["a", "b"]`
};

/// What a run must give: out, dropped and back, as one text that a person can compare.
std::string render(const std::vector<section>& sections);
bool is_expectation(const section& s);

/// Every .gold file below `folder`, sorted.
std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder);

/// Files hold LF and no blank line after a header block without body; the wire has CRLF. "Content-Length: ~"
/// is filled in.
std::string to_wire(std::string_view text);
std::string from_wire(std::string_view wire);

/// XML as a person would compare it: one canonical form, without the stream's namespace. Gives the text back
/// where it is not XML.
std::string canonical_xml(std::string_view text);

}  // namespace stox::testing
