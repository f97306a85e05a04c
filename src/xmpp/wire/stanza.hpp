#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "xml/element.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::xmpp {

/// RFC 6120 §8.3.3, in its order.
enum class condition : std::uint8_t {
  bad_request,
  conflict,
  feature_not_implemented,
  forbidden,
  gone,
  internal_server_error,
  item_not_found,
  jid_malformed,
  not_acceptable,
  not_allowed,
  not_authorized,
  policy_violation,
  recipient_unavailable,
  redirect,
  registration_required,
  remote_server_not_found,
  remote_server_timeout,
  resource_constraint,
  service_unavailable,
  subscription_required,
  undefined_condition,
  unexpected_request,
};
inline constexpr std::size_t condition_count = 22;
std::string_view to_string(condition c);  ///< "bad-request"
std::optional<condition> parse_condition(
    std::string_view s);  ///< also payment-required's absence: unknown -> nullopt

enum class error_type : std::uint8_t { auth, cancel, continue_, modify, wait };
std::string_view to_string(error_type t);
/// The type that RFC 6120 §8.3.3 says SHOULD go with the condition.
error_type usual_type(condition c);

struct stanza_error {
  error_type type = error_type::cancel;
  xmpp::condition condition = xmpp::condition::undefined_condition;
  std::string text;         ///< human readable, may be empty
  std::string new_address;  ///< content of <gone/> or <redirect/>, e.g. "xmpp:bob@example.org"; may be empty
  std::string lang = "en";  ///< of the text (RFC 6120 §8.3.2: it should be told); empty: not known
  bool blocked = false;     ///< one of the two has blocked the other (XEP-0191 §3.3)
  friend bool operator==(const stanza_error&, const stanza_error&) = default;
};
/// Reads <error/>; a malformed one becomes undefined-condition/cancel, never a failure (RFC 6120 §8.3.4.3 is
/// silent on it).
stanza_error parse_error(const xml::element& e);

struct lang_text {
  std::string lang;  ///< xml:lang in force, "" if none
  std::string text;
  friend bool operator==(const lang_text&, const lang_text&) = default;
};

enum class message_type : std::uint8_t { normal, chat, groupchat, headline, error };
std::string_view to_string(message_type t);

struct message {
  jid from;
  std::optional<jid> to;
  std::string id;
  message_type type = message_type::normal;  ///< absent and unknown values are normal, RFC 6121 §5.2.2
  std::string lang;                          ///< xml:lang of the stanza
  std::vector<lang_text> subjects, bodies;
  std::optional<std::string> thread;
  std::optional<std::string> thread_parent;
  std::optional<stanza_error> error;
  std::vector<xml::element> payloads;  ///< every other child, see parse_stanza
  friend bool operator==(const message&, const message&) = default;
};

enum class iq_type : std::uint8_t { get, set, result, error };
struct iq {
  jid from;
  std::optional<jid> to;
  std::string id;
  iq_type type = iq_type::get;
  std::optional<xml::element> payload;
  std::optional<stanza_error> error;
  friend bool operator==(const iq&, const iq&) = default;
};

struct presence {
  jid from;
  std::optional<jid> to;
  std::string id;
  std::string type;  ///< "" = available; "unavailable", "subscribe", "subscribed", "unsubscribe",
                     ///< "unsubscribed", "probe", "error"
  std::vector<xml::element> payloads;
  std::optional<stanza_error> error;
  friend bool operator==(const presence&, const presence&) = default;
};

using stanza = std::variant<message, iq, presence>;

enum class stanza_errc {
  not_a_stanza = 1,  ///< not <message/>, <iq/> or <presence/>
  bad_address,       ///< from or to is missing or malformed
  bad_iq,            ///< no id, unknown type, or a get/set without exactly one payload, RFC 6120 §8.2.3
};
const char* errc_name(stanza_errc e);
STOX_ERROR_CATEGORY(stanza_errc, "xmpp.stanza")

/// Reads a top-level element, whatever its stream namespace (jabber:client, jabber:server,
/// jabber:component:accept). Payloads are as they came, but those of the stream's namespace (<show/>) are in
/// jabber:component:accept whatever the stream: to look one up, use component_ns. An error stanza without
/// <error/> gets undefined-condition. What was refused can still be answered: see the second
/// write_error_reply.
boost::system::result<stanza, stox::error> parse_stanza(const xml::element& e);

/// Writes without xmlns, for a stream whose default namespace is in force; children of the stream's namespace
/// likewise. One fixed order of attributes (from, to, type, id, xml:lang) and children (subject, body,
/// thread, error, payloads).
std::string write(const message& m);
std::string write(const iq& i);
std::string write(const presence& p);

/// The error answer to a stanza (RFC 6120 §8.3.1: from and to swapped, same id, type='error'). nullopt when
/// there must be none: to an error, to an iq result, to a presence error, or where an address is missing.
std::optional<std::string> write_error_reply(const stanza& s, const stanza_error& e);
/// The same for an element that parse_stanza refused; works on raw attributes, and answers only when both
/// addresses are usable.
std::optional<std::string> write_error_reply(const xml::element& raw, const stanza_error& e);
/// An iq result to a get or set, with an optional payload.
std::string write_result(const iq& request, const std::optional<xml::element>& payload);

/// The conditions of streams, RFC 6120 §4.9.3, as text: name and optional human words of a <stream:error/>.
struct stream_error {
  std::string condition, text;
};
stream_error parse_stream_error(const xml::element& e);

}  // namespace stox::xmpp

template <>
struct std::is_error_code_enum<stox::xmpp::stanza_errc> : std::true_type {};
