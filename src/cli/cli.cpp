#include "cli/cli.hpp"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <istream>
#include <iterator>
#include <optional>
#include <ostream>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "cli/answer_text.hpp"
#include "cli/control_client.hpp"
#include "cli/errc.hpp"
#include "cli/explain.hpp"
#include "cli/man.hpp"
#include "cli/replay.hpp"
#include "cli/since.hpp"
#include "engine/sandbox.hpp"

namespace stox::cli {

namespace {

constexpr std::string_view default_control = "/run/stox/ctl";
// RFC 3261 §18.1.1: a datagram ends at 65,535 bytes; a stanza may be larger.
constexpr std::size_t max_input = std::size_t{1} << 20;
constexpr std::size_t max_trace = std::size_t{1} << 30;

constexpr std::string_view usage =
    "stoxctl: asks a running stoxd, and explains what it would do.\n"
    "\n"
    "  stoxctl [--config FILE | --control PATH] [--json] status\n"
    "  stoxctl [--config FILE | --control PATH] [--json] version\n"
    "  stoxctl [--config FILE | --control PATH] [--json] [--since TIME] [--limit N] incidents\n"
    "  stoxctl [--config FILE | --control PATH] log-level debug|info|warning|error\n"
    "  stoxctl [--config FILE] [--from ADDRESS:PORT] explain < MESSAGE\n"
    "  stoxctl [--config FILE] replay FILE\n"
    "\n"
    "explain reads a SIP message or a stanza and prints what the gateway would send, on which side, what it "
    "would drop and why. It opens\n"
    "no socket. replay runs a trace of stoxd --record and tells whether the engine still does the same.\n"
    "Without --config, explain and replay serve sip.example and trust 192.0.2.0/24; the others ask the "
    "socket that STOX_ADMIN_CONTROL\n"
    "names, or /run/stox/ctl.\n"
    "incidents lists what the store holds, oldest first: messages whose fate is not known, senders that "
    "could "
    "not be told, ends that\n"
    "were none. TIME is 2026-01-31, 2026-01-31T12:00:00Z, or a duration before now like 30min, 12h or 7d; N "
    "is "
    "1 to 1000 (100), of the newest.\n"
    "\n"
    "Exit code: 0 done; 1 no or a bad answer, or a replay that differs; 2 bad usage; 3 status of a daemon "
    "that "
    "is not ready.\n";

struct request {
  std::vector<std::string> words;  ///< the command and its argument
  std::optional<std::string> config, control, from, since, limit;
  bool json = false, help = false;
};

/// Flags may stand before or behind the command, as "--flag VALUE" or "--flag=VALUE".
result<request> parse(const std::vector<std::string>& args) {
  request out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto& arg = args[i];
    if (!arg.starts_with("-")) {
      out.words.push_back(arg);
      continue;
    }
    const auto equals = arg.find('=');
    const auto name = arg.substr(0, equals);
    if (name == "--json" || name == "--help" || name == "-h") {
      (name == "--json" ? out.json : out.help) = true;
      continue;
    }
    auto* target = name == "--config"    ? &out.config
                   : name == "--control" ? &out.control
                   : name == "--from"    ? &out.from
                   : name == "--since"   ? &out.since
                   : name == "--limit"   ? &out.limit
                                         : nullptr;
    if (target == nullptr) {
      const auto best =
          text::nearest(name, {"--config", "--control", "--from", "--since", "--limit", "--json", "--help"});
      return error(errc::bad_usage,
                   name + ": unknown flag" + (best ? "; did you mean " + std::string(*best) + "?" : ""));
    }
    if (equals != std::string::npos) {
      *target = arg.substr(equals + 1);
    } else if (i + 1 < args.size()) {
      *target = args[++i];
    } else {
      return error(errc::bad_usage, name + ": needs a value");
    }
  }
  return out;
}

std::string joined(const config::errors& errors) {
  std::string out;
  for (const auto& e : errors) out += (out.empty() ? "" : "\n") + e;
  return out;
}

/// The daemon's settings when a file was named, else those of the box.
result<settings::all> settings_for(const request& r) {
  if (!r.config) return engine::sandbox::sample_settings();
  auto loaded = config::load({"--config=" + *r.config}, [](std::string_view) { return std::nullopt; });
  if (!loaded) return error(errc::bad_configuration, joined(loaded.error()));
  return std::move(loaded->settings);
}

result<std::string> control_path(const request& r, const config::environment& env) {
  if (r.control) return *r.control;
  if (!r.config) return env("STOX_ADMIN_CONTROL").value_or(std::string(default_control));
  auto settings = settings_for(r);
  if (!settings) return settings.error();
  if (settings->admin.control.empty())
    return error(errc::bad_configuration,
                 *r.config + ": admin.control is empty, so the daemon has no control socket");
  return settings->admin.control;
}

struct told {
  std::string text;
  bool ready = true;  ///< false only where the answer says so
};

result<told> ask(const request& r, const std::string& command, const config::environment& env) {
  const auto path = control_path(r, env);
  if (!path) return path.error();
  const auto answer = ask_daemon(*path, command);
  if (!answer) return answer.error();
  auto shown = answer_text(*answer);
  if (!shown) return shown.error();
  return told{r.json ? *answer + "\n" : std::move(*shown), says_ready(*answer)};
}

/// The control socket's command for what the flags say.
result<std::string> incidents_command(const request& r) {
  std::int64_t since = 0;
  if (r.since) {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    const auto at = parse_since(*r.since, now);
    if (!at)
      return error(errc::bad_usage, "--since: \"" + *r.since +
                                        "\" is no time; write 2026-01-31, "
                                        "2026-01-31T12:00:00Z, or 30min, 12h, 7d for a time before now");
    since = *at;
  }
  constexpr std::uint64_t most = 1000;
  const auto limit = text::to_number(r.limit.value_or("100"), most);
  if (!limit || *limit == 0)
    return error(errc::bad_usage, "--limit: \"" + *r.limit + "\" is no number from 1 to 1000");
  return "incidents " + std::to_string(since) + " " + std::to_string(*limit);
}

result<std::string> explain_input(const request& r, std::istream& in) {
  std::optional<socket_address> from;
  if (r.from) {
    from = socket_address::parse(*r.from);
    if (!from) return error(errc::bad_usage, "--from: \"" + *r.from + "\" is not ADDRESS:PORT");
  }
  auto settings = settings_for(r);
  if (!settings) return settings.error();
  std::string input(max_input + 1, '\0');
  in.read(input.data(), static_cast<std::streamsize>(input.size()));
  input.resize(static_cast<std::size_t>(in.gcount()));
  if (input.size() > max_input) return error(errc::bad_input, "the input is larger than 1 MiB");
  return explain(input, std::move(*settings), from);
}

result<replayed> replay_file(const request& r) {
  auto settings = settings_for(r);
  if (!settings) return settings.error();
  std::ifstream file(r.words[1], std::ios::binary | std::ios::ate);
  if (!file) return error(errc::bad_trace, r.words[1] + ": cannot be read");
  const auto size = file.tellg();
  if (size < 0 || static_cast<std::size_t>(size) > max_trace)
    return error(errc::bad_trace, r.words[1] + ": is no file of at most 1 GiB");
  std::string trace(static_cast<std::size_t>(size), '\0');
  file.seekg(0).read(trace.data(), size);
  if (!file) return error(errc::bad_trace, r.words[1] + ": cannot be read");
  return replay(trace, *settings);
}

exit_code fail(std::ostream& err, const std::string& why, exit_code code) {
  for (const auto line : text::split(why, '\n')) err << "stoxctl: " << line << "\n";
  return code;
}

exit_code print(const result<told>& result, std::ostream& out, std::ostream& err) {
  if (!result) return fail(err, result.error().detail, exit_code::failed);
  out << result->text << std::flush;
  if (!out.good()) return exit_code::failed;
  return result->ready ? exit_code::done : exit_code::not_ready;
}

exit_code print(const result<std::string>& result, std::ostream& out, std::ostream& err) {
  if (!result) return fail(err, result.error().detail, exit_code::failed);
  out << *result << std::flush;
  return out.good() ? exit_code::done : exit_code::failed;
}

}  // namespace

exit_code run(const std::vector<std::string>& args, std::istream& in, std::ostream& out, std::ostream& err,
              const config::environment& env) {
  if (args == std::vector<std::string>{"--print-man"}) return print(man_of(usage), out, err);
  const auto r = parse(args);
  if (!r) return fail(err, r.error().detail, exit_code::usage);
  if (r->help) return print(std::string(usage), out, err);
  if (r->config && r->control)
    return fail(err, "--config and --control exclude each other", exit_code::usage);
  const auto& words = r->words;
  const auto command = words.empty() ? std::string() : words.front();
  const auto is = [&](std::string_view name, std::size_t arguments) {
    return command == name && words.size() == arguments + 1;
  };
  if (is("status", 0) || is("version", 0)) return print(ask(*r, command, env), out, err);
  if (is("log-level", 1)) return print(ask(*r, "log-level " + words[1], env), out, err);
  if (is("incidents", 0)) {
    const auto asked = incidents_command(*r);
    return asked ? print(ask(*r, *asked, env), out, err) : fail(err, asked.error().detail, exit_code::usage);
  }
  if (is("explain", 0)) return print(explain_input(*r, in), out, err);
  if (is("replay", 1)) {
    const auto done = replay_file(*r);
    if (!done) return fail(err, done.error().detail, exit_code::failed);
    out << done->text << std::flush;
    return done->same ? exit_code::done : exit_code::failed;
  }
  err << usage;
  return exit_code::usage;
}

}  // namespace stox::cli
