#include "translate/typed_address.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "sip/wire/uri.hpp"

namespace stox::translate {

namespace {

constexpr std::size_t max_typed = 1024;  // more than two full parts of a JID never mean one

xmpp::stanza_error refusal(std::string text) {
  return {xmpp::error_type::modify, xmpp::condition::jid_malformed, std::move(text), {}};
}

xmpp::stanza_error in_words(const error& e) {
  if (e.code == make_error_code(address_errc::bad_scheme))
    return refusal("Addresses begin with sip: or tel:, or look like bob@sip.example");
  if (e.code == make_error_code(address_errc::domain_taken))
    return refusal("That is the XMPP name of a domain; type its SIP name");
  if (e.code == make_error_code(address_errc::empty_part)) return refusal("The address names no user");
  if (e.code == make_error_code(address_errc::too_long)) return refusal("The address is too long");
  return refusal("No XMPP address can stand for this one");
}

/// What people put between the digits of a number; RFC 3966 §5.1.1 has all but the blank and the slash.
bool separates(char c) { return std::string_view(" -.()/").find(c) != std::string_view::npos; }

/// Digits with or without separators, at least one digit: "+49 (30) 123-45", "030/12345", "1001".
bool is_number(std::string_view s) {
  if (s.starts_with('+')) s.remove_prefix(1);
  return std::any_of(s.begin(), s.end(), text::is_digit) &&
         std::all_of(s.begin(), s.end(), [](char c) { return text::is_digit(c) || separates(c); });
}

std::string without_separators(std::string_view s) {
  std::string out;
  std::copy_if(s.begin(), s.end(), std::back_inserter(out), [](char c) { return !separates(c); });
  return out;
}

/// A user part as typed, not escaped. nullopt: a local number.
std::optional<std::string> user_of(std::string_view typed) {
  if (!is_number(typed)) return std::string(typed);
  auto digits = without_separators(typed);
  if (typed.starts_with('+') || digits == typed) return digits;
  return std::nullopt;
}

bool has_scheme(std::string_view typed) {
  const auto colon = typed.find(':');
  return colon != std::string_view::npos && colon != 0 &&
         std::all_of(typed.begin(), typed.begin() + static_cast<std::ptrdiff_t>(colon), text::is_alpha);
}

result<sip::uri> user_at(std::string_view user, std::string_view host) {
  const auto ascii = xmpp::domain_to_ascii(host);
  if (!ascii) return error(address_errc::not_a_host);
  std::string uri = "sip:";
  text::percent_encode(uri, user, sip::is_user_char);
  return sip::parse_uri(uri + '@' + *ascii);
}

/// tel:, with a user of `host` for a global number: the one who asked chose the domain by asking it.
result<sip::uri> number_at(std::string_view number, const std::string& host) {
  auto out = user_at(number, host);
  if (out) out->params.push_back({"user", "phone"});
  return out;
}

}  // namespace

boost::system::result<xmpp::jid, xmpp::stanza_error> typed_address(std::string_view typed,
                                                                   std::string_view home,
                                                                   const address_map& addresses) {
  static const std::string local_number = "Write the number with + and the country code";
  typed = text::trim(typed);
  if (typed.empty()) return refusal("No address was given");
  if (typed.size() > max_typed) return refusal("The address is too long");
  if (text::istarts_with(typed, "sips:"))
    return refusal("sips: asks for a protected way to the end, which cannot be promised; try sip:");
  const auto sip_home = addresses.domain_to_sip(home);
  if (!sip_home) return in_words(sip_home.error());

  result<sip::uri> uri = error(address_errc::not_a_jid);
  if (text::istarts_with(typed, "tel:")) {
    const auto number = without_separators(typed.substr(4, typed.find(';') - 4));
    const auto parameters = typed.substr(std::min(typed.find(';'), typed.size()));
    if (!is_number(number)) return refusal("This is no telephone number");
    if (!number.starts_with('+') && parameters.empty()) return refusal(local_number);
    uri = number_at(number + std::string(parameters), *sip_home);
  } else if (has_scheme(typed)) {
    uri = sip::parse_uri(typed);
  } else {
    const auto at = typed.rfind('@');
    const auto user = user_of(typed.substr(0, at));
    if (!user) return refusal(local_number);
    if (user->empty()) return refusal("The address names no user");
    uri = user_at(*user, at == std::string_view::npos ? std::string_view(*sip_home) : typed.substr(at + 1));
  }
  if (!uri) return refusal("This is no address; type one like bob@sip.example");
  const auto jid = addresses.to_jid(*uri);
  if (!jid) return in_words(jid.error());
  if (jid->local.empty()) return refusal("The address names no user");
  return jid->bare();
}

}  // namespace stox::translate
