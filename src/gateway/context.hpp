#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "base/ids.hpp"
#include "base/incident.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/stored_row.hpp"
#include "gateway/counters.hpp"
#include "gateway/peer_book.hpp"
#include "gateway/receipt_book.hpp"
#include "settings/settings.hpp"
#include "sip/machine/endpoint.hpp"
#include "translate/address.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// Where the work of a served domain stands on the XMPP side.
enum class link_state : std::uint8_t {
  up,
  blocked,  ///< up, but its write queue is above the high-water mark: take no new work
  down,
  none,  ///< nothing serves that domain
};

/// What holds for one served domain: its own rules, else those of all.
struct tenant {
  std::vector<ip_prefix> trusted_peers;
  std::vector<std::string> trusted_domains;  ///< A-labels
  std::vector<settings::sip_route> outbound_proxy;
  settings::message_type message_type{};
  unsigned messages_per_sender = 0, queue_per_pair = 0;
  unsigned rate_per_domain = 0;  ///< messages a minute from one domain
  bool late_notices = true;      ///< chat.late_notices
  unsigned max_message_bytes = 1300;
  settings::first_form first_form = settings::first_form::plain;
  std::string route = {};  ///< of every request, RFC 3261 §8.1.2; empty: none
};

/// What every flow needs of the settings, in the form in which it needs it. Made anew on reload.
struct domains {
  translate::address_map addresses;
  std::vector<std::string> sip;   ///< served SIP domains, A-labels, lower case
  std::vector<std::string> xmpp;  ///< the only XMPP domains reachable from SIP, U-labels; empty: any
  std::string name;               ///< this gateway's short name in hop marks
  tenant others;                  ///< of a domain without rules of its own
  std::map<std::string, tenant, std::less<>> tenants;  ///< by SIP domain
  const tenant& rules_of(std::string_view sip_domain) const;
  /// Whether the peer's word about users of that domain is believed.
  bool trusts(const sip::peer_info& peer, std::string_view sip_domain) const;
  bool serves_sip(std::string_view sip_domain) const;
  bool serves_xmpp(std::string_view xmpp_domain) const;  ///< the XMPP name of a served SIP domain
};

/// The flows' way out: commands to the endpoints by id, and what the engine lends. Implemented by the engine;
/// a call never re-enters a flow, its consequences come as later events.
/// It is also where flows save what is to outlive the process (row_sink).
class context : public row_sink {
 public:
  /// Whether new work is refused because the gateway is about to end.
  virtual bool draining() const = 0;

  // SIP
  virtual sip::client_tx request(sip::outgoing out) = 0;
  virtual void respond(sip::server_tx tx, const sip::reply& r) = 0;
  /// The request with its next hops and its Route. `host`: of the Request-URI.
  virtual sip::outgoing route(sip::request r, const std::string& host) const = 0;

  // XMPP; `domain`: the served XMPP name that the stanza comes from, `to`: the domain that it goes to
  virtual link_state link(std::string_view domain, std::string_view to) const = 0;
  virtual bool send(std::string_view domain, std::string_view to, std::string stanza,
                    xmpp::stanza_ref ref) = 0;
  virtual bool send_or_queue(std::string_view domain, std::string_view to, std::string stanza) = 0;
  virtual xmpp::stanza_ref new_ref() = 0;

  // lent by the engine
  virtual instant now() const = 0;
  virtual id_source& ids() = 0;
  virtual byte_account& memory() = 0;
  virtual counters& counts() = 0;
  virtual peer_book& peers() = 0;
  virtual receipt_book& receipts() = 0;
  virtual const settings::all& settings() const = 0;
  virtual const gateway::domains& domains() const = 0;
  /// Whether the operator has blocked that XMPP sender, or the SIP user behind that JID.
  virtual bool blocks(const xmpp::jid& sender) const = 0;
  virtual bool blocks_sip(const xmpp::jid& sender) const = 0;
  /// A deadline of the pager flow; its key comes back to handle_timeout.
  virtual void set_timer(timer_handle& handle, std::uint64_t key, std::optional<steady_time> when) = 0;
  virtual bool logs(log_level level) const = 0;
  virtual void log(log_record record) = 0;
  /// For the operator's later questions; kept whatever the log's level.
  virtual void raise(incident what) = 0;
};

}  // namespace stox::gateway
