#include "translate/error.hpp"

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "translate/xmpp_uri.hpp"
#include "xml/element.hpp"

namespace stox::translate {

namespace {

constexpr std::size_t max_reason =
    120;                               ///< bytes of a Reason-Phrase: an answer should not outgrow its request
constexpr std::size_t max_text = 200;  ///< bytes of the reason in a stanza error's text
constexpr std::size_t max_address = 1023;

/// The codes for a failure of one device and of the user as such. RFC 7247 §7.1 notes 1 and 2.
struct codes {
  std::uint16_t full;
  std::uint16_t bare;
  constexpr codes(std::uint16_t both) : full(both), bare(both) {}  // NOLINT(google-explicit-constructor)
  constexpr codes(std::uint16_t for_full, std::uint16_t for_bare) : full(for_full), bare(for_bare) {}
};

/// RFC 7247 §7.1 Table 2, <gone/> and <redirect/> without a usable address. The rulings against its letter
/// stand in docs/decisions/0010-error-rulings.md and 0011-service-unavailable.md.
codes codes_of(xmpp::condition c) {
  using enum xmpp::condition;
  switch (c) {
    case bad_request: return 400;
    case conflict: return 400;
    case feature_not_implemented: return {405, 501};
    case forbidden: return {403, 603};
    case gone: return 410;  // RFC 7247 §7.1 note 3
    case internal_server_error: return 500;
    case item_not_found: return {404, 604};
    case jid_malformed: return 400;
    case not_acceptable: return {406, 606};
    case not_allowed: return 403;
    case not_authorized: return 403;  // RFC 3261 §21.4.2: a 401 must challenge, which we cannot
    case policy_violation: return 403;
    case recipient_unavailable: return {480, 600};
    case redirect: return 480;               // RFC 3261 §8.1.3.4: a 302 without Contact leads nowhere
    case registration_required: return 403;  // RFC 3261 §21.4.8: as for 401
    case remote_server_not_found: return 404;
    case remote_server_timeout: return 504;  // RFC 4320 §4.2: no 408 to a non-INVITE
    case resource_constraint: return 500;
    case service_unavailable: return 403;  // RFC 7247 §7.1 note 5: never 503
    case subscription_required: return 400;
    case undefined_condition: return 400;
    case unexpected_request: return 400;  // RFC 3261 §21.4.27: 491 is about crossing re-INVITEs
  }
  return 500;
}

/// RFC 3261 §21.6: a 6xx ends a search that might have found the user elsewhere; the 4xx twin does not.
std::uint16_t without_global(std::uint16_t code) {
  switch (code) {
    case 600: return 480;
    case 603: return 403;
    case 604: return 404;
    case 606: return 406;
    default: return code;
  }
}

/// Where <gone/> or <redirect/> points to, as a SIP Contact. Only what addresses can map, or a SIP URI as it
/// is.
std::optional<sip::uri> contact_of(std::string_view address, const address_map& addresses) {
  address = text::trim(address);
  if (address.empty() || address.size() > 3 * 3 * max_address) return std::nullopt;
  if (const auto jid = parse_xmpp_uri(address)) {
    auto uri = addresses.to_sip(*jid, true);
    if (!uri) return std::nullopt;
    return *std::move(uri);
  }
  auto uri = sip::parse_uri(address);
  if (!uri || uri->scheme != "sip") return std::nullopt;
  uri->password.reset();
  uri->headers.clear();
  return *std::move(uri);
}

/// A Contact for an XMPP user: the JID behind it, else the URI as it is, which a person may still use (RFC
/// 6120 §8.3.3.5 wants a URI of any scheme).
std::string address_of(const sip::uri& contact, const address_map& addresses) {
  if (const auto jid = addresses.to_jid(contact)) return write_xmpp_uri(*jid);
  auto text = sip::write(contact);
  if (text.size() > max_address || !xml::is_xml_text(text)) return {};
  return text;
}

struct row {
  std::uint16_t status;
  xmpp::condition condition;
};

/// RFC 7247 §7.2 Table 3, row by row.
constexpr row table3[] = {
    {300, xmpp::condition::redirect},
    {301, xmpp::condition::gone},
    {302, xmpp::condition::redirect},
    {305, xmpp::condition::redirect},
    {380, xmpp::condition::not_acceptable},
    {400, xmpp::condition::bad_request},
    {401, xmpp::condition::not_authorized},
    {402, xmpp::condition::bad_request},
    {403, xmpp::condition::forbidden},
    {404, xmpp::condition::item_not_found},
    {405, xmpp::condition::feature_not_implemented},
    {406, xmpp::condition::not_acceptable},
    {407, xmpp::condition::registration_required},
    {408, xmpp::condition::remote_server_timeout},
    {410, xmpp::condition::gone},
    {413, xmpp::condition::policy_violation},
    {414, xmpp::condition::policy_violation},
    {415, xmpp::condition::not_acceptable},
    {416, xmpp::condition::not_acceptable},
    {420, xmpp::condition::feature_not_implemented},
    {421, xmpp::condition::not_acceptable},
    {423, xmpp::condition::resource_constraint},
    {430, xmpp::condition::recipient_unavailable},
    {439, xmpp::condition::feature_not_implemented},
    {440, xmpp::condition::policy_violation},
    {480, xmpp::condition::recipient_unavailable},
    {481, xmpp::condition::item_not_found},
    {482, xmpp::condition::not_acceptable},
    {483, xmpp::condition::not_acceptable},
    {484, xmpp::condition::item_not_found},
    {485, xmpp::condition::item_not_found},
    {486, xmpp::condition::recipient_unavailable},
    {487, xmpp::condition::recipient_unavailable},
    {488, xmpp::condition::not_acceptable},
    {489, xmpp::condition::policy_violation},
    {491, xmpp::condition::unexpected_request},
    {493, xmpp::condition::bad_request},
    {500, xmpp::condition::internal_server_error},
    {501, xmpp::condition::feature_not_implemented},
    {502, xmpp::condition::remote_server_not_found},
    {503, xmpp::condition::internal_server_error},
    {504, xmpp::condition::remote_server_timeout},
    {505, xmpp::condition::not_acceptable},
    {513, xmpp::condition::policy_violation},
    {600, xmpp::condition::recipient_unavailable},
    {603, xmpp::condition::recipient_unavailable},
    {604, xmpp::condition::item_not_found},
    {606, xmpp::condition::not_acceptable},
};

/// Table 3, and the default of each class for what it does not list.
xmpp::condition condition_of(std::uint16_t status) {
  const auto* at = std::find_if(std::begin(table3), std::end(table3),
                                [status](const row& r) { return r.status == status; });
  if (at != std::end(table3)) return at->condition;
  if (status >= 300 && status < 400) return xmpp::condition::redirect;
  if (status >= 400 && status < 500) return xmpp::condition::bad_request;
  if (status >= 600 && status < 700) return xmpp::condition::recipient_unavailable;
  return xmpp::condition::internal_server_error;
}

}  // namespace

sip_status to_sip(const xmpp::stanza_error& e, bool to_full_jid, const error_policy& policy,
                  const address_map& addresses) {
  sip_status out;
  out.reason = sip::clean_text(e.text, max_reason);
  if (e.condition == xmpp::condition::gone || e.condition == xmpp::condition::redirect) {
    out.contact = contact_of(e.new_address, addresses);
    if (out.contact) {
      out.code = e.condition == xmpp::condition::gone ? 301 : 302;
      return out;
    }
  }
  // XEP-0191 §3.3: not-acceptable is about the sender there, not about the message. A 406 would have his
  // client try another form; a 403 says not to come again (RFC 3261 §21.4.4).
  const auto both = codes_of(e.blocked ? xmpp::condition::forbidden : e.condition);
  out.code = to_full_jid ? both.full : both.bare;
  if (!policy.global_failure) out.code = without_global(out.code);
  out.allow = out.code == 405;
  return out;
}

xmpp::stanza_error to_xmpp(std::uint16_t status, std::string_view reason,
                           const std::optional<sip::uri>& contact, const address_map& addresses) {
  xmpp::stanza_error out;
  out.condition = condition_of(status);
  if (status >= 300 && status < 400 && contact) out.new_address = address_of(*contact, addresses);
  // RFC 7247 §7.2 note 1: <gone/> for a 301 MUST hold the new address. Without one, only "moved" is known.
  if (status == 301 && out.new_address.empty()) out.condition = xmpp::condition::redirect;
  // A 380 has no place for an address.
  if (out.condition == xmpp::condition::not_acceptable) out.new_address.clear();
  out.type = xmpp::usual_type(out.condition);
  // The peer's own words may be in any language.
  const auto usual = sip::default_reason(status);
  if (reason.empty()) reason = usual;
  if (reason != usual) out.lang.clear();
  out.text = std::to_string(status);
  if (const auto words = sip::clean_text(reason, max_text); !words.empty()) out.text += ' ' + words;
  return out;
}

}  // namespace stox::translate
