#include "base/text.hpp"
#include "config/option_tables.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

using settings::all;
using texts = std::vector<std::string>;

std::string set_server(all& s, const value& v) {
  const auto where = parse_host_port(v.text, std::uint16_t{5347});
  if (!where || where->port == 0)
    return quote(v.text) + " is not HOST:PORT; write it like \"127.0.0.1:5347\"";
  s.components.back().host = where->host;
  s.components.back().port = where->port;
  return {};
}

std::string set_secret(all& s, const value& v) {
  if (v.text.empty()) return "is empty; write the secret that the XMPP server has for this component";
  s.components.back().secret = redacted(v.text);
  return {};
}

constexpr option component_table[] = {
    {"xmpp.component.domain", value_type::text, change::live, "", R"("sip.example")", 0, 0, "required",
     "The domain that this component serves: the XMPP name of a domain in gateway.sip_domains.",
     [](all& s, const value& v) { return set_domain(s.components.back().domain, v.text); }, nullptr, nullptr},
    {"xmpp.component.server", value_type::text, change::live, "", R"("127.0.0.1:5347")", 0, 0, "required",
     "The XMPP server's component port (XEP-0114), HOST:PORT. A name is found by the system's resolver "
     "(getaddrinfo), not by dns.servers.",
     set_server, nullptr, nullptr},
    {"xmpp.component.secret", value_type::secret, change::live, "", R"("change-me")", 0, 0,
     "this or secret_file", "The secret that the XMPP server has for this component.", set_secret, nullptr,
     nullptr},
    {"xmpp.component.secret_file", value_type::text, change::live, "", "", 0, 0, "this or secret",
     "A file that holds the secret; a relative path is relative to the configuration file.",
     [](all& s, const value& v) {
       if (v.text.empty()) return std::string("is empty; write the file's path");
       s.components.back().secret_file = v.text;
       return std::string();
     },
     nullptr, nullptr},
    {"xmpp.component.reaches", value_type::list, change::live, "", "", 0, 0, "beside [xmpp.s2s] only",
     "The XMPP domains for which this component's server is the way to and from the served domain; all "
     "others go by federation. Empty: every stanza of the served domain goes through the component.",
     [](all& s, const value& v) { return add_domain(s.components.back().reaches, v.text); }, nullptr,
     [](all& s) { s.components.back().reaches.clear(); }},
};

constexpr option chat_table[] = {
    {"chat.message_type", value_type::text, change::live, "chat", "", 0, 0, "\"chat\" or \"normal\"",
     "Type of the stanzas made from MESSAGE: \"chat\" is what clients show as a conversation, \"normal\" is "
     "RFC 7572 to the letter.",
     [](all& s, const value& v) { return set_message_type(s.chat.message_type, v.text); },
     [](const all& s) {
       return texts{s.chat.message_type == settings::message_type::chat ? "chat" : "normal"};
     },
     nullptr},
    {"chat.xhtml", value_type::boolean, change::live, "false", "", 0, 0, "",
     "Whether HTML from SIP keeps its form beside the plain text, as XHTML-IM (XEP-0071). RFC 7572 wants it; "
     "the XEP is deprecated, and few clients show it.",
     [](all& s, const value& v) {
       s.chat.xhtml = v.flag;
       return std::string();
     },
     [](const all& s) { return texts{s.chat.xhtml ? "true" : "false"}; }, nullptr},
    {"chat.late_notices", value_type::boolean, change::live, "true", "", 0, 0, "",
     "Whether a SIP user whose message fails after its 2xx gets a short message from the gateway, if he "
     "asked for no delivery notifications; false for trunks, whose other end is no person.",
     [](all& s, const value& v) {
       s.chat.late_notices = v.flag;
       return std::string();
     },
     [](const all& s) { return texts{s.chat.late_notices ? "true" : "false"}; }, nullptr},
};

}  // namespace

std::span<const option> component_options() { return component_table; }
std::span<const option> chat_options() { return chat_table; }

}  // namespace stox::config
