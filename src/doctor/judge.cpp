#include <chrono>

#include "base/date_time.hpp"
#include "doctor/judge_common.hpp"

namespace stox::doctor {
namespace {

using std::chrono::days;

// Whoever renews by hand wants to hear of it some time before; who has it done by a program (for 90 days, 30
// before the end) hears when that failed.
constexpr auto soon = days(14);

const dns::answer never_asked{};

std::string addresses_text(const facts& found, const std::string& host) {
  std::string out;
  for (const auto type : {io::record_type::aaaa, io::record_type::a}) {
    for (const auto& ip : answer_to(found, type, host).all<ip_address>())
      out += (out.empty() ? "" : ", ") + ip.to_string();
  }
  return out;
}

}  // namespace

std::string_view to_string(level l) {
  switch (l) {
    case level::ok: return "ok";
    case level::note: return "note";
    case level::warn: return "warn";
    case level::fail: return "FAIL";
  }
  return "?";
}

void notes::advise(std::string record, bool needed) {
  for (auto& r : records_) {
    if (r.record != record) continue;
    r.needed = r.needed || needed;
    return;
  }
  records_.push_back({std::move(record), needed});
}

const dns::answer& answer_to(const facts& found, io::record_type type, const std::string& name) {
  const auto at = found.dns.find({type, name});
  return at == found.dns.end() ? never_asked : at->second;
}

std::vector<dns::srv_record> servers_of(const facts& found, const std::string& name) {
  auto out = answer_to(found, io::record_type::srv, name).all<dns::srv_record>();
  std::erase_if(out, [](const auto& r) { return r.target.empty(); });
  return out;
}

std::string text_of(const std::vector<dns::srv_record>& servers) {
  std::string out;
  for (const auto& s : servers) out += (out.empty() ? "" : ", ") + s.target + ":" + std::to_string(s.port);
  return out;
}

std::string srv_line(std::string_view owner, std::uint16_t port, std::string_view host) {
  return std::string(owner) + ". 3600 IN SRV 0 5 " + std::to_string(port) + " " + std::string(host) + ".";
}

std::string address_line(std::string_view host) { return std::string(host) + ". 3600 IN A <IPv4 address>"; }

std::string host_for(const subject& who, const facts& found,
                     std::initializer_list<std::string_view> services) {
  for (const auto service : services) {
    const auto servers = servers_of(found, std::string(service) + who.ascii);
    if (!servers.empty()) return servers.front().target;
  }
  return addresses_text(found, who.ascii).empty() ? std::string(host_placeholder) : who.ascii;
}

void judge_addresses(notes& out, const facts& found, const std::vector<dns::srv_record>& servers) {
  std::vector<std::string> seen;
  for (const auto& s : servers) {
    if (std::find(seen.begin(), seen.end(), s.target) != seen.end()) continue;
    seen.push_back(s.target);
    const auto all = addresses_text(found, s.target);
    if (!all.empty()) {
      out.say(level::ok, "address " + s.target, all);
      continue;
    }
    const auto gone = [&](io::record_type type) {
      return answer_to(found, type, s.target).status == io::lookup_status::failed;
    };
    if (gone(io::record_type::a) || gone(io::record_type::aaaa)) {
      out.say(level::fail, "address " + s.target, "the DNS gives no answer");
    } else {
      out.say(level::fail, "address " + s.target, "none");
      out.advise(address_line(s.target), true);
    }
  }
}

bool is_out_of_sight(const attempt& a, const socket_address& at) {
  return !at.ip.is_v4() && a.why == io::fail::unreachable;
}

std::string why_not(const attempt& a, std::string_view silence) {
  if (!a.why) return a.detail;
  switch (*a.why) {
    case io::fail::refused: return "nobody listens there";
    case io::fail::unreachable: return "there is no way to it from here";
    case io::fail::timed_out:
      switch (a.reached) {
        case stage::connecting: return "it cannot be connected to: no answer in time";
        case stage::securing: return "no TLS handshake in time";
        case stage::greeting:
        case stage::asking:
        case stage::done: return std::string(silence);
      }
      return {};
    case io::fail::tls: return "TLS fails: " + a.detail;
    case io::fail::peer_closed: return "it closes the connection";
    case io::fail::reset: return "it breaks the connection";
    case io::fail::overflow:
    case io::fail::not_found:
    case io::fail::closed_here: return std::string(io::to_string(*a.why));
  }
  return {};
}

validity validity_of(const peer_identity& who, wall_time now) {
  if (who.valid_until == 0) return {};
  const std::chrono::sys_seconds until{std::chrono::seconds(who.valid_until)};
  if (until <= now) return {level::fail, "expired on " + write_date_time(until)};
  const auto left = std::chrono::floor<days>(until - now);
  const auto text = std::to_string(left.count()) + (left == days(1) ? " day left" : " days left");
  return {left < soon ? level::warn : level::ok, text};
}

report judge(const subject& who, const facts& found, wall_time now) {
  report out;
  out.domain = who.domain;
  if (who.xmpp) judge_xmpp(who, found, now, {out.xmpp, out.records});
  if (who.sip) judge_sip(who, found, now, {out.sip, out.records});
  std::stable_partition(out.records.begin(), out.records.end(), [](const auto& r) { return r.needed; });
  return out;
}

}  // namespace stox::doctor
