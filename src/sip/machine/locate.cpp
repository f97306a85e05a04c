#include "sip/machine/locate.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "dns/order.hpp"

namespace stox::sip {
namespace {

constexpr std::size_t most_targets = 16;

std::uint16_t default_port(transport via) { return via == transport::tls ? 5061 : 5060; }

std::string_view srv_prefix(transport via) {
  switch (via) {
    case transport::udp: return "_sip._udp.";
    case transport::tcp: return "_sip._tcp.";
    case transport::tls: return "_sips._tcp.";
  }
  return "";
}

// RFC 3263 §4.1: the NAPTR service fields of SIP.
std::optional<transport> transport_of_service(std::string_view service) {
  if (service == "sip+d2u") return transport::udp;
  if (service == "sip+d2t") return transport::tcp;
  if (service == "sips+d2t") return transport::tls;
  return std::nullopt;
}

class procedure {
 public:
  procedure(const destination& where, const reach& can, const dns_answers& known, id_source& random)
      : where_(where), can_(can), known_(known), random_(random) {}

  located run();

 private:
  struct service {
    transport via{};
    std::string name;  ///< of its SRV records
  };

  bool allows(transport via) const;
  std::vector<transport> allowed() const;
  const dns::answer* find(io::record_type type, const std::string& name);
  bool add_servers(const service& s);
  void add_addresses(transport via, const std::string& host, std::uint16_t port);
  void add(transport via, const socket_address& to);
  void by_transport(transport via);
  void by_pointer();
  void by_services();
  bool choose(const std::vector<dns::naptr_record>& pointers);

  const destination& where_;
  const reach& can_;
  const dns_answers& known_;
  id_source& random_;
  bool unanswered_ = false;   ///< the DNS failed for something that was needed
  bool unsupported_ = false;  ///< they offer something, but nothing that we have
  located out_;
};

bool procedure::allows(transport via) const {
  // RFC 3263 §4.1: a SIPS URI goes over TLS only.
  switch (via) {
    case transport::udp: return can_.udp && !where_.secure;
    case transport::tcp: return can_.tcp && !where_.secure;
    case transport::tls: return can_.tls;
  }
  return false;
}

// In our order of preference where the other side expresses none. UDP is what every SIP server has (RFC 3261
// §18), and a pager MESSAGE fits into a datagram.
std::vector<transport> procedure::allowed() const {
  std::vector<transport> out;
  for (const auto via : {transport::udp, transport::tcp, transport::tls})
    if (allows(via)) out.push_back(via);
  return out;
}

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

void procedure::add(transport via, const socket_address& to) {
  if (!is_host_address(to)) return;
  const target t{via, to, via == transport::tls ? where_.host : std::string()};
  auto& all = out_.targets;
  if (all.size() < most_targets && std::find(all.begin(), all.end(), t) == all.end()) all.push_back(t);
}

// The addresses of both families are targets, IPv6 first as RFC 6724 orders them by default.
void procedure::add_addresses(transport via, const std::string& host, std::uint16_t port) {
  const auto add_all = [&](io::record_type type) {
    const auto* a = find(type, host);
    if (a == nullptr) return;
    auto addresses = a->all<ip_address>();
    addresses.resize(std::min(addresses.size(), dns::most_records));
    for (const auto& ip : addresses) add(via, {ip, port});
  };
  if (can_.v6) add_all(io::record_type::aaaa);
  if (can_.v4) add_all(io::record_type::a);
}

// Whether there are SRV records, or may be: then no address records of the domain itself are looked at. No
// answer is not the answer that there are none; the domain's own address may be a web server's.
bool procedure::add_servers(const service& s) {
  const auto* a = find(io::record_type::srv, s.name);
  if (a == nullptr || a->status == io::lookup_status::failed) return true;
  auto records = dns::in_order(a->all<dns::srv_record>(), random_);
  if (records.empty()) return false;
  records.resize(std::min(records.size(), dns::most_records));
  for (const auto& r : records) {
    // RFC 2782: a target of "." says that the service is decidedly not there.
    if (!r.target.empty()) add_addresses(s.via, r.target, r.port);
  }
  return true;
}

// RFC 3263 §4.2, a transport was given.
void procedure::by_transport(transport via) {
  if (!allows(via)) {
    unsupported_ = true;
    return;
  }
  if (!add_servers({via, std::string(srv_prefix(via)) + where_.host}))
    add_addresses(via, where_.host, default_port(via));
}

// True: the pointers decide. RFC 3403 §4.1: of the lowest order at which we can use one, all that we can use,
// by preference. RFC 3263 §4.2: where they name services without SRV records, the address of the domain is
// asked for, with the transport that was found.
bool procedure::choose(const std::vector<dns::naptr_record>& pointers) {
  bool for_sip = false, any_server = false;
  std::optional<std::uint16_t> order;
  std::optional<transport> first;
  for (const auto& p : pointers) {
    const auto via = transport_of_service(p.service);
    // RFC 3263 §4.1: only flag "s" and no regular expression have a meaning here. A service that we cannot
    // use still decides: falling back to SRV would go over less than the domain asks for.
    if (!via || p.flags != "s" || !p.regexp.empty() || p.replacement.empty()) continue;
    for_sip = true;
    if (!allows(*via) || (order && p.order != *order)) continue;
    // A domain that prefers TLS is not reached in clear because TLS failed: whoever is in the way could make
    // it fail.
    if (first == transport::tls && *via != transport::tls) continue;
    order = p.order;
    if (!first) first = via;
    any_server = add_servers({*via, p.replacement}) || any_server;
  }
  if (first && !any_server) add_addresses(*first, where_.host, default_port(*first));
  unsupported_ = unsupported_ || (for_sip && !order);
  return for_sip;
}

void procedure::by_pointer() {
  const auto* a = find(io::record_type::naptr, where_.host);
  if (a == nullptr) return;
  auto pointers = dns::in_order(a->all<dns::naptr_record>());
  pointers.resize(std::min(pointers.size(), dns::most_records));
  if (!choose(pointers)) by_services();
}

// RFC 3263 §4.1: without NAPTR records, SRV records for each transport that we have; without those, the
// address of the domain itself.
void procedure::by_services() {
  bool any = false;
  for (const auto via : allowed())
    any = add_servers({via, std::string(srv_prefix(via)) + where_.host}) || any;
  if (any || !out_.questions.empty()) return;
  const auto via = where_.secure ? transport::tls : transport::udp;
  if (allows(via)) {
    add_addresses(via, where_.host, default_port(via));
  } else if (!allowed().empty()) {
    add_addresses(allowed().front(), where_.host, default_port(allowed().front()));
  } else {
    unsupported_ = true;
  }
}

located procedure::run() {
  // RFC 3263 §4.1: without the parameter, UDP for sip and TLS for sips where an address or a port is given.
  const auto via = where_.via.value_or(where_.secure ? transport::tls : transport::udp);
  if (const auto ip = ip_address::parse(where_.host)) {
    unsupported_ = !allows(via);
    if (!unsupported_) add(via, {*ip, where_.port != 0 ? where_.port : default_port(via)});
  } else if (where_.port != 0) {
    unsupported_ = !allows(via);
    if (!unsupported_) add_addresses(via, where_.host, where_.port);
  } else if (where_.via) {
    by_transport(via);
  } else {
    by_pointer();
  }
  if (!out_.questions.empty()) {
    out_.targets.clear();
  } else if (out_.targets.empty()) {
    out_.why = unanswered_    ? located::reason::no_answer
               : unsupported_ ? located::reason::no_transport
                              : located::reason::no_name;
  }
  return std::move(out_);
}

}  // namespace

located locate(const destination& where, const reach& can, const dns_answers& known, id_source& random) {
  return procedure(where, can, known, random).run();
}

}  // namespace stox::sip
