#include <fstream>
#include <iterator>

#include "base/text.hpp"
#include "cli/doctor.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::cli {
namespace {

// RFC 2606 §2: nobody's domain.
constexpr std::string_view nobody = "stoxctl.invalid";
constexpr std::uint64_t most_seconds = 60;

struct names {
  std::string unicode, ascii;
};

std::optional<names> parse_domain(std::string_view text) {
  auto unicode = xmpp::domain_to_unicode(text);
  auto ascii = xmpp::domain_to_ascii(text);
  if (!unicode || !ascii || ip_address::parse(*ascii)) return std::nullopt;
  return names{std::move(*unicode), std::move(*ascii)};
}

// Whoever has a certificate is that domain, unless it is the one that is looked at: no server takes a stream
// from itself.
std::string usual_from(const settings::all* own, const names& domain) {
  if (own != nullptr) {
    for (const auto& c : own->tls.certificates)
      for (const auto& d : c.domains)
        if (const auto n = parse_domain(d); n && n->ascii != domain.ascii) return n->unicode;
  }
  return std::string(nobody);
}

result<> read_authorities(const std::string& path, settings::tls& into) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) return error(errc::bad_input, "--ca-file: " + path + " cannot be read");
  into.ca_file = path;
  into.ca_pem = std::move(text);
  return {};
}

}  // namespace

result<examination> examination_of(const request& r, const settings::all* own) {
  examination out;
  const auto domain = parse_domain(r.words[1]);
  if (!domain) return error(errc::bad_usage, "doctor: \"" + r.words[1] + "\" is no domain");
  const auto from = parse_domain(r.from.value_or(usual_from(own, *domain)));
  if (!from) return error(errc::bad_usage, "--from: \"" + *r.from + "\" is no domain");
  if (r.sip_only && r.xmpp_only)
    return error(errc::bad_usage, "--sip-only and --xmpp-only exclude each other");
  out.who.domain = domain->unicode;
  out.who.ascii = domain->ascii;
  out.who.from = from->unicode;
  out.who.from_ascii = from->ascii;
  out.who.xmpp = !r.sip_only;
  out.who.sip = !r.xmpp_only;
  if (own != nullptr) {
    out.tls = own->tls;
    out.dns = own->dns.servers;
  }
  out.who.shows_certificate = !out.tls.certificates.empty();
  if (r.timeout) {
    const auto seconds = text::to_number(*r.timeout, most_seconds);
    if (!seconds || *seconds == 0)
      return error(errc::bad_usage, "--timeout: \"" + *r.timeout + "\" is no number of seconds from 1 to 60");
    out.who.patience = std::chrono::seconds(*seconds);
  }
  if (!r.dns.empty()) out.dns.clear();
  for (const auto& text : r.dns) {
    const auto at = socket_address::parse(text);
    if (!at || at->port == 0) return error(errc::bad_usage, "--dns: \"" + text + "\" is not ADDRESS:PORT");
    out.dns.push_back(*at);
  }
  if (r.ca_file) {
    if (auto ok = read_authorities(*r.ca_file, out.tls); !ok) return ok.error();
  }
  return out;
}

}  // namespace stox::cli
