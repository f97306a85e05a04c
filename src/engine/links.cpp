#include <algorithm>
#include <utility>

#include "base/host_port.hpp"
#include "engine/engine_impl.hpp"
#include "engine/timer_keys.hpp"
#include "engine/wiring.hpp"

// Component links that come, go and change while the gateway runs.
namespace stox::engine {

namespace {

constexpr auto step_every = std::chrono::milliseconds(50);
constexpr gateway::work_end domain_end{{}, "Domain is no longer served", "domain_removed"};

bool same_server(const xmpp::component_options& a, const xmpp::component_options& b) {
  return a.host == b.host && a.port == b.port && a.secret == b.secret;
}

/// Whether the server has confirmed all that it was given.
bool is_confirmed(const xmpp::component& link) {
  const auto& s = link.stats();
  return s.unconfirmed + s.tracked + s.queued == 0;
}

}  // namespace

const engine::impl::component_link* engine::impl::link_of(xmpp::link_id id) const {
  const auto at = std::find_if(links_.begin(), links_.end(),
                               [id](const component_link& l) { return l.wire->id() == id; });
  return at == links_.end() ? nullptr : &*at;
}

xmpp::component* engine::impl::find(std::string_view domain) const {
  for (const auto& l : links_) {
    if (l.at == component_link::stage::serving && l.wire->options().domain == domain) return l.wire.get();
  }
  return nullptr;
}

bool engine::impl::federates(std::string_view domain, std::string_view to) const {
  if (!settings_.s2s.enabled) return false;
  const auto own = std::find_if(links_.begin(), links_.end(), [&](const component_link& l) {
    return l.at == component_link::stage::serving && l.wire->options().domain == domain;
  });
  if (own == links_.end()) return domains_.serves_xmpp(domain);
  const auto& reaches = own->reaches;
  return !reaches.empty() && std::find(reaches.begin(), reaches.end(), to) == reaches.end();
}

xmpp::component* engine::impl::voice(std::string_view domain) const {
  if (auto* serving = find(domain)) return serving;
  for (const auto& l : links_) {
    if (l.wire->options().domain == domain) return l.wire.get();
  }
  return nullptr;
}

engine::impl::component_link engine::impl::make_link(const settings::component& c) {
  auto wire = std::make_unique<xmpp::component>(
      xmpp::link_id{++last_link_}, component_options_of(c, settings_), deadlines_, ids_, memory_, io_);
  return {std::move(wire), component_link::stage::serving, {}, unicode_domains(c.reaches)};
}

void engine::impl::reconfigure_links() {
  std::vector<component_link> next;
  for (const auto& c : settings_.components) {
    const auto wanted = component_options_of(c, settings_);
    const auto known = std::find_if(links_.begin(), links_.end(), [&](const component_link& l) {
      return l.wire && l.at == component_link::stage::serving && l.wire->options().domain == wanted.domain;
    });
    const bool kept = known != links_.end() && same_server(known->wire->options(), wanted);
    next.push_back(kept ? std::move(*known) : make_link(c));
    next.back().reaches = unicode_domains(c.reaches);
  }
  for (auto& l : links_) {
    if (!l.wire) continue;
    if (l.at == component_link::stage::serving) leave(l);
    next.push_back(std::move(l));
  }
  links_ = std::move(next);
  start_links();
}

/// A domain has one link at a time: to the server a second one is a conflict.
void engine::impl::start_links() {
  if (!started_ || phase_ == phase::closing || phase_ == phase::stopped) return;
  for (const auto& l : links_) {
    if (l.at != component_link::stage::serving) continue;
    const auto rival = std::any_of(links_.begin(), links_.end(), [&l](const component_link& other) {
      return other.at != component_link::stage::serving &&
             other.wire->options().domain == l.wire->options().domain;
    });
    rival ? l.wire->hold() : l.wire->start(now_);
  }
}

void engine::impl::leave(component_link& l) {
  l.at = component_link::stage::finishing;
  l.limit = now_.steady + settings_.gateway.drain;
  deadlines_.set(links_timer_, {timer_owner::engine, links_key}, now_.steady + step_every);
  log({log_level::info, "component.leaving", {}, {{"domain", l.wire->options().domain}}});
}

void engine::impl::close(component_link& l) {
  l.at = component_link::stage::closing;
  l.wire->stop(now_);
}

/// True: it has ended.
bool engine::impl::step_link(component_link& l) {
  const auto& domain = l.wire->options().domain;
  const bool replaced = find(domain) != nullptr;
  switch (l.at) {
    case component_link::stage::serving: return false;
    case component_link::stage::finishing:
      // What waits for a link that is down goes over to the one that replaces it.
      if (replaced && (!l.wire->up() || is_confirmed(*l.wire))) {
        close(l);
      } else if (!replaced && is_confirmed(*l.wire) && !router_.is_open(domain)) {
        close(l);
      } else if (l.limit <= now_.steady) {
        auto why = domain_end;
        why.domain = domain;
        if (!replaced) router_.abandon(why, *this);
        l.at = component_link::stage::confirming;
        l.limit = now_.steady + goodbye_limit;
      }
      return false;
    case component_link::stage::confirming:
      if (is_confirmed(*l.wire) || l.limit <= now_.steady) close(l);
      return false;
    case component_link::stage::closing: return l.wire->stopped();
  }
  return false;
}

void engine::impl::step_links() {
  links_timer_ = {};
  // First all, then out with those that ended: each step looks at the others.
  std::vector<xmpp::link_id> ended;
  for (auto& l : links_) {
    if (step_link(l)) ended.push_back(l.wire->id());
  }
  std::erase_if(links_, [&ended](const component_link& l) {
    return std::find(ended.begin(), ended.end(), l.wire->id()) != ended.end();
  });
  start_links();
  const bool leaving = std::any_of(links_.begin(), links_.end(), [](const component_link& l) {
    return l.at != component_link::stage::serving;
  });
  if (leaving) deadlines_.set(links_timer_, {timer_owner::engine, links_key}, now_.steady + step_every);
}

void engine::impl::hand_over(xmpp::link_down& e, const component_link& from) {
  auto* next = from.at == component_link::stage::serving ? nullptr : find(from.wire->options().domain);
  if (next == nullptr) return;
  std::erase_if(e.unheard, [&](const std::string& text) { return next->send_or_queue(text, now_); });
}

std::vector<std::string> engine::served() const { return served_names(impl_->settings_); }
std::vector<std::string> engine::federated() const { return federated_names(impl_->settings_); }

std::vector<server_stream> engine::streams(std::string_view domain, std::size_t limit) const {
  std::vector<server_stream> out;
  for (auto& r : impl_->federation_.rows(domain, limit)) {
    const auto proof = !r.up ? "none" : r.certificate ? "certificate" : "dialback";
    const auto way = r.bidi && r.up ? "both" : r.incoming ? "in" : "out";
    out.push_back({std::move(r.local), std::move(r.remote), std::move(r.peer), way, proof, r.tls, r.managed,
                   r.since.wall, r.stanzas_in, r.stanzas_out});
  }
  return out;
}

std::vector<link_status> engine::links() const {
  std::vector<link_status> out;
  for (const auto& l : impl_->links_) {
    const auto status = l.wire->status();
    const auto& o = l.wire->options();
    const auto& s = l.wire->stats();
    out.push_back({o.domain, write_host_port(o.host, o.port), status.state, l.wire->up(),
                   l.at != impl::component_link::stage::serving, status.since.wall, status.why, s.connects,
                   s.losses, s.queued, s.unconfirmed + s.tracked});
  }
  return out;
}

}  // namespace stox::engine
