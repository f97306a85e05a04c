#include "translate/address.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "sip/wire/scan.hpp"

namespace stox::translate {

namespace {

/// An address taken apart and decoded, whatever its scheme.
struct parts {
  std::optional<std::string> user;
  std::string host;
  std::string resource;
};

/// C0 and C1 controls and DEL, in UTF-8.
bool has_control(std::string_view s) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < s.size() && static_cast<unsigned char>(s[i + 1]) < 0xa0) return true;
  }
  return false;
}

/// RFC 7247 §6.4 steps 3 and 4.
result<std::string> decode(std::string_view escaped) {
  auto plain = text::percent_decode(escaped);
  if (!plain || !text::is_utf8(*plain)) return address_errc::bad_escape;
  if (has_control(*plain)) return address_errc::forbidden_char;
  return *std::move(plain);
}

/// RFC 3966 §3, telephone-subscriber: "+" and digits, or digits of any kind with a phone-context. "-", ".",
/// "(" and ")" only make it readable and go (§5.1.1); parameters stay as they are, for they may be part of
/// who is meant. nullopt: not a number. Anything looser would let user=phone turn the user "a.b" into the
/// user "ab".
std::optional<std::string> plain_number(std::string_view user) {
  const auto end = std::min(user.find(';'), user.size());
  const auto params = user.substr(end);
  const bool global = user.starts_with('+');
  if (!global && params.find(";phone-context=") == std::string_view::npos) return std::nullopt;
  std::string out(global ? "+" : "");
  for (const char c : user.substr(out.size(), end - out.size())) {
    if (c == '-' || c == '.' || c == '(' || c == ')') continue;
    const bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '*' || c == '#';
    if (!text::is_digit(c) && (global || !hex)) return std::nullopt;
    out += c;
  }
  if (out.empty() || out == "+") return std::nullopt;
  out += params;
  return out;
}

bool says_phone(const sip::uri& u) {
  const auto* kind = u.find("user");
  return kind != nullptr && kind->value && text::iequals(*kind->value, "phone");
}

result<parts> parts_of_sip(const sip::uri& u) {
  parts out;
  out.host = u.host;
  if (u.user) {
    auto user = decode(*u.user);
    if (!user) return user.error();
    if (says_phone(u)) {
      if (auto number = plain_number(*user)) *user = *std::move(number);
    }
    out.user = *std::move(user);
  }
  // RFC 7247 §6.3: a gr without value marks a temporary GRUU, which names no device that could be told apart.
  if (const auto* gr = u.find("gr"); gr != nullptr && gr->value && !gr->value->empty()) {
    auto resource = decode(*gr->value);
    if (!resource) return resource.error();
    out.resource = *std::move(resource);
  }
  return out;
}

/// im: and pres:, RFC 3860 §3.2.1: the mailbox, then "?" and headers.
result<parts> parts_of_im(std::string_view opaque) {
  opaque = opaque.substr(0, opaque.find('?'));
  const auto at = opaque.find('@');
  if (at == std::string_view::npos) return address_errc::empty_part;
  auto user = decode(opaque.substr(0, at));
  if (!user) return user.error();
  auto host = decode(opaque.substr(at + 1));
  if (!host) return host.error();
  parts out;
  out.user = *std::move(user);
  out.host = *std::move(host);
  return out;
}

/// RFC 3261 §19.1.6 with a domain of ours for the host.
result<parts> parts_of_tel(std::string_view opaque, const std::string& host) {
  auto text = decode(opaque);
  if (!text) return text.error();
  const auto number = plain_number(*text);
  if (!number) return error(address_errc::forbidden_char, "not a telephone number");
  parts out;
  out.user = *number;
  out.host = host;
  return out;
}

address_errc errc_of(const error& e) {
  return e.code == make_error_code(xmpp::jid_errc::too_long) ? address_errc::too_long
                                                             : address_errc::not_a_jid;
}

/// RFC 7247 §6.5 step 3, for all ten codes. Two localparts may unescape to one text ("a\5cb" and "a\b"); only
/// the one that escaping gives back is mapped, so that no two JIDs share a SIP user.
result<std::string> plain_local(const std::string& local) {
  auto plain = xmpp::unescape_local(local);
  const auto again = xmpp::escape_local(plain);
  if (!again || *again != local) return error(address_errc::forbidden_char, "not an escape of XEP-0106");
  return plain;
}

/// RFC 7247 §6.5 step 5 names what it wants escaped for im:; RFC 3986 wants the rest of what is not listed
/// here escaped too.
bool is_im_char(char c) {
  return text::is_alnum(c) || std::string_view("!$&'*+-/=_~").find(c) != std::string_view::npos;
}

/// What neither an escape of SIP, nor one of XEP-0106, nor the preparation of a localpart or resource
/// changes, either way: the letters and marks that nearly all names are made of.
constexpr auto unchanged = [] {
  std::array<bool, 256> out{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789-_.!~*()=+$,"))
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();
constexpr std::size_t longest_unchanged = 255;

bool is_unchanged(const std::string& s) {
  return !s.empty() && s.size() <= longest_unchanged &&
         std::all_of(s.begin(), s.end(), [](char c) { return unchanged[static_cast<unsigned char>(c)]; });
}

/// Whether to_jid has nothing to do on the user and the device of a URI. user=phone may mean work.
bool is_unchanged(const sip::uri& u) {
  if (u.scheme != "sip" || !u.user || !is_unchanged(*u.user)) return false;
  return std::all_of(u.params.begin(), u.params.end(), [](const sip::param& p) {
    return p.name == "gr" && (!p.value || is_unchanged(*p.value));
  });
}

/// RFC 3261 §25.1 allows less in a host than RFC 7622 in a domain: no "_", no name that ends in a number.
bool is_sip_host(std::string_view name) {
  sip::scanner in(name);
  std::string host;
  return in.host(host) && in.at_end() && host == name;
}

}  // namespace

const char* errc_name(address_errc e) {
  switch (e) {
    case address_errc::bad_scheme: return "bad_scheme";
    case address_errc::bad_escape: return "bad_escape";
    case address_errc::forbidden_char: return "forbidden_char";
    case address_errc::empty_part: return "empty_part";
    case address_errc::too_long: return "too_long";
    case address_errc::not_a_jid: return "not_a_jid";
    case address_errc::domain_taken: return "domain_taken";
    case address_errc::not_a_host: return "not_a_host";
  }
  return "?";
}

const domain_pair* address_map::by_sip(std::string_view host) const {
  const auto at = std::find_if(pairs_.begin(), pairs_.end(), [host](const auto& p) { return p.sip == host; });
  return at != pairs_.end() ? &*at : nullptr;
}

const domain_pair* address_map::by_xmpp(std::string_view domain) const {
  const auto at =
      std::find_if(pairs_.begin(), pairs_.end(), [domain](const auto& p) { return p.xmpp == domain; });
  return at != pairs_.end() ? &*at : nullptr;
}

result<std::string> address_map::domain_to_xmpp(std::string_view sip_host) const {
  // RFC 3261 §25.1 allows the root's dot; it names the same host.
  if (sip_host.ends_with('.')) sip_host.remove_suffix(1);
  if (sip_host.ends_with('.')) return error(address_errc::not_a_jid, "host");
  if (const auto* pair = by_sip(sip_host)) {
    if (by_xmpp(pair->xmpp) != pair) return address_errc::domain_taken;
    return pair->xmpp;
  }
  if (xmpp::is_plain_domain(sip_host)) {
    if (by_xmpp(sip_host) != nullptr) return address_errc::domain_taken;
    return std::string(sip_host);
  }
  const auto host = text::to_lower(sip_host);
  if (host != sip_host) return domain_to_xmpp(host);
  auto name = xmpp::domain_to_unicode(host);
  if (!name) return error(address_errc::not_a_jid, "host");
  if (by_xmpp(*name) != nullptr) return address_errc::domain_taken;
  // What does not come home would share its name with what does: a label that is not the A-label of its own
  // U-label, a number with the root's dot.
  const auto again = domain_to_sip(*name);
  if (!again || *again != host) return error(address_errc::not_a_jid, "host");
  return *std::move(name);
}

result<std::string> address_map::domain_to_sip(std::string_view xmpp_domain) const {
  if (const auto* pair = by_xmpp(xmpp_domain)) {
    if (by_sip(pair->sip) != pair) return address_errc::domain_taken;
    return pair->sip;
  }
  if (xmpp::is_plain_domain(xmpp_domain)) {
    if (by_sip(xmpp_domain) != nullptr) return address_errc::domain_taken;
    return std::string(xmpp_domain);
  }
  auto host = xmpp::domain_to_ascii(xmpp_domain);
  if (!host) return error(address_errc::not_a_jid, "domain");
  if (by_sip(*host) != nullptr) return address_errc::domain_taken;
  if (!is_sip_host(*host)) return error(address_errc::not_a_host);
  return *std::move(host);
}

result<xmpp::jid> address_map::to_jid(const sip::uri& u) const {
  if (is_unchanged(u)) {
    auto domain = domain_to_xmpp(u.host);
    if (!domain) return domain.error();
    result<xmpp::jid> out(boost::system::in_place_value);
    out->local = *u.user;
    out->domain = *std::move(domain);
    if (!u.params.empty()) out->resource = u.params.front().value.value_or(std::string());
    return out;
  }
  result<parts> from = address_errc::bad_scheme;
  if (u.scheme == "sip") {
    from = parts_of_sip(u);
  } else if (u.scheme == "im" || u.scheme == "pres") {
    from = parts_of_im(u.opaque);
  } else if (u.scheme == "tel" && !pairs_.empty()) {
    from = parts_of_tel(u.opaque, pairs_.front().sip);
  }
  if (!from) return from.error();
  std::string local;
  if (from->user) {
    if (from->user->empty()) return address_errc::empty_part;
    auto escaped = xmpp::escape_local(*from->user);
    if (!escaped)
      return error(address_errc::forbidden_char, "blank at an end, or a letter that would become another");
    local = *std::move(escaped);
  }
  const auto domain = domain_to_xmpp(from->host);
  if (!domain) return domain.error();
  auto jid = xmpp::jid::make(local, *domain, from->resource);
  if (!jid) return errc_of(jid.error());
  return *std::move(jid);
}

result<sip::uri> address_map::to_sip(const xmpp::jid& j, bool with_resource) const {
  auto host = domain_to_sip(j.domain);
  if (!host) return host.error();
  sip::uri out;
  out.scheme = "sip";
  out.host = *std::move(host);
  if (!j.local.empty()) {
    if (is_unchanged(j.local)) {
      out.user = j.local;
    } else {
      const auto plain = plain_local(j.local);
      if (!plain) return plain.error();
      text::percent_encode(out.user.emplace(), *plain, sip::is_user_char);
    }
  }
  if (with_resource && !j.resource.empty()) {
    // RFC 3261 §25.1 paramchar: RFC 7247 §6.5 step 8 escapes only non-ASCII, which would let a resource add
    // parameters.
    std::string gr;
    text::percent_encode(gr, j.resource, sip::is_param_char);
    out.params.push_back({"gr", std::move(gr)});
  }
  return out;
}

result<sip::uri> address_map::to_im(const xmpp::jid& j) const {
  if (j.local.empty()) return address_errc::empty_part;
  const auto host = domain_to_sip(j.domain);
  if (!host) return host.error();
  const auto plain = plain_local(j.local);
  if (!plain) return plain.error();
  sip::uri out;
  out.scheme = "im";
  text::percent_encode(out.opaque, *plain, is_im_char);
  out.opaque += '@';
  out.opaque += *host;
  return out;
}

}  // namespace stox::translate
