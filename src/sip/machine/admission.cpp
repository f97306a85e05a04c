#include "sip/machine/admission.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sip/machine/response_builder.hpp"
#include "sip/machine/tx_key.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

bool contains(const std::vector<std::string>& list, std::string_view what) {
  return std::any_of(list.begin(), list.end(),
                     [what](const std::string& s) { return text::iequals(s, what); });
}

std::optional<reply> check_method(const request& r, const essentials& head, const endpoint_options& options) {
  const bool known = r.method != method::unknown && std::find(options.methods.begin(), options.methods.end(),
                                                              r.method) != options.methods.end();
  if (!known) {
    // RFC 3261 §21.4.6 and §21.5.2: known but not served, or not known at all.
    reply no = plain_reply(r.method == method::unknown ? 501 : 405);
    no.headers.add(header::allow, allowed_methods(options));
    return no;
  }
  // RFC 3261 §12.2.2: a tag of ours that we do not know. No dialog carries a MESSAGE here.
  if (r.method == method::message && !head.to.tag().empty()) return plain_reply(481);
  return std::nullopt;
}

/// RFC 7247 §8: what asked for SIPS is not carried over to XMPP, where nobody can promise it. RFC 5630 §6
/// gives the answer and its warn-code.
reply sips_not_allowed(const std::vector<std::string>& own_hosts) {
  reply no = plain_reply(480);
  const std::string agent = own_hosts.empty() ? "stox" : own_hosts.front();
  no.headers.add(header::warning, write(warning_value{380, agent, "SIPS Not Allowed"}));
  return no;
}

bool served(const std::string& host, const endpoint_options& options,
            const std::vector<std::string>& own_hosts) {
  if (!options.xmpp_domains.empty()) return contains(options.xmpp_domains, host);
  return !contains(options.sip_domains, host) && !contains(own_hosts, host);
}

std::optional<reply> check_uri(const request& r, const essentials& head, const uri& target,
                               const endpoint_options& options, const std::vector<std::string>& own_hosts) {
  if (!target.is_sip()) return plain_reply(416);
  if (target.scheme == "sips" || head.to.uri.scheme == "sips") return sips_not_allowed(own_hosts);
  const std::string host = normal_host(target.host);
  const bool to_us = !target.user || contains(own_hosts, host);
  if (r.method == method::options && to_us) return std::nullopt;
  if (!served(host, options, own_hosts)) return plain_reply(404);
  return std::nullopt;
}

/// RFC 3261 §16.3: what passed here before comes again. An OPTIONS ends here in any case, so its Max-Forwards
/// may be 0 (§11).
std::optional<reply> check_hops(const request& r, const essentials& head,
                                const std::vector<std::string>& own_hosts) {
  if (r.method != method::options && head.max_forwards == 0U) return plain_reply(483);
  if (contains(own_hosts, sent_by(head.top_via))) return plain_reply(482);
  // The top one is known; nearly always it is the only one.
  bool top = true, ours = false;
  r.headers.for_each(header::via, [&](std::string_view value) {
    for_each_element(value, [&](std::string_view element) {
      if (std::exchange(top, false) || ours) return;
      const auto hop = parse_via(element);
      ours = hop && contains(own_hosts, sent_by(*hop));
    });
  });
  if (ours) return plain_reply(482);
  return std::nullopt;
}

std::optional<reply> check_require(const request& r, const endpoint_options& options) {
  std::vector<std::string> unknown;
  for (const std::string_view tag : r.headers.elements(header::require)) {
    if (!tag.empty() && !contains(options.supported, tag)) unknown.emplace_back(tag);
  }
  if (unknown.empty()) return std::nullopt;
  reply no = plain_reply(420);
  no.headers.add(header::unsupported, joined(unknown));
  return no;
}

bool accepts(const endpoint_options& options, const media_type& type) {
  return std::any_of(options.accept.begin(), options.accept.end(), [&type](std::string_view range) {
    const auto slash = std::min(range.find('/'), range.size());
    const auto subtype = range.substr(std::min(slash + 1, range.size()));
    return text::iequals(range.substr(0, slash), type.type) &&
           (subtype == "*" || text::iequals(subtype, type.subtype));
  });
}

/// RFC 3261 §8.2.3: a body that its sender calls optional may be ignored.
bool is_optional(const request& r) {
  const auto disposition = r.headers.find(header::content_disposition);
  if (!disposition) return false;
  const auto parsed = parse_disposition(*disposition);
  if (!parsed) return false;
  const auto handling = parsed->param_value("handling");
  return handling && text::iequals(*handling, "optional");
}

std::optional<reply> check_body(const request& r, const endpoint_options& options) {
  if (r.body.empty()) return std::nullopt;
  for (const std::string_view coding : r.headers.elements(header::content_encoding)) {
    if (text::iequals(coding, "identity") || contains(options.accept_encodings, coding)) continue;
    reply no = plain_reply(415);
    no.headers.add(header::accept_encoding, accepted_encodings(options));
    return no;
  }
  if (is_optional(r)) return std::nullopt;
  const auto type = r.headers.find(header::content_type);
  if (type) {
    const auto parsed = parse_media_type(*type);
    if (parsed && accepts(options, *parsed)) return std::nullopt;
  }
  reply no = plain_reply(415);
  no.headers.add(header::accept, joined(options.accept));
  return no;
}

}  // namespace

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& s : list) {
    if (!out.empty()) out += ", ";
    out += s;
  }
  return out;
}

std::string allowed_methods(const endpoint_options& options) {
  std::string out;
  for (const method m : options.methods) {
    if (m != method::cancel && m != method::ack) out.append(to_string(m)).append(", ");
  }
  // RFC 3261 §20.5: all methods that are understood, these two included whether the options name them or not.
  return out + "CANCEL, ACK";
}

std::string accepted_encodings(const endpoint_options& options) {
  const auto others = joined(options.accept_encodings);
  return others.empty() ? "identity" : "identity, " + others;
}

std::optional<reply> admit_route(const request& r, const essentials& head,
                                 const boost::system::result<uri, error>& request_uri, const peer_info& peer,
                                 const endpoint_options& options, const std::vector<std::string>& own_hosts) {
  // RFC 3261 §19.1.1: no headers in a Request-URI.
  if (!request_uri || !request_uri->headers.empty()) return plain_reply(400, "Bad Request-URI");
  if (!peer.trusted) return plain_reply(403);
  if (auto no = check_method(r, head, options)) return no;
  if (auto no = check_uri(r, head, *request_uri, options, own_hosts)) return no;
  return check_hops(r, head, own_hosts);
}

std::optional<reply> admit_content(const request& r, const endpoint_options& options) {
  if (auto no = check_require(r, options)) return no;
  return check_body(r, options);
}

std::optional<reply> admit(const request& r, const essentials& head,
                           const boost::system::result<uri, error>& request_uri, const peer_info& peer,
                           const endpoint_options& options, const std::vector<std::string>& own_hosts) {
  if (auto no = admit_route(r, head, request_uri, peer, options, own_hosts)) return no;
  return admit_content(r, options);
}

}  // namespace stox::sip
