#include <utility>

#include "gateway/pager_to_xmpp.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"

// What pager_to_xmpp does when the resource that a conversation was held with is not there.
namespace stox::gateway {

bool pager_to_xmpp::did_not_arrive(const pending& p, const xmpp::message& error) {
  // RFC 6121 §8.5.3.2.1: so a server says that there is no such resource. Any other error may be the
  // client's, which then has the message.
  if (!p.locked || error.from != p.to) return false;
  const auto why = error.error->condition;
  return why == xmpp::condition::service_unavailable || why == xmpp::condition::item_not_found ||
         why == xmpp::condition::recipient_unavailable;
}

bool pager_to_xmpp::try_user(xmpp::stanza_ref ref, context& c) {
  auto node = open_.extract(ref);
  auto& p = node.mapped();
  const auto element = xml::parse(p.stanza, {}, xmpp::component_ns);
  auto parsed = element ? xmpp::parse_stanza(*element) : xmpp::stanza_errc::not_a_stanza;
  auto* m = parsed ? std::get_if<xmpp::message>(&*parsed) : nullptr;
  if (m == nullptr) {
    open_.insert(std::move(node));
    return false;
  }
  if (c.logs(log_level::info)) note(c, log_level::info, "message.to_xmpp.resource_gone", about_of(p), {});
  p.to = p.to.bare();
  m->to = p.to;
  p.locked = false;
  p.confirmed = false;
  p.stanza.clear();
  c.set_timer(p.timer, 0, std::nullopt);
  // What is still said of the first stanza is not about this one.
  const auto next = c.new_ref();
  node.key() = next;
  by_id_[p.id] = next;
  auto& moved = open_.insert(std::move(node)).position->second;
  write_or_hold(next, moved, xmpp::write(*m), c);
  return true;
}

}  // namespace stox::gateway
