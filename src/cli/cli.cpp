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
#include "cli/doctor.hpp"
#include "cli/errc.hpp"
#include "cli/explain.hpp"
#include "cli/man.hpp"
#include "cli/replay.hpp"
#include "cli/request.hpp"
#include "engine/sandbox.hpp"

namespace stox::cli {

namespace {

constexpr std::string_view default_control = "/run/stox/ctl";
// RFC 3261 §18.1.1: a datagram ends at 65,535 bytes; a stanza may be larger.
constexpr std::size_t max_input = std::size_t{1} << 20;
constexpr std::size_t max_trace = std::size_t{1} << 30;

constexpr std::string_view usage =
    R"(stoxctl: asks a running stoxd, steers it, and explains what it would do.

  stoxctl status                      how it stands: readiness, links, counters
  stoxctl sessions [--domain D] [--limit N]
                                      messages on their way, the oldest first
  stoxctl peer show [ADDRESS|DOMAIN|USER]
                                      SIP peers and component links: state, pauses, errors; of a user, what
                                      his client is known to understand, and since when
  stoxctl peer forget USER            learn it anew, after he has another client, say
  stoxctl block WHAT [--for TIME]     refuse a SIP source, an XMPP or SIP user or domain
  stoxctl block --list
  stoxctl unblock WHAT
  stoxctl incidents [--since TIME] [--limit N]
                                      messages whose fate is not known, and the like, oldest first
  stoxctl store check                 whether the file is sound and can be written, and what is in it
  stoxctl reload                      read the configuration again, all or nothing
  stoxctl drain [SECONDS]             finish open work and end
  stoxctl log-level debug|info|warning|error
  stoxctl version
  stoxctl explain [--from ADDRESS:PORT] < MESSAGE
                                      what a SIP message or a stanza would become; opens no socket
  stoxctl replay FILE                 runs a trace of stoxd --record and tells what differs now
  stoxctl doctor DOMAIN               looks at a domain as others see it: DNS, XMPP servers and their TLS,
                                      SIP servers; and says which records are missing

Flags: --json prints the daemon's own answer, and doctor's as JSON; explain and replay refuse it. --control PATH
or --config FILE say which daemon; without them STOX_ADMIN_CONTROL, or /run/stox/ctl. Without --config,
explain and replay serve sip.example and trust 192.0.2.0/24; with it, doctor shows the daemon's certificate,
believes its authorities and asks its DNS servers.
doctor asks no daemon, and takes --dns ADDRESS:PORT (instead of the system's servers; any number of times),
--from DOMAIN (who asks), --ca-file FILE, --timeout SECONDS (of each step; 5), --sip-only and --xmpp-only.
TIME of --since is 2026-01-31, 2026-01-31T12:00:00Z, or a time before now like 30min, 12h, 7d; of --for it is
30min, 12h, 7d. N is 1 to 1000 (100). Blocks end with the daemon. ADDRESS is of a host; USER is a SIP URI or a
JID: sip:bob@sip.example, alice@xmpp.example.

Exit code: 0 done; 1 no or a bad answer, a refusal, a replay that differs, a store that is damaged or cannot
be written, or a domain that others cannot reach; 2 bad usage; 3 status of a daemon that is not ready.
)";

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
  exit_code code = exit_code::done;  ///< another one only where the answer says why
};

exit_code code_of(const std::string& answer) {
  if (!says("ready", answer)) return exit_code::not_ready;
  return says("sound", answer) && says("writes", answer) ? exit_code::done : exit_code::failed;
}

result<told> ask(const request& r, const std::string& command, const config::environment& env) {
  const auto path = control_path(r, env);
  if (!path) return path.error();
  const auto answer = ask_daemon(*path, command);
  if (!answer) return answer.error();
  auto shown = answer_text(*answer);
  if (!shown) return shown.error();
  return told{r.json ? *answer + "\n" : std::move(*shown), code_of(*answer)};
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
  return result->code;
}

exit_code run_doctor(const request& r, std::ostream& out, std::ostream& err) {
  std::optional<settings::all> own;
  if (r.config) {
    auto loaded = settings_for(r);
    if (!loaded) return fail(err, loaded.error().detail, exit_code::failed);
    own = std::move(*loaded);
  }
  const auto wanted = examination_of(r, own ? &*own : nullptr);
  if (!wanted) {
    const bool usage_error = wanted.error().code == errc::bad_usage;
    return fail(err, wanted.error().detail, usage_error ? exit_code::usage : exit_code::failed);
  }
  const auto report = examine(*wanted);
  if (!report) return fail(err, report.error().detail, exit_code::failed);
  out << (r.json ? doctor::to_json(*report) : doctor::to_text(*report)) << std::flush;
  return out.good() && report->is_reached() ? exit_code::done : exit_code::failed;
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
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const auto asked = control_command(*r, now);
  if (!asked) return fail(err, asked.error().detail, exit_code::usage);
  if (!asked->empty()) return print(ask(*r, *asked, env), out, err);
  if (r->json && (command == "explain" || command == "replay"))
    return fail(err, "--json: " + command + " asks no daemon, so there is no answer to print",
                exit_code::usage);
  if (is("doctor", 1)) return run_doctor(*r, out, err);
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
