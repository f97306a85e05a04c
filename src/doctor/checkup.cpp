#include "doctor/checkup.hpp"

#include <algorithm>
#include <utility>

#include "doctor/xmpp_dns.hpp"
#include "sip/machine/locate.hpp"

namespace stox::doctor {
namespace {

// A domain's owner could name a thousand hosts.
constexpr std::size_t most_questions = 120;
constexpr std::size_t most_sip_targets = 12;

// Not all that our own way to them needs, but all that others may use.
constexpr std::string_view sip_services[] = {"_sip._udp.", "_sip._tcp.", "_sips._tcp."};

void add(std::vector<dns::question>& to, dns::question q) {
  if (std::find(to.begin(), to.end(), q) == to.end()) to.push_back(std::move(q));
}

sip::located locate_sip(const subject& who, const dns_answers& known, id_source& ids) {
  sip::reach all;
  all.tls = true;
  return sip::locate({who.ascii, 0, {}, false}, all, known, ids);
}

}  // namespace

checkup::checkup(subject who, id_source& ids) : who_(std::move(who)), ids_(ids) {}

void checkup::start(instant now) { ask_on(now); }

std::vector<dns::question> checkup::questions() {
  std::vector<dns::question> out;
  add(out, {io::record_type::aaaa, who_.ascii});
  add(out, {io::record_type::a, who_.ascii});
  if (who_.xmpp) {
    for (auto& q : find_xmpp_servers(who_.ascii, known_, ids_).questions) add(out, std::move(q));
  }
  if (who_.sip) {
    add(out, {io::record_type::naptr, who_.ascii});
    for (const auto service : sip_services)
      add(out, {io::record_type::srv, std::string(service) + who_.ascii});
    for (auto& q : locate_sip(who_, known_, ids_).questions) add(out, std::move(q));
    // Every server's addresses, also of services that the pointers do not choose.
    for (const auto service : sip_services) {
      const auto at = known_.find({io::record_type::srv, std::string(service) + who_.ascii});
      if (at == known_.end()) continue;
      for (const auto& r : at->second.all<dns::srv_record>()) {
        if (r.target.empty()) continue;
        add(out, {io::record_type::aaaa, r.target});
        add(out, {io::record_type::a, r.target});
      }
    }
  }
  return out;
}

void checkup::ask_on(instant now) {
  if (visiting_) return;
  for (auto& q : questions()) {
    const auto same = [&q](const auto& o) { return o.second.what == q; };
    if (known_.contains(q) || std::any_of(open_.begin(), open_.end(), same)) continue;
    if (known_.size() + open_.size() >= most_questions) {
      known_[q] = {};
      continue;
    }
    const io::lookup_id id{++last_lookup_};
    port_.push(io::lookup{id, q.type, q.name});
    open_.emplace(id, open_question{std::move(q), now.steady + who_.patience});
  }
  if (open_.empty()) visit_all(now);
}

void checkup::learn(const io::looked_up& l, instant now) {
  const auto at = open_.find(l.id);
  if (at == open_.end()) return;
  dns::answer a{l.status, {}, l.secure};
  for (const auto& data : l.data) {
    if (a.records.size() == dns::most_records) break;
    if (auto r = dns::parse_record(at->second.what.type, data)) a.records.push_back(std::move(*r));
  }
  known_[at->second.what] = std::move(a);
  open_.erase(at);
  ask_on(now);
}

void checkup::visit_all(instant now) {
  visiting_ = true;
  if (who_.xmpp) {
    auto servers = find_xmpp_servers(who_.ascii, known_, ids_);
    by_address_ = servers.by_address;
    for (auto& t : servers.targets)
      xmpp_.push_back({std::make_unique<xmpp_probe>(who_, std::move(t), port_), {}, {}});
  }
  if (who_.sip) {
    auto targets = locate_sip(who_, known_, ids_).targets;
    targets.resize(std::min(targets.size(), most_sip_targets));
    for (const auto& t : targets) {
      const auto from = (t.to.ip.is_v4() ? v4_ : v6_).value_or(listener{});
      sip_.push_back({std::make_unique<sip_probe>(who_, t, port_, ids_, from.conn, from.port), {}, {}});
    }
  }
  for (auto& v : xmpp_) {
    v.until = now.steady + who_.patience;
    v.probe->start();
  }
  for (auto& v : sip_) {
    v.until = now.steady + who_.patience;
    v.probe->start(now);
  }
}

void checkup::listen(const io::listening& l) {
  (l.local.ip.is_v4() ? v4_ : v6_) = listener{l.conn, l.local.port};
}

template <class Probe>
void checkup::renew(visitor<Probe>& v, instant now) {
  const auto reached = v.probe->visit().went.reached;
  if (v.in == reached) return;
  v.in = reached;
  v.until = now.steady + who_.patience;
}

void checkup::tell(conn_id conn, const io::event& e, instant now) {
  const auto hear = [&](auto& all) {
    for (auto& v : all) {
      if (v.probe->conn() != conn) continue;
      v.probe->handle(e);
      renew(v, now);
    }
  };
  hear(xmpp_);
  hear(sip_);
}

void checkup::handle(const io::event& e, instant now) {
  if (const auto* l = std::get_if<io::listening>(&e)) return listen(*l);
  if (const auto* l = std::get_if<io::looked_up>(&e)) return learn(*l, now);
  if (const auto* x = std::get_if<io::opened>(&e)) return tell(x->conn, e, now);
  if (const auto* x = std::get_if<io::secured>(&e)) return tell(x->conn, e, now);
  if (const auto* x = std::get_if<io::received>(&e)) return tell(x->conn, e, now);
  if (const auto* x = std::get_if<io::closed>(&e)) return tell(x->conn, e, now);
  if (std::holds_alternative<io::send_failed>(e)) {
    for (auto& v : sip_) v.probe->handle(e);
  }
  // Of what else is sent nothing is to be told, no limit is near, and nobody is let in.
}

void checkup::handle_timeout(instant now) {
  std::vector<io::lookup_id> late;
  for (const auto& [id, q] : open_)
    if (q.until <= now.steady) late.push_back(id);
  for (const auto id : late) {
    port_.push(io::cancel_lookup{id});
    learn({id, io::lookup_status::failed, 0, {}}, now);
  }
  for (auto& v : xmpp_)
    if (v.until <= now.steady) v.probe->give_up();
  for (auto& v : sip_) {
    if (v.until <= now.steady) {
      v.probe->give_up();
    } else {
      v.probe->handle_timeout(now);
    }
  }
}

std::optional<io::action> checkup::poll() {
  auto& all = port_.actions();
  if (taken_ == all.size()) {
    all.clear();
    taken_ = 0;
    return std::nullopt;
  }
  return std::move(all[taken_++]);
}

std::optional<steady_time> checkup::next_deadline() const {
  std::optional<steady_time> out;
  const auto add = [&out](std::optional<steady_time> t) {
    if (t && (!out || *t < *out)) out = t;
  };
  for (const auto& [id, q] : open_) add(q.until);
  for (const auto& v : xmpp_)
    if (!v.probe->is_done()) add(v.until);
  for (const auto& v : sip_) {
    if (!v.probe->is_done()) add(v.until);
    add(v.probe->next_deadline());
  }
  return out;
}

bool checkup::is_done() const {
  const auto done = [](const auto& v) { return v.probe->is_done(); };
  return visiting_ && std::all_of(xmpp_.begin(), xmpp_.end(), done) &&
         std::all_of(sip_.begin(), sip_.end(), done);
}

facts checkup::found() const {
  facts out;
  out.dns = known_;
  out.xmpp_by_address = by_address_;
  for (const auto& v : xmpp_) out.xmpp.push_back(v.probe->visit());
  for (const auto& v : sip_) out.sip.push_back(v.probe->visit());
  return out;
}

}  // namespace stox::doctor
