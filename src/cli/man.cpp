#include "cli/man.hpp"

#include <vector>

#include "base/text.hpp"
#include "config/man_page.hpp"

namespace stox::cli {

namespace {

constexpr std::string_view command_indent = "  ";
constexpr std::string_view codes_mark = "Exit code: ";

struct parts {
  std::string commands;                 ///< one a line
  std::vector<std::string> paragraphs;  ///< each ends with a line that ends a sentence
  std::string codes;                    ///< "0 done; 1 no answer; ..."
};

void append(std::string& to, std::string_view separator, std::string_view text) {
  if (!to.empty()) to += separator;
  to += text;
}

parts read(std::string_view usage) {
  parts out;
  bool begin = true, in_codes = false;
  for (auto line : text::split(usage, '\n')) {
    if (line.starts_with(command_indent)) {
      append(out.commands, "\n", text::trim(line));
    } else if (line.empty()) {
      begin = true;
    } else if (in_codes || line.starts_with(codes_mark)) {
      if (!in_codes) line.remove_prefix(codes_mark.size());
      in_codes = true;
      append(out.codes, " ", line);
    } else {
      if (begin) out.paragraphs.emplace_back();
      append(out.paragraphs.back(), " ", line);
      begin = line.ends_with('.');
    }
  }
  return out;
}

void add_options(config::man_page& page) {
  page.heading("OPTIONS");
  page.item("--config FILE",
            "The daemon's configuration: for the control socket's path; explain and replay take all of it.");
  page.item("--control PATH", "The control socket.");
  page.item("--json", "The daemon's answer as it is, one JSON object, for programs.");
  page.item("--since TIME", "incidents: the oldest to be shown.");
  page.item("--limit N", "incidents: the most to be shown.");
  page.item("--from ADDRESS:PORT", "explain: where the SIP message came from.");
  page.item("-h, --help", "Print a short form of this page and end.");
  page.item("--print-man", "Print this page (roff) and end.");
}

}  // namespace

std::string man_of(std::string_view usage) {
  const auto p = read(usage);
  config::man_page page("stoxctl", 1, "ask a running stoxd, and explain what it would do");
  page.heading("SYNOPSIS");
  page.lines(p.commands);
  page.heading("DESCRIPTION");
  for (const auto& paragraph : p.paragraphs) page.paragraph(paragraph);
  add_options(page);
  page.heading("FILES");
  page.item("/run/stox/ctl",
            "The daemon's control socket. Its permissions are the access control: who may open it may use "
            "it.");
  page.heading("ENVIRONMENT");
  page.item("STOX_ADMIN_CONTROL", "The control socket where neither --config nor --control says it.");
  page.heading("EXIT STATUS");
  for (const auto code : text::split(p.codes, ';')) {
    const auto one = text::trim(code);
    const auto blank = one.find(' ');
    if (blank == std::string_view::npos) continue;
    auto meaning = std::string(one.substr(blank + 1));
    if (!meaning.ends_with('.')) meaning += '.';
    page.item(one.substr(0, blank), meaning);
  }
  page.heading("EXAMPLES");
  page.lines(
      "stoxctl status\n"
      "stoxctl --json incidents --since 7d\n"
      "stoxctl --config /etc/stox/stox.toml explain < message.sip");
  page.heading("SEE ALSO");
  page.paragraph("stoxd(8), stox.toml(5)");
  return page.text();
}

}  // namespace stox::cli
