#include "cli/man.hpp"

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "config/man_page.hpp"

namespace stox::cli {

namespace {

constexpr std::string_view command_indent = "  ";
constexpr std::string_view codes_mark = "Exit code: ";

struct command {
  std::string words;  ///< "stoxctl replay FILE"
  std::string help;   ///< what stands behind them on their line, and on lines without a command after it
};

struct parts {
  std::vector<command> commands;
  std::vector<std::string> paragraphs;  ///< each ends with a line that ends a sentence
  std::string codes;                    ///< "0 done; 1 no answer; ..."
};

void append(std::string& to, std::string_view separator, std::string_view text) {
  if (!to.empty()) to += separator;
  to += text;
}

void add_command_line(std::vector<command>& to, std::string_view line) {
  const auto text = text::trim(line);
  if (!text.starts_with("stoxctl ")) {
    if (!to.empty()) append(to.back().help, " ", text);
    return;
  }
  const auto gap = text.find("  ");
  to.push_back({std::string(text.substr(0, gap)), {}});
  if (gap != std::string_view::npos) to.back().help = text::trim(text.substr(gap));
}

parts read(std::string_view usage) {
  parts out;
  bool begin = true, in_codes = false;
  for (auto line : text::split(usage, '\n')) {
    if (line.starts_with(command_indent)) {
      add_command_line(out.commands, line);
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

void add_synopsis(config::man_page& page, const std::vector<command>& commands) {
  page.heading("SYNOPSIS");
  std::string all;
  for (const auto& c : commands) append(all, "\n", c.words);
  page.lines(all);
}

void add_commands(config::man_page& page, const std::vector<command>& commands) {
  bool begun = false;
  for (const auto& c : commands) {
    if (c.help.empty()) continue;
    if (!std::exchange(begun, true)) page.heading("COMMANDS");
    page.item(c.words, c.help);
  }
}

struct flag {
  std::string_view name, value, help;
};

constexpr flag flags[] = {
    {"--config", "FILE",
     "The daemon's configuration: for the control socket's path; explain and replay take all of it, doctor "
     "its certificates, authorities and DNS servers."},
    {"--control", "PATH", "The control socket."},
    {"--json", "",
     "The daemon's answer as it is, or doctor's report, one JSON object, for programs; not with explain and "
     "replay."},
    {"--since", "TIME", "incidents: the oldest to be shown."},
    {"--limit", "N", "The most to be shown."},
    {"--domain", "D", "sessions: only those of this domain."},
    {"--for", "TIME", "block: how long; without it until the daemon ends."},
    {"--list", "", "block: what is blocked now."},
    {"--from", "ADDRESS:PORT|DOMAIN",
     "explain: where the SIP message came from. doctor: who asks; without it the domain of the "
     "configuration's certificate, else nobody (stoxctl.invalid)."},
    {"--dns", "ADDRESS:PORT", "doctor: a DNS server to ask instead of the system's; may be said again."},
    {"--ca-file", "FILE", "doctor: the authorities (PEM) to believe instead of the system's."},
    {"--timeout", "SECONDS", "doctor: the most that each step may take, 1 to 60 (5)."},
    {"--sip-only", "", "doctor: nothing but SIP."},
    {"--xmpp-only", "", "doctor: nothing but XMPP."},
};

// Those that --help names; a test finds one that it names and that is missing here.
void add_options(config::man_page& page, std::string_view usage) {
  page.heading("OPTIONS");
  for (const auto& f : flags) {
    if (usage.find(f.name) == std::string_view::npos) continue;
    page.item(f.value.empty() ? f.name : std::string(f.name) + " " + std::string(f.value), f.help);
  }
  page.item("-h, --help", "Print a short form of this page and end.");
  page.item("--print-man", "Print this page (roff) and end.");
}

}  // namespace

std::string man_of(std::string_view usage) {
  const auto p = read(usage);
  config::man_page page("stoxctl", 1, "ask a running stoxd, and explain what it would do");
  add_synopsis(page, p.commands);
  page.heading("DESCRIPTION");
  for (const auto& paragraph : p.paragraphs) page.paragraph(paragraph);
  add_commands(page, p.commands);
  add_options(page, usage);
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
      "stoxctl --config /etc/stox/stox.toml explain < message.sip\n"
      "stoxctl doctor sip.example");
  page.heading("SEE ALSO");
  page.paragraph("stoxd(8), stox.toml(5)");
  return page.text();
}

}  // namespace stox::cli
