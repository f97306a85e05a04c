#include "admin/json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "admin/json_values.hpp"
#include "base/text.hpp"

namespace stox::admin {

namespace {

namespace json = boost::json;

std::optional<log_level> level_named(std::string_view name) {
  if (name == "debug") return log_level::debug;
  if (name == "info") return log_level::info;
  if (name == "warning") return log_level::warning;
  if (name == "error") return log_level::error;
  return std::nullopt;
}

std::optional<incident_query> query_of(std::string_view argument) {
  constexpr std::uint64_t last_second = 9'000'000'000;  // of the year 2255; wall_time ends in 2262
  constexpr std::uint64_t most = 1000;
  const auto blank = argument.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto since = text::to_number(argument.substr(0, blank), last_second);
  const auto limit = text::to_number(text::trim(argument.substr(blank)), most);
  if (!since || !limit || *limit == 0) return std::nullopt;
  return incident_query{wall_time(std::chrono::seconds(*since)), static_cast<unsigned>(*limit)};
}

constexpr std::uint64_t most_listed = 1000;

using answer_function = std::function<void(std::string)>;

std::string done(json::object more = {}) {
  json::object out{{"ok", true}};
  for (auto& field : more) out[field.key()] = std::move(field.value());
  return json::serialize(out);
}

/// "" or the error about a domain that is not served.
std::string not_served(const std::string& domain, const std::vector<std::string>& served) {
  if (std::find(served.begin(), served.end(), domain) != served.end()) return {};
  const auto best = text::nearest(domain, {served.begin(), served.end()});
  return domain + " is not served" + (best ? "; did you mean " + std::string(*best) + "?" : "");
}

std::string sessions_answer(std::string_view argument, const hooks& h) {
  const auto blank = std::min(argument.find(' '), argument.size());
  const auto limit = text::to_number(argument.substr(0, blank), most_listed);
  if (!limit || *limit == 0) return error_answer("sessions needs LIMIT (1 to 1000) and perhaps a DOMAIN");
  const std::string domain(text::trim(argument.substr(blank)));
  if (auto why = domain.empty() ? std::string() : not_served(domain, h.served()); !why.empty())
    return error_answer(why);
  const auto open = h.open();
  return json::serialize(json::object{{"open", open.messages},
                                      {"conversations", open.conversations},
                                      {"server_transactions", open.server_transactions},
                                      {"client_transactions", open.client_transactions},
                                      {"sessions", list(h.sessions(domain, *limit))}});
}

/// Neither an address of a host nor a domain: those hold no "@" and no scheme.
bool names_user(std::string_view argument) {
  return argument.find('@') != std::string_view::npos || text::istarts_with(argument, "sip:") ||
         text::istarts_with(argument, "tel:") || text::istarts_with(argument, "im:");
}

std::string user_answer(const std::string& user, const hooks& h) {
  const auto record = h.peer_record(user);
  if (!record) return error_answer(user + " is no SIP URI or JID of a user");
  return json::serialize(json::object{{"user", record->name}, {"capabilities", list(record->facts)}});
}

/// All links and peers, or those of one domain or address, or what is known of a user's client.
std::string peer_show_answer(std::string_view argument, const hooks& h) {
  if (names_user(argument)) return user_answer(std::string(argument), h);
  auto links = h.links();
  auto peers = h.peers();
  std::vector<engine::server_stream> streams;
  const auto whole = socket_address::parse(argument);
  const auto ip = whole ? std::optional(whole->ip) : ip_address::parse(argument);
  if (ip) {
    links.clear();
    std::erase_if(peers,
                  [&](const auto& p) { return p.at.ip != *ip || (whole && p.at.port != whole->port); });
  } else if (!argument.empty()) {
    const std::string domain(argument);
    streams = h.streams(domain, most_listed);
    const auto is_its = [&domain](const auto& l) { return l.domain == domain; };
    const bool known = !streams.empty() || std::any_of(links.begin(), links.end(), is_its);
    if (auto why = known ? std::string() : not_served(domain, h.served()); !why.empty())
      return error_answer(why);
    std::erase_if(links, [&](const auto& l) { return l.domain != domain; });
    peers.clear();
  } else {
    streams = h.streams({}, most_listed);
  }
  if (peers.size() > most_listed) peers.resize(most_listed);
  return json::serialize(
      json::object{{"links", list(links)}, {"streams", list(streams)}, {"peers", list(peers)}});
}

std::string peer_forget_answer(std::string_view argument, const hooks& h) {
  const auto why = h.forget_peer(std::string(argument));
  return why.empty() ? done({{"forgotten", argument}}) : error_answer(why);
}

std::string peer_answer(std::string_view argument, const hooks& h) {
  const auto blank = std::min(argument.find(' '), argument.size());
  const auto verb = argument.substr(0, blank);
  const auto rest = text::trim(argument.substr(blank));
  if (verb == "show") return peer_show_answer(rest, h);
  if (verb == "forget" && !rest.empty()) return peer_forget_answer(rest, h);
  return error_answer("peer needs show, show ADDRESS, show DOMAIN, show USER or forget USER");
}

void store_answer(std::string_view argument, const hooks& h, answer_function answer) {
  if (argument != "check") return answer(error_answer("store needs check"));
  h.check_store([answer = std::move(answer)](const store_report& r) {
    answer(json::serialize(json::object{{"store", r.store},
                                        {"sound", r.problems.empty()},
                                        {"writes", r.writes},
                                        {"why", r.why},
                                        {"bytes", r.bytes},
                                        {"tables", list(r.tables)},
                                        {"problems", list(r.problems)}}));
  });
}

std::string reload_answer(const hooks& h) {
  const auto outcome = h.reload();
  if (!outcome.errors.empty()) {
    return json::serialize(
        json::object{{"error", "reload refused, nothing was changed"}, {"errors", list(outcome.errors)}});
  }
  return done({{"changed", list(outcome.changed)},
               {"waiting_for_restart", list(outcome.waiting)},
               {"warnings", list(outcome.warnings)}});
}

/// Empty: none was given; else its seconds, or nothing where it is no number.
struct given_seconds {
  bool bad = false;
  std::optional<duration> value;
};
given_seconds seconds_of(std::string_view text, std::uint64_t most) {
  if (text.empty()) return {};
  const auto n = text::to_number(text, most);
  if (!n) return {true, {}};
  return {false, std::chrono::seconds(*n)};
}

std::string drain_answer(std::string_view argument, const hooks& h) {
  constexpr std::uint64_t most = 600;  // as gateway.drain
  const auto limit = seconds_of(argument, most);
  if (limit.bad) return error_answer("drain takes a number of seconds, 0 to 600");
  return h.drain(limit.value) ? done() : error_answer("the gateway is draining already");
}

std::string block_answer(std::string_view argument, const hooks& h) {
  constexpr std::uint64_t most = std::uint64_t{10} * 365 * 86'400;
  const auto blank = std::min(argument.find(' '), argument.size());
  const std::string what(argument.substr(0, blank));
  const auto time = seconds_of(text::trim(argument.substr(blank)), most);
  if (what.empty() || time.bad || (time.value && *time.value == duration::zero()))
    return error_answer("block needs WHAT and perhaps SECONDS, at most ten years");
  const auto why = h.add_block(what, time.value);
  return why.empty() ? done({{"blocked", what}}) : error_answer(why);
}

std::string unblock_answer(std::string_view argument, const hooks& h) {
  const auto why = h.remove_block(std::string(argument));
  return why.empty() ? done({{"unblocked", argument}}) : error_answer(why);
}

void incidents_answer(std::string_view argument, const hooks& h, answer_function answer) {
  const auto query = query_of(argument);
  if (!query) return answer(error_answer("incidents needs SINCE (seconds since 1970) and LIMIT (1 to 1000)"));
  h.incidents(*query, [answer = std::move(answer),
                       store_trouble = h.store_trouble](const std::vector<incident>& found) {
    json::object out{{"incidents", list(found)}};
    const auto trouble = store_trouble();
    if (!trouble.empty())
      out["warning"] = "the store cannot write (" + trouble + "): newer incidents stand only in the log";
    answer(json::serialize(out));
  });
}

std::string level_answer(std::string_view argument, const hooks& h) {
  const auto level = level_named(argument);
  if (!level) return error_answer("log-level needs debug, info, warning or error");
  h.set_log_level(*level);
  return done({{"level", argument}});
}

}  // namespace

std::string status_answer(const hooks& h) {
  const auto ready = h.readiness();
  json::object out{{"version", STOX_VERSION}, {"ready", ready.ready}, {"why", ready.why}};
  for (const auto& [name, value] : h.facts()) out[name] = value;
  out["links"] = list(h.links());
  out["waiting_for_restart"] = list(h.waiting());
  json::array samples;
  for (const auto& s : h.samples()) samples.push_back(sample_object(s));
  out["samples"] = std::move(samples);
  return json::serialize(out);
}

std::string error_answer(std::string_view why) { return json::serialize(json::object{{"error", why}}); }

void answer_command(std::string_view line, const hooks& h, std::function<void(std::string)> answer) {
  line = text::trim(line);
  const auto blank = line.find(' ');
  const auto command = line.substr(0, blank);
  const auto argument = blank == std::string_view::npos ? std::string_view() : text::trim(line.substr(blank));
  if (argument.empty()) {
    if (command == "status") return answer(status_answer(h));
    if (command == "version") return answer(json::serialize(json::object{{"version", STOX_VERSION}}));
    if (command == "reload") return answer(reload_answer(h));
    if (command == "blocks") return answer(json::serialize(json::object{{"blocks", list(h.blocks())}}));
  }
  if (command == "sessions") return answer(sessions_answer(argument, h));
  if (command == "peer") return answer(peer_answer(argument, h));
  if (command == "block") return answer(block_answer(argument, h));
  if (command == "unblock") return answer(unblock_answer(argument, h));
  if (command == "drain") return answer(drain_answer(argument, h));
  if (command == "log-level") return answer(level_answer(argument, h));
  if (command == "store") return store_answer(argument, h, std::move(answer));
  if (command == "incidents") return incidents_answer(argument, h, std::move(answer));
  answer(
      error_answer("unknown command; use status, version, sessions, peer, block, unblock, blocks, drain, "
                   "reload, incidents, store or log-level"));
}

}  // namespace stox::admin
