#include "xmpp/wire/jid.hpp"

#include "xmpp/wire/jid_prep.hpp"

namespace stox::xmpp {

const char* errc_name(jid_errc e) {
  switch (e) {
    case jid_errc::empty_part: return "empty_part";
    case jid_errc::too_long: return "too_long";
    case jid_errc::bad_local: return "bad_local";
    case jid_errc::bad_domain: return "bad_domain";
    case jid_errc::bad_resource: return "bad_resource";
  }
  return "?";
}

boost::system::result<jid, error> jid::parse(std::string_view text) {
  // RFC 7622 §3.2: the first "/" ends the domain, then the first "@" before it starts it; a resource may hold
  // both.
  std::string_view resource_text;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    resource_text = text.substr(slash + 1);
    if (resource_text.empty()) return error{jid_errc::empty_part, "no resource after the slash"};
    text = text.substr(0, slash);
  }
  std::string_view local_text;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    local_text = text.substr(0, at);
    if (local_text.empty()) return error{jid_errc::empty_part, "no localpart before the at-sign"};
    text = text.substr(at + 1);
  }
  return make(local_text, text, resource_text);
}

boost::system::result<jid, error> jid::make(std::string_view local, std::string_view domain,
                                            std::string_view resource) {
  jid out;
  auto prepared_domain = prep::domainpart(domain);
  if (!prepared_domain) return prepared_domain.error();
  out.domain = std::move(*prepared_domain);
  if (!local.empty()) {
    auto prepared = prep::localpart(local);
    if (!prepared) return prepared.error();
    if (prepared->empty()) return error{jid_errc::empty_part, "nothing is left of the localpart"};
    out.local = std::move(*prepared);
  }
  if (!resource.empty()) {
    auto prepared = prep::resourcepart(resource);
    if (!prepared) return prepared.error();
    if (prepared->empty()) return error{jid_errc::empty_part, "nothing is left of the resource"};
    out.resource = std::move(*prepared);
  }
  return out;
}

std::string jid::to_string() const {
  std::string out;
  out.reserve(local.size() + domain.size() + resource.size() + 2);
  if (!local.empty()) out.append(local) += '@';
  out += domain;
  if (!resource.empty()) (out += '/') += resource;
  return out;
}

std::string jid::bare_text() const {
  std::string out;
  out.reserve(local.size() + domain.size() + 1);
  if (!local.empty()) out.append(local) += '@';
  return out += domain;
}

boost::system::result<std::string, error> domain_to_ascii(std::string_view domain) {
  return prep::ascii_domain(domain);
}

boost::system::result<std::string, error> domain_to_unicode(std::string_view domain) {
  return prep::domainpart(domain);
}

}  // namespace stox::xmpp
