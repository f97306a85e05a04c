#include "xmpp/machine/locate_server.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "dns/order.hpp"

namespace stox::xmpp {
namespace {

constexpr std::size_t most_targets = 16;
constexpr std::uint16_t server_port = 5269;

class procedure {
 public:
  procedure(const std::map<dns::question, dns::answer>& known, id_source& random)
      : known_(known), random_(random) {}
  located_server run(const std::string& domain);

 private:
  const dns::answer* find(io::record_type type, const std::string& name);
  bool add_servers(const std::string& domain);
  void add_addresses(const std::string& host, std::uint16_t port, bool direct_tls, bool secure_name);
  void add(server_target t);

  const std::map<dns::question, dns::answer>& known_;
  id_source& random_;
  bool unanswered_ = false;
  located_server out_;
};

// The answer, or nullptr: it has to be asked for.
const dns::answer* procedure::find(io::record_type type, const std::string& name) {
  const auto at = known_.find({type, name});
  if (at == known_.end()) {
    dns::question q{type, name};
    if (std::find(out_.questions.begin(), out_.questions.end(), q) == out_.questions.end())
      out_.questions.push_back(std::move(q));
    return nullptr;
  }
  if (at->second.status == io::lookup_status::failed) unanswered_ = true;
  return &at->second;
}

void procedure::add(server_target t) {
  auto& all = out_.targets;
  if (!is_host_address(t.to) || all.size() >= most_targets) return;
  if (std::find(all.begin(), all.end(), t) == all.end()) all.push_back(std::move(t));
}

// IPv6 and IPv4 in turns, IPv6 first, so that the race between them is one (RFC 8305 §4).
void procedure::add_addresses(const std::string& host, std::uint16_t port, bool direct_tls,
                              bool secure_name) {
  const auto* six = find(io::record_type::aaaa, host);
  const auto* four = find(io::record_type::a, host);
  if (six == nullptr || four == nullptr) return;
  const auto v6 = six->all<ip_address>(), v4 = four->all<ip_address>();
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) add({{v6[i], port}, direct_tls, host, secure_name});
    if (i < v4.size()) add({{v4[i], port}, direct_tls, host, secure_name});
  }
}

// Whether there are SRV records, or may be: then no addresses of the domain itself are looked at.
bool procedure::add_servers(const std::string& domain) {
  const auto* clear = find(io::record_type::srv, "_xmpp-server._tcp." + domain);
  const auto* tls = find(io::record_type::srv, "_xmpps-server._tcp." + domain);
  if (clear == nullptr || tls == nullptr) return true;
  // XEP-0368 §3: as if they were one set. The mark cannot be part of a name.
  constexpr char mark = '!';
  auto records = clear->all<dns::srv_record>();
  for (auto& r : tls->all<dns::srv_record>()) {
    r.target.insert(r.target.begin(), mark);
    records.push_back(std::move(r));
  }
  if (records.empty()) {
    // No answer is not the answer that there are none; but one of the two services alone is enough.
    return clear->status == io::lookup_status::failed || tls->status == io::lookup_status::failed;
  }
  // A domain's owner writes as many as he likes, and each host is two more questions to name servers that may
  // be somebody else's. Which ones stay must not depend on chance: this is asked again with more answers.
  constexpr std::size_t most_hosts = 8;
  std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) {
    return std::tie(a.priority, a.target, a.port, a.weight) <
           std::tie(b.priority, b.target, b.port, b.weight);
  });
  records.resize(std::min(records.size(), most_hosts));
  for (auto& r : dns::in_order(std::move(records), random_)) {
    const bool direct = !r.target.empty() && r.target.front() == mark;
    if (direct) r.target.erase(0, 1);
    // RFC 2782: a target of "." says that the service is decidedly not there.
    if (r.target.empty()) continue;
    add_addresses(r.target, r.port, direct, (direct ? tls : clear)->secure);
  }
  return true;
}

located_server procedure::run(const std::string& domain) {
  if (const auto ip = ip_address::parse(domain)) {
    add({{*ip, server_port}, false, domain, false});
  } else if (!add_servers(domain)) {
    add_addresses(domain, server_port, false, false);
  }
  if (!out_.questions.empty()) {
    out_.targets.clear();
  } else if (out_.targets.empty()) {
    out_.why = unanswered_ ? located_server::reason::no_answer : located_server::reason::no_name;
  }
  return std::move(out_);
}

}  // namespace

located_server locate_server(const std::string& domain, const std::map<dns::question, dns::answer>& known,
                             id_source& random) {
  return procedure(known, random).run(domain);
}

}  // namespace stox::xmpp
