#include "translate/identity.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace stox::translate {

namespace {

sip_status refused(std::string reason) { return {403, std::move(reason), {}, false}; }

/// RFC 3323 §4.2, RFC 3325 §9.3. "none" and "session" do not hide who speaks; "critical" only says how much
/// it matters.
bool wants_privacy(const sip::request& r) {
  bool wanted = false;
  r.headers.for_each(sip::header::privacy, [&wanted](std::string_view value) {
    for (const auto listed : text::split(value, ',')) {
      for (const auto token : text::split(listed, ';')) {
        const auto word = text::trim(token);
        wanted = wanted || text::iequals(word, "id") || text::iequals(word, "user") ||
                 text::iequals(word, "header");
      }
    }
  });
  return wanted;
}

/// RFC 3323 §4.1.1.3
bool is_anonymous(const sip::uri& u) { return u.is_sip() && text::iequals(u.host, "anonymous.invalid"); }

/// im:user@host as sip:, RFC 3428 §4: From may hold one.
std::optional<sip::uri> from_im(std::string_view opaque) {
  opaque = opaque.substr(0, opaque.find('?'));
  const auto at = opaque.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const auto user = text::percent_decode(opaque.substr(0, at));
  if (!user) return std::nullopt;
  sip::uri out;
  out.scheme = "sip";
  text::percent_encode(out.user.emplace(), *user, sip::is_user_char);
  out.host = text::to_lower(opaque.substr(at + 1));
  return out;
}

/// The address of record behind a URI, RFC 3261 §10.3 step 5: the user as it is, and the host in lower case.
/// A number belongs to the first served domain. The scheme sips: in From asks nothing of this request's way
/// (RFC 5630 §3.2), so it names the same user.
std::optional<sip::uri> aor_of(const sip::uri& u, const std::vector<std::string>& served) {
  if (u.scheme == "im" || u.scheme == "pres") return from_im(u.opaque);
  sip::uri out;
  out.scheme = "sip";
  if (u.scheme == "tel") {
    if (served.empty()) return std::nullopt;
    const auto number = text::percent_decode(u.opaque);
    if (!number) return std::nullopt;
    text::percent_encode(out.user.emplace(), *number, sip::is_user_char);
    out.host = served.front();
    out.params.push_back({"user", "phone"});
    return out;
  }
  if (!u.is_sip()) return std::nullopt;
  out.user = u.user;
  out.host = u.host.ends_with('.') ? u.host.substr(0, u.host.size() - 1) : u.host;
  if (const auto* kind = u.find("user");
      kind != nullptr && kind->value && text::iequals(*kind->value, "phone")) {
    out.params.push_back(*kind);
  }
  return out;
}

/// RFC 3325 §9.1: one or two values, of two one is a tel: URI.
boost::system::result<std::optional<sip::name_addr>, sip_status> asserted(const sip::request& r) {
  std::optional<sip::name_addr> best;
  for (const auto element : r.headers.elements(sip::header::p_asserted_identity)) {
    auto value = sip::parse_name_addr(element);
    // Whoever asserts something unreadable has not asserted that From is right.
    if (!value) return sip_status{400, "Bad P-Asserted-Identity", {}, false};
    if (!best || (!best->uri.is_sip() && value->uri.is_sip())) best = *std::move(value);
  }
  return best;
}

}  // namespace

boost::system::result<sip_identity, sip_status> identity_of(const sip::request& r,
                                                            const sip::essentials& head,
                                                            const std::vector<std::string>& served) {
  const auto& from = head.from.uri;
  if (wants_privacy(r) || is_anonymous(from)) return refused("Anonymous not accepted");
  const auto identity = asserted(r);
  if (!identity) return identity.error();
  const auto& speaker = *identity ? (*identity)->uri : from;
  if (is_anonymous(speaker)) return refused("Anonymous not accepted");

  auto who = aor_of(speaker, served);
  if (!who) return refused("No SIP address in From");
  // The domain's own address is for the gateway's words, not for a user's.
  if (!who->user || who->user->empty()) return refused("No user in From");
  if (std::find(served.begin(), served.end(), who->host) == served.end()) {
    return refused("Domain of the sender not served");
  }
  // Device and name in From are of the one whom From names: beside an asserted address they would be
  // another's.
  const auto claimed = *identity ? aor_of(from, served) : std::nullopt;
  const bool same = !*identity || (claimed && sip::equivalent(*claimed, *who));
  sip_identity out{*std::move(who), {}};
  if (*identity) out.display = (*identity)->display;
  if (!same) return out;
  if (out.display.empty()) out.display = head.from.display;
  // RFC 7572 §5: the device that speaks. The examples of RFC 7573, 7702 and 8048 print gr outside the
  // brackets, so peers may send it there.
  const auto* gr = from.find("gr");
  if (gr == nullptr) gr = sip::find_param(head.from.params, "gr");
  if (gr != nullptr && gr->value && !gr->value->empty()) out.aor.params.push_back(*gr);
  return out;
}

}  // namespace stox::translate
