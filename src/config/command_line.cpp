#include "config/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

struct raw {
  bool check = false, print_config = false, print_sample = false, print_reference = false, version = false,
       help = false;
  std::string record_limit;
  std::vector<std::vector<std::string>> given;  // one for each option of the table
};

// CLI11 takes "--flag=" for a flag without its value, and the next argument for the value. This stands for
// the empty one.
constexpr std::string_view empty_mark = "\x01";

std::vector<std::string> reversed_with_marks(const std::vector<std::string>& args) {
  std::vector<std::string> out(args.rbegin(), args.rend());
  for (auto& arg : out) {
    if (arg.starts_with("--") && arg.find('=') == arg.size() - 1) arg += empty_mark;
  }
  return out;
}

std::string without_mark(const std::string& text) { return text == empty_mark ? std::string() : text; }

std::string hint_for_flag(std::string_view name) {
  std::vector<std::string> names{"--config",          "--check-config", "--print-config", "--print-sample",
                                 "--print-reference", "--print-man",    "--record",       "--record-bodies",
                                 "--record-limit",    "--version",      "--help"};
  for (const auto& o : options()) {
    if (o.show != nullptr) names.push_back(flag_name(o.key));
  }
  // "--xmpp.component.secret" is not a misspelt flag: it cannot be one.
  std::string key(name.substr(std::min<std::size_t>(2, name.size())));
  std::replace(key.begin(), key.end(), '-', '_');
  if (find_option(key) != nullptr) return "; tables stand only in the file";
  const auto best = text::nearest(name, {names.begin(), names.end()});
  return best ? "; did you mean " + std::string(*best) + "?" : "; --help lists all flags";
}

std::vector<std::string> name_extras(const std::vector<std::string>& extras) {
  std::vector<std::string> errors;
  bool after_flag = false;
  for (const auto& extra : extras) {
    if (!extra.empty() && extra.front() == '-') {
      const auto name = extra.substr(0, extra.find('='));
      errors.push_back(name + ": unknown flag" + hint_for_flag(name));
      after_flag = name.size() == extra.size();
    } else {
      if (!after_flag) errors.push_back("\"" + extra + "\": unexpected argument; flags begin with \"--\"");
      after_flag = false;
    }
  }
  return errors;
}

void add_flags(CLI::App& app, command_line& out, raw& in) {
  app.set_help_flag();  // ours, so that it is one of `what`
  app.add_option("--config", out.config_file, "The configuration file (or STOX_CONFIG)")->type_name("FILE");
  app.add_flag("--check-config", in.check, "Read the configuration, print warnings and errors, and end");
  app.add_flag("--print-config", in.print_config,
               "Print the configuration in effect, without secrets, and end");
  app.add_flag("--print-sample", in.print_sample, "Print a sample configuration file and end");
  app.add_flag("--print-reference", in.print_reference, "Print the reference of all keys (Markdown) and end");
  app.add_option("--print-man", out.man_page, "Print the manual page stoxd(8) or stox.toml(5) (roff) and end")
      ->type_name("stoxd|stox.toml");
  app.add_option("--record", out.record_path,
                 "Write a trace of what crosses the engine's edge; if FILE exists, to FILE.1 and so on")
      ->type_name("FILE");
  app.add_flag("--record-bodies", out.record_bodies, "Message bodies in the trace too, not only their sizes");
  app.add_option("--record-limit", in.record_limit,
                 "Size at which the trace ends, 1MB to 1000GB (default 1GB)")
      ->type_name("SIZE");
  app.add_flag("--version", in.version, "Print the version and end");
  app.add_flag("-h,--help", in.help, "Print this text and end");
  in.given.resize(options().size());
  std::size_t i = 0;
  for (const auto& o : options()) {
    auto& target = in.given[i++];
    if (o.show == nullptr) continue;
    auto* flag = app.add_option(flag_name(o.key), target, std::string(o.help));
    flag->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    flag->group("[" + std::string(section_of(o.key)) + "]")->type_name(is_list(o.type) ? "A,B,..." : "VALUE");
  }
}

config::what chosen(const raw& in, const command_line& line) {
  if (in.help) return what::help;
  if (in.version) return what::version;
  if (in.print_reference) return what::print_reference;
  if (!line.man_page.empty()) return what::print_man;
  if (in.print_sample) return what::print_sample;
  if (in.print_config) return what::print_config;
  return in.check ? what::check : what::run;
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  if (text::trim(text).empty()) return out;
  for (const auto part : text::split(text, ',')) out.emplace_back(text::trim(part));
  return out;
}

std::vector<program_flag> program_flags() {
  CLI::App app;
  command_line line;
  raw in;
  add_flags(app, line, in);
  std::vector<program_flag> out;
  for (const auto* flag : app.get_options()) {
    if (flag->get_group() != "Options") continue;
    auto names = flag->get_name(false, true);
    if (const auto comma = names.find(','); comma != std::string::npos) names.insert(comma + 1, " ");
    out.push_back({std::move(names), flag->get_type_name(), flag->get_description()});
  }
  return out;
}

command_line parse_command_line(const std::vector<std::string>& args) {
  command_line out;
  raw in;
  CLI::App app(
      "stoxd: SIP-XMPP gateway.\nEvery key of the configuration file that stands in no table is a flag and a "
      "variable too: "
      "sip.accept_wait is --sip.accept-wait and STOX_SIP_ACCEPT_WAIT. A flag wins over a variable, that over "
      "the file.",
      "stoxd");
  app.allow_extras();
  add_flags(app, out, in);
  try {
    app.parse(reversed_with_marks(args));  // CLI11 wants them reversed
  } catch (const CLI::ParseError& e) {
    out.errors.emplace_back(e.what());
    return out;
  }
  out.config_file = without_mark(out.config_file);
  out.record_path = without_mark(out.record_path);
  out.errors = name_extras(app.remaining());
  if (!out.man_page.empty() && out.man_page != "stoxd" && out.man_page != "stox.toml")
    out.errors.emplace_back("--print-man: there are the pages stoxd and stox.toml");
  if (!in.record_limit.empty()) {
    const auto bytes = parse_size(without_mark(in.record_limit));
    if (bytes && *bytes >= 1'000'000 && *bytes <= 1'000'000'000'000) {
      out.record_limit = static_cast<std::uint64_t>(*bytes);
    } else {
      out.errors.emplace_back("--record-limit: is no size of 1MB to 1000GB; write it like \"200MB\"");
    }
  }
  out.what = chosen(in, out);
  if (out.what == what::help) out.help = app.help();
  std::size_t i = 0;
  for (const auto& o : options()) {
    const auto& given = in.given[i++];
    if (given.empty()) continue;
    std::vector<std::string> texts;
    for (const auto& one : given) {
      if (!is_list(o.type)) {
        texts = {without_mark(one)};  // the last one counts
        continue;
      }
      for (auto& item : split_list(without_mark(one))) texts.push_back(std::move(item));
    }
    out.values.emplace_back(&o, std::move(texts));
  }
  return out;
}

}  // namespace stox::config
