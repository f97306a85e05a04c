#include "doctor/xmpp_dns.hpp"

#include <algorithm>

#include "dns/order.hpp"

namespace stox::doctor {
namespace {

// A domain's owner writes as many records as he likes; these are enough to tell him.
constexpr std::size_t most_hosts = 8, most_targets = 12;

class search {
 public:
  search(const dns_answers& known, id_source& random) : known_(known), random_(random) {}

  const dns::answer* find(io::record_type type, const std::string& name) {
    const auto at = known_.find({type, name});
    if (at != known_.end()) return &at->second;
    dns::question q{type, name};
    if (std::find(out_.questions.begin(), out_.questions.end(), q) == out_.questions.end())
      out_.questions.push_back(std::move(q));
    return nullptr;
  }

  void add_host(const std::string& host, std::uint16_t port, bool direct) {
    find(io::record_type::tlsa, tlsa_name(host, port));
    for (const auto type : {io::record_type::aaaa, io::record_type::a}) {
      const auto* a = find(type, host);
      if (a == nullptr) continue;
      for (const auto& ip : a->all<ip_address>()) {
        const xmpp_target t{host, {ip, port}, direct};
        auto& all = out_.targets;
        if (all.size() < most_targets && std::find(all.begin(), all.end(), t) == all.end()) all.push_back(t);
      }
    }
  }

  /// Whether the service has records, or may have.
  bool add_service(const std::string& name, bool direct) {
    const auto* a = find(io::record_type::srv, name);
    if (a == nullptr || a->status == io::lookup_status::failed) return true;
    auto records = dns::in_order(a->all<dns::srv_record>(), random_);
    const bool any = !records.empty();
    records.resize(std::min(records.size(), most_hosts));
    for (const auto& r : records)
      if (!r.target.empty()) add_host(r.target, r.port, direct);
    return any;
  }

  xmpp_servers take() { return std::move(out_); }
  void mark_by_address() { out_.by_address = true; }

 private:
  const dns_answers& known_;
  id_source& random_;
  xmpp_servers out_;
};

}  // namespace

std::string tlsa_name(std::string_view host, std::uint16_t port) {
  return "_" + std::to_string(port) + "._tcp." + std::string(host);
}

xmpp_servers find_xmpp_servers(const std::string& ascii, const dns_answers& known, id_source& random) {
  search s(known, random);
  const bool direct = s.add_service(std::string(direct_tls_service) + ascii, true);
  const bool plain = s.add_service(std::string(starttls_service) + ascii, false);
  // RFC 6120 §3.2.2: only where there are no SRV records at all.
  if (!direct && !plain) {
    s.mark_by_address();
    s.add_host(ascii, xmpp_server_port, false);
  }
  return s.take();
}

}  // namespace stox::doctor
