#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sip/wire/headers.hpp"

/// Headers of events, publication, transfer and dialogs: RFC 6665, 3903, 3515, 4488, 3892, 3891, 3911, 4538.
namespace stox::sip {

/// Event, RFC 6665 §8.2.1; Allow-Events is a token list (session.hpp). The package with its templates:
/// "presence.winfo".
struct event_value {
  std::string package;  ///< case counts, RFC 6665 §8.2.1
  param_list params;
  std::optional<std::string> id() const;
  friend bool operator==(const event_value&, const event_value&) = default;
};
result<event_value> parse_event(std::string_view value);
std::string write(const event_value& e);

/// Subscription-State, RFC 6665 §8.2.3.
enum class substate : std::uint8_t { active, pending, terminated, other };
struct subscription_state {
  substate state = substate::active;
  std::string text;                          ///< lower case; what `other` says
  std::optional<std::uint32_t> expires;      ///< seconds
  std::optional<std::uint32_t> retry_after;  ///< seconds
  std::optional<std::string> reason;         ///< lower case: "deactivated", "timeout", ...
  friend bool operator==(const subscription_state&, const subscription_state&) = default;
};
result<subscription_state> parse_subscription_state(std::string_view value);
std::string write(const subscription_state& s);

/// SIP-ETag and SIP-If-Match, RFC 3903 §11.3: one token.
result<std::string> parse_entity_tag(std::string_view value);

/// Refer-To, RFC 3515 §2.1: one address, whose URI may have headers and a method.
result<name_addr> parse_refer_to(std::string_view value);

/// Refer-Sub, RFC 4488 §4.
result<bool> parse_refer_sub(std::string_view value);
std::string write_refer_sub(bool wanted);

/// Referred-By, RFC 3892 §2.1: the address; its `cid` parameter names the body part that proves it.
struct referred_by_value {
  name_addr address;
  std::optional<std::string> content_id() const;  ///< without quotes and <>
  friend bool operator==(const referred_by_value&, const referred_by_value&) = default;
};
result<referred_by_value> parse_referred_by(std::string_view value);
std::string write(const referred_by_value& r);

/// Replaces (RFC 3891 §6.1) and Join (RFC 3911 §7.1): to_tag and from_tag. Target-Dialog (RFC 4538 §7):
/// `local_tag` and `remote_tag` from its recipient's view.
struct dialog_reference {
  std::string call_id;
  std::string to_tag, from_tag;
  bool early_only = false;
  friend bool operator==(const dialog_reference&, const dialog_reference&) = default;
};
result<dialog_reference> parse_replaces(std::string_view value);
result<dialog_reference> parse_join(std::string_view value);
std::string write(const dialog_reference& d);

struct target_dialog_value {
  std::string call_id;
  std::string local_tag, remote_tag;
  friend bool operator==(const target_dialog_value&, const target_dialog_value&) = default;
};
result<target_dialog_value> parse_target_dialog(std::string_view value);
std::string write(const target_dialog_value& t);

/// One callid of In-Reply-To (header_list::elements splits it) or of Call-ID: word [ "@" word ].
result<std::string> parse_call_id(std::string_view value);

}  // namespace stox::sip
