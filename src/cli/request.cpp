#include "cli/request.hpp"

#include <cstdint>
#include <string_view>

#include "base/text.hpp"
#include "cli/since.hpp"

namespace stox::cli {

namespace {

constexpr std::string_view default_limit = "100";

struct text_flag {
  std::string_view name;
  std::optional<std::string> request::*value;
};
constexpr text_flag text_flags[] = {
    {"--config", &request::config}, {"--control", &request::control}, {"--from", &request::from},
    {"--since", &request::since},   {"--limit", &request::limit},     {"--domain", &request::domain},
    {"--for", &request::lasting},   {"--ca-file", &request::ca_file}, {"--timeout", &request::timeout},
};

struct plain_flag {
  std::string_view name;
  bool request::*value;
};
constexpr plain_flag plain_flags[] = {
    {"--json", &request::json}, {"--help", &request::help},         {"-h", &request::help},
    {"--list", &request::list}, {"--sip-only", &request::sip_only}, {"--xmpp-only", &request::xmpp_only}};

struct list_flag {
  std::string_view name;
  std::vector<std::string> request::*values;
};
constexpr list_flag list_flags[] = {{"--dns", &request::dns}};

error unknown_flag(const std::string& name) {
  std::vector<std::string_view> names;
  for (const auto& f : text_flags) names.push_back(f.name);
  for (const auto& f : plain_flags) names.push_back(f.name);
  for (const auto& f : list_flags) names.push_back(f.name);
  const auto best = text::nearest(name, names);
  return error(errc::bad_usage,
               name + ": unknown flag" + (best ? "; did you mean " + std::string(*best) + "?" : ""));
}

result<std::string> limit_of(const request& r) {
  constexpr std::uint64_t most = 1000;
  const auto given = r.limit.value_or(std::string(default_limit));
  const auto limit = text::to_number(given, most);
  if (!limit || *limit == 0)
    return error(errc::bad_usage, "--limit: \"" + given + "\" is no number from 1 to 1000");
  return std::to_string(*limit);
}

result<std::string> incidents_command(const request& r, std::int64_t now) {
  std::int64_t since = 0;
  if (r.since) {
    const auto at = parse_since(*r.since, now);
    if (!at)
      return error(errc::bad_usage, "--since: \"" + *r.since +
                                        "\" is no time; write 2026-01-31, "
                                        "2026-01-31T12:00:00Z, or 30min, 12h, 7d for a time before now");
    since = *at;
  }
  const auto limit = limit_of(r);
  if (!limit) return limit.error();
  return "incidents " + std::to_string(since) + " " + *limit;
}

result<std::string> sessions_command(const request& r) {
  const auto limit = limit_of(r);
  if (!limit) return limit.error();
  return "sessions " + *limit + (r.domain ? " " + *r.domain : "");
}

result<std::string> block_command(const request& r) {
  if (!r.lasting) return "block " + r.words[1];
  const auto seconds = parse_age(*r.lasting);
  if (!seconds || *seconds == 0)
    return error(errc::bad_usage,
                 "--for: \"" + *r.lasting + "\" is no time of a second or more; write 30min, 12h or 7d");
  return "block " + r.words[1] + " " + std::to_string(*seconds);
}

result<std::string> drain_command(const request& r) {
  constexpr std::uint64_t most = 600;
  if (r.words.size() == 1) return std::string("drain");
  const auto seconds = text::to_number(r.words[1], most);
  if (!seconds)
    return error(errc::bad_usage, "drain: \"" + r.words[1] + "\" is no number of seconds from 0 to 600");
  return "drain " + std::to_string(*seconds);
}

}  // namespace

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
    bool known = false;
    for (const auto& f : plain_flags) {
      if (name == f.name) out.*f.value = known = true;
    }
    const bool no_value = equals == std::string::npos && i + 1 == args.size();
    const auto value = [&] { return equals != std::string::npos ? arg.substr(equals + 1) : args[++i]; };
    for (const auto& f : text_flags) {
      if (name != f.name) continue;
      known = true;
      if (no_value) return error(errc::bad_usage, name + ": needs a value");
      out.*f.value = value();
    }
    for (const auto& f : list_flags) {
      if (name != f.name) continue;
      known = true;
      if (no_value) return error(errc::bad_usage, name + ": needs a value");
      (out.*f.values).push_back(value());
    }
    if (!known) return unknown_flag(name);
  }
  return out;
}

result<std::string> control_command(const request& r, std::int64_t now) {
  const auto& words = r.words;
  const auto is = [&words](std::string_view name, std::size_t arguments) {
    return !words.empty() && words.front() == name && words.size() == arguments + 1;
  };
  if (is("status", 0) || is("version", 0) || is("reload", 0)) return words[0];
  if (is("log-level", 1) || is("unblock", 1)) return words[0] + " " + words[1];
  if (is("peer", 1) && words[1] == "show") return std::string("peer show");
  if (is("peer", 2) && (words[1] == "show" || words[1] == "forget"))
    return "peer " + words[1] + " " + words[2];
  if (is("store", 1) && words[1] == "check") return std::string("store check");
  if (is("incidents", 0)) return incidents_command(r, now);
  if (is("sessions", 0)) return sessions_command(r);
  if (is("block", 0) && r.list) return std::string("blocks");
  if (is("block", 1) && !r.list) return block_command(r);
  if (is("drain", 0) || is("drain", 1)) return drain_command(r);
  return std::string();
}

}  // namespace stox::cli
