// What a reload compares of each [[table]].
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "base/host_port.hpp"
#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& text : list) out += (out.empty() ? "" : ", ") + text;
  return out;
}

template <class T, class Text>
std::string list_text(const std::optional<std::vector<T>>& list, Text text) {
  std::vector<std::string> out;
  for (const auto& one : list.value_or(std::vector<T>())) out.push_back(text(one));
  return list && out.empty() ? "none" : joined(out);
}

std::string number_text(const std::optional<unsigned>& n) { return n ? std::to_string(*n) : std::string(); }

std::string flag_text(const std::optional<bool>& b) { return !b ? std::string() : *b ? "true" : "false"; }

std::string type_text(const std::optional<settings::message_type>& t) {
  if (!t) return {};
  return *t == settings::message_type::chat ? "chat" : "normal";
}

std::string form_text(const std::optional<settings::first_form>& f) {
  if (!f) return {};
  return *f == settings::first_form::plain ? "plain" : "cpim";
}

std::string tls_text(const std::optional<settings::tls_policy>& t) {
  return t ? std::string(write_tls(*t)) : std::string();
}

std::string auth_text(const std::optional<settings::s2s_auth>& a) {
  return a ? std::string(write_auth(*a)) : std::string();
}

std::string date_text(wall_time t) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(t));
  std::array<char, 16> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return out.data();
}

}  // namespace

std::vector<table_row> domain_rows(const settings::all& s) {
  std::vector<table_row> out;
  for (const auto& d : s.gateway.domains) {
    out.push_back(
        {d.sip,
         {{"xmpp", d.xmpp},
          {"outbound_proxy", list_text(d.outbound_proxy, [](const auto& r) { return r.uri; })},
          {"trusted_peers", list_text(d.trusted_peers, [](const auto& p) { return p.to_string(); })},
          {"trusted_domains", list_text(d.trusted_domains, [](const auto& name) { return name; })},
          {"message_type", type_text(d.message_type)},
          {"max_message_bytes", number_text(d.max_message_bytes)},
          {"late_notices", flag_text(d.late_notices)},
          {"first_form", form_text(d.first_form)},
          {"messages_per_sender", number_text(d.messages_per_sender)},
          {"queue_per_pair", number_text(d.queue_per_pair)},
          {"rate_per_domain", number_text(d.rate_per_domain)}},
         {}});
  }
  return out;
}

std::vector<table_row> credential_rows(const settings::all& s) {
  std::vector<table_row> out;
  for (const auto& c : s.credentials) {
    const auto of_realm = std::count_if(s.credentials.begin(), s.credentials.end(),
                                        [&c](const auto& other) { return other.realm == c.realm; });
    const auto domains = list_text(c.domains, [](const auto& name) { return name; });
    out.push_back({of_realm > 1 && c.domains ? c.realm + " for " + domains : c.realm,
                   {{"user", c.user}, {"password_file", c.password_file}, {"domains", domains}},
                   c.password});
  }
  return out;
}

std::vector<table_row> certificate_rows(const settings::all& s) {
  std::vector<table_row> out;
  for (const auto& c : s.tls.certificates) {
    // What the files hold counts as well: a renewed certificate has the same names.
    out.push_back({joined(c.domains),
                   {{"chain", c.chain}, {"key", c.key}, {"valid_until", date_text(c.not_after)}},
                   redacted(c.chain_pem + c.key_pem.reveal())});
  }
  return out;
}

std::vector<table_row> component_rows(const settings::all& s) {
  std::vector<table_row> out;
  for (const auto& c : s.components) {
    out.push_back({c.domain,
                   {{"server", write_host_port(c.host, c.port)},
                    {"secret_file", c.secret_file},
                    {"reaches", joined(c.reaches)}},
                   c.secret});
  }
  return out;
}

std::vector<table_row> peer_rows(const settings::all& s) {
  std::vector<table_row> out;
  for (const auto& p : s.s2s.peers)
    out.push_back({p.domain, {{"tls", tls_text(p.tls)}, {"auth", auth_text(p.auth)}}, {}});
  return out;
}

}  // namespace stox::config
