#include "translate/sip_content.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "payload/content_encoding.hpp"
#include "payload/cpim.hpp"
#include "payload/html.hpp"
#include "payload/imdn.hpp"
#include "payload/mime.hpp"
#include "sip/wire/headers.hpp"
#include "translate/receipt.hpp"
#include "translate/xml_text.hpp"

namespace stox::translate {

namespace {

sip_status refusal(std::uint16_t code, std::string reason = {}) {
  return {code, std::move(reason), {}, false};
}

/// RFC 3261 §21.4.13: 415 where another type or charset would do; 400 where the body is broken.
sip_status refusal_of(const error& e) {
  if (e.code == make_error_code(payload::errc::bad_charset)) {
    const bool unknown = e.detail == "a charset that is not known";
    return unknown ? refusal(415, "Unsupported charset") : refusal(400, "Body does not match its charset");
  }
  if (e.code == make_error_code(payload::errc::no_text)) return refusal(400, "Empty message");
  return refusal(400, "Bad body");
}

/// Lines end in LF, as XML 1.0 §2.11 would make them anyway.
std::string with_lf(std::string text) {
  if (text.find('\r') == std::string::npos) return text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  return out;
}

/// User and host of what CPIM calls an address; im: and pres: are written as in RFC 3862's examples.
std::optional<sip::uri> aor_in(const std::string& uri) {
  const auto parsed = sip::parse_uri(uri);
  if (!parsed) return std::nullopt;
  sip::uri out;
  out.scheme = "sip";
  out.user = parsed->user;
  out.host = parsed->host;
  if (parsed->scheme == "im" || parsed->scheme == "pres") {
    const auto address = std::string_view(parsed->opaque).substr(0, parsed->opaque.find('?'));
    const auto at = address.find('@');
    if (at == std::string_view::npos) return std::nullopt;
    out.user = address.substr(0, at);
    out.host = address.substr(at + 1);
  }
  return out;
}

/// Whether CPIM's address is that of SIP; "anonymous" claims nothing.
bool agrees(const payload::cpim::address& claimed, const sip::uri& with) {
  const auto aor = aor_in(claimed.uri);
  if (!aor) return false;
  sip::uri known;
  known.scheme = "sip";
  known.user = with.user;
  known.host = with.host;
  return text::iequals(aor->host, "anonymous.invalid") || sip::equivalent(*aor, known);
}

/// RFC 3862 §2.2, RFC 5438 §7: SIP says who speaks to whom; CPIM may only say the same.
void compare_addresses(const payload::cpim& m, const sip::request& r, const sip::uri& sender,
                       loss_list& losses) {
  if (!m.from.empty() && !agrees(m.from.front(), sender))
    losses.add("cpim From", "not who SIP says; SIP is believed");
  if (m.to.size() > 1) return losses.add("cpim To", "a stanza names one recipient: the one that SIP says");
  const auto target = sip::parse_uri(r.uri);
  if (!m.to.empty() && target && !agrees(m.to.front(), *target))
    losses.add("cpim To", "not whom SIP says; SIP is believed");
}

void add_cpim_losses(const payload::cpim& m, loss_list& losses) {
  if (!m.from.empty() && !m.from.front().name.empty())
    losses.add("cpim From display name", "the name that SIP gives counts");
  if (!m.cc.empty()) losses.add("cpim cc", "a stanza names one recipient");
  for (std::size_t i = 1; i < m.subjects.size(); ++i) losses.add("cpim Subject", "one language is sent");
  for (const auto& e : m.extensions) {
    if (e.ns != payload::imdn_header_ns)
      losses.add("cpim " + sip::clean_text(e.name, 64), "no counterpart in a stanza");
  }
}

/// HTML may name characters that XML 1.0 does not allow.
void clean(xml::element& e) {
  for (auto& a : e.attributes) a.value = with_xml_chars(a.value);
  for (auto& child : e.children) {
    if (auto* inner = std::get_if<xml::element>(&child.value)) {
      clean(*inner);
    } else {
      auto& text = std::get<std::string>(child.value);
      text = with_xml_chars(text);
    }
  }
}

/// Whether a report may begin its way there. RFC 5438 §14: whoever writes the field could make us write to a
/// third party, so it is a server of the sender's own domain, and no telephone number.
bool is_near(const sip::uri& hop, const std::string& domain) {
  const auto* kind = hop.find("user");
  const bool phone = kind != nullptr && kind->value && text::iequals(*kind->value, "phone");
  if (phone || hop.find("maddr") != nullptr) return false;
  // RFC 3966 §3: "+", digits and what makes them readable, or a phone-context; also behind escapes.
  const auto user = text::percent_decode(hop.user.value_or(std::string()));
  if (!user || user->starts_with('+') || user->find(';') != std::string::npos ||
      (!user->empty() && user->find_first_not_of("0123456789-.()*#") == std::string::npos))
    return false;
  const auto host = std::string_view(hop.host).substr(0, hop.host.size() - (hop.host.ends_with('.') ? 1 : 0));
  return host == domain || host.ends_with("." + domain);
}

/// RFC 5438 §7.2.1: a report MUST go the whole way. Where it cannot, there is none.
void read_path(const payload::cpim& m, const std::string& domain, sip_content& out, loss_list& losses) {
  constexpr std::size_t most_hops = 8, longest = 256;
  auto& path = out.path;
  path.original_to = payload::original_to_of(m);
  if (path.original_to.size() > longest || !xml::is_xml_text(path.original_to)) {
    path.original_to.clear();
    losses.add("cpim imdn.Original-To", "not an address");
  }
  path.route = payload::record_route_of(m);
  const auto usable = [](const std::string& hop) {
    return hop.size() <= longest &&
           std::none_of(hop.begin(), hop.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  };
  const auto first = receipt::first_hop(path.route);
  if (path.route.empty() ||
      (path.route.size() <= most_hops && std::all_of(path.route.begin(), path.route.end(), usable) && first &&
       is_near(*first, domain)))
    return;
  path.route.clear();
  out.wanted = {};
  losses.add("cpim imdn.IMDN-Record-Route", "a way that no report can go, so none is sent");
}

boost::system::result<sip_content, sip_status> text_of(const payload::content_type& type,
                                                       std::string_view body, payload::html_form html,
                                                       loss_list& losses) {
  // A body that is not text must not be shown as text.
  if (!payload::is_readable(type)) return refusal(415);
  auto read = payload::read_text(type, body, {}, html);
  // Something is in a multipart, and none of it is text.
  const bool no_text = !read && read.error().code == make_error_code(payload::errc::no_text);
  if (no_text && type.type == "multipart") return refusal(415);
  if (!read) return refusal_of(read.error());
  for (const auto& part : read->left_out) losses.add("sip " + sip::clean_text(part, 64), "one text is sent");
  for (const auto& p : type.params) {
    if (type.type == "text" && p.name != "charset")
      losses.add("sip Content-Type;" + sip::clean_text(p.name, 64), "the text is sent as it is");
  }
  sip_content out;
  if (!read->html.empty()) out.xhtml = payload::html_to_xhtml_im(read->html);
  if (out.xhtml) clean(*out.xhtml);
  if (type.is("text", "html") && !out.xhtml) losses.add("sip body", "HTML became plain text");
  out.text = with_lf(std::move(read->text));
  if (out.text.empty()) return refusal(400, "Empty message");
  if (!xml::is_xml_text(out.text)) {
    out.text = with_xml_chars(out.text);
    losses.add("sip body", "control characters that XML does not allow became U+FFFD");
  }
  out.languages = std::move(read->languages);
  return out;
}

boost::system::result<sip_content, sip_status> read_cpim(const sip::request& r, const sip::uri& sender,
                                                         payload::html_form html, loss_list& losses) {
  const auto m = payload::parse_cpim(r.body);
  if (!m) return refusal(400, "Bad CPIM");
  // RFC 3862 §4.7: what must be understood and is not.
  if (!payload::is_understood(*m)) return refusal(400, "Required CPIM header not understood");
  const auto inner = payload::parse_entity(m->content);
  if (!inner) return refusal(400, "Bad CPIM");
  compare_addresses(*m, r, sender, losses);
  auto out = text_of(inner->type, inner->body, html, losses);
  if (!out) return out;
  add_cpim_losses(*m, losses);
  if (out->languages.empty()) out->languages = inner->languages;
  if (!m->subjects.empty()) out->subject = m->subjects.front().text;
  out->wanted = payload::imdn_request_of(*m);
  if (out->wanted.wants_any()) read_path(*m, sender.host, *out, losses);
  if (out->wanted.wants_any() && out->wanted.message_id.empty())
    losses.add("cpim imdn.Disposition-Notification", "no Message-ID to report about");
  if (out->wanted.processing)
    losses.add("cpim imdn.Disposition-Notification processing", "the 2xx says as much");
  out->date_time = m->date_time;
  return out;
}

}  // namespace

result<payload::content_type> content_type_of(const sip::request& r) {
  const auto value = r.headers.find(sip::header::content_type);
  if (!value) return payload::content_type{};
  return payload::parse_content_type(*value);
}

const std::vector<std::string>& accepted_content() {
  static const std::vector<std::string> all{
      "text/plain",        "text/html",    "multipart/mixed",  "multipart/alternative",
      "multipart/related", "message/cpim", "message/imdn+xml", "application/im-iscomposing+xml"};
  return all;
}

const std::vector<std::string>& accepted_encodings() {
  static const std::vector<std::string> all{"deflate", "gzip", "x-gzip"};
  return all;
}

std::optional<sip_status> undo_encoding(sip::request& r) {
  const auto codings = r.headers.elements(sip::header::content_encoding);
  if (codings.empty()) return std::nullopt;
  // Nobody needs two; each would be one more to inflate.
  if (codings.size() > 2 || !std::all_of(codings.begin(), codings.end(), payload::is_known_coding))
    return refusal(415);
  std::string body = std::move(r.body);
  // RFC 3261 §20.12: in the order in which they were applied.
  for (auto coding = codings.rbegin(); !body.empty() && coding != codings.rend(); ++coding) {
    auto inflated = payload::decode_content(body, *coding);
    if (!inflated && inflated.error().code == make_error_code(payload::errc::too_large))
      return refusal(413, "Too large when inflated");
    if (!inflated) return refusal(400, "Bad Content-Encoding");
    body = *std::move(inflated);
  }
  r.body = std::move(body);
  r.headers.remove(sip::header::content_encoding);
  return std::nullopt;
}

boost::system::result<sip_content, sip_status> read_content(const result<payload::content_type>& type,
                                                            const sip::request& r, const sip::uri& sender,
                                                            payload::html_form html, loss_list& losses) {
  if (!type) return refusal(400, "Bad Content-Type");
  if (type->is("message", "cpim")) return read_cpim(r, sender, html, losses);
  return text_of(*type, r.body, html, losses);
}

}  // namespace stox::translate
