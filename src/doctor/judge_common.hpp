#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "doctor/report.hpp"

/// Shared by the files that implement judge().
namespace stox::doctor {

inline constexpr std::string_view host_placeholder = "<host>";

/// Collects what is said of one world.
class notes {
 public:
  notes(world& about, std::vector<advice>& records) : about_(about), records_(records) {}
  void say(level how, std::string what, std::string told) {
    about_.findings.push_back({how, std::move(what), std::move(told)});
  }
  /// Each record once; needed, if anybody needs it.
  void advise(std::string record, bool needed);
  void finish(bool any_server) {
    const auto failed = [](const auto& f) { return f.how == level::fail; };
    about_.looked_at = true;
    about_.reached = any_server && std::none_of(about_.findings.begin(), about_.findings.end(), failed);
  }

 private:
  world& about_;
  std::vector<advice>& records_;
};

/// The answer; one of `failed` where it was never asked for.
const dns::answer& answer_to(const facts& found, io::record_type type, const std::string& name);
/// The servers that the records name; not ".".
std::vector<dns::srv_record> servers_of(const facts& found, const std::string& name);
std::string text_of(const std::vector<dns::srv_record>& servers);  ///< "gw.example:5269, ..."

std::string srv_line(std::string_view owner, std::uint16_t port, std::string_view host);
std::string address_line(std::string_view host);

/// The host that records for the domain can name: a server of the first of the services that has one, else
/// the domain itself if it has an address, else a placeholder.
std::string host_for(const subject& who, const facts& found,
                     std::initializer_list<std::string_view> services);

/// "address HOST" for every server of these, once each.
void judge_addresses(notes& out, const facts& found, const std::vector<dns::srv_record>& servers);

/// Whether it was not our peer's fault: IPv6 is not to be had here.
bool is_out_of_sight(const attempt& a, const socket_address& at);
/// Why it ended early; `silence`: what is missing when the time was up at last.
std::string why_not(const attempt& a, std::string_view silence);

/// How long a certificate is good for: "61 days left", or a warning.
struct validity {
  level how = level::ok;
  std::string told;
};
validity validity_of(const peer_identity& who, wall_time now);

void judge_xmpp(const subject& who, const facts& found, wall_time now, notes out);
void judge_sip(const subject& who, const facts& found, wall_time now, notes out);

}  // namespace stox::doctor
