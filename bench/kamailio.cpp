#include "kamailio.hpp"

#include <filesystem>

namespace bench {

std::string kamailio_config(const kamailio_place& p) {
  const auto port = [](std::uint16_t n) { return std::to_string(n); };
  // gwmap with equal names keeps addresses as they are, the module's nearest to what stoxd does. One worker:
  // stoxd is one thread.
  return "#!KAMAILIO\ndebug=0\nlog_stderror=yes\nchildren=1\nauto_aliases=no\ndns=no\nrev_dns=no\n"
         "disable_tcp=yes\nalias=\"sip.example\"\nlisten=udp:127.0.0.1:" +
         port(p.listen) +
         "\nloadmodule \"tm.so\"\nloadmodule \"sl.so\"\nloadmodule \"pv.so\"\nloadmodule \"textops.so\"\n"
         "loadmodule \"maxfwd.so\"\nloadmodule \"xmpp.so\"\n"
         "modparam(\"xmpp\", \"backend\", \"component\")\n"
         "modparam(\"xmpp\", \"xmpp_domain\", \"sip.example\")\n"
         "modparam(\"xmpp\", \"gateway_domain\", \"sip.example\")\n"
         "modparam(\"xmpp\", \"xmpp_host\", \"127.0.0.1\")\n"
         "modparam(\"xmpp\", \"xmpp_port\", " +
         port(p.component) +
         ")\nmodparam(\"xmpp\", \"xmpp_password\", \"bench\")\n"
         "modparam(\"xmpp\", \"gwmap\", \"sip.example=sip.example;xmpp.example=xmpp.example\")\n"
         "modparam(\"xmpp\", \"outbound_proxy\", \"sip:127.0.0.1:" +
         port(p.proxy) +
         "\")\nrequest_route {\n"
         "  if (!mf_process_maxfwd_header(\"10\")) { sl_send_reply(\"483\", \"Too Many Hops\"); exit; }\n"
         "  if (!is_method(\"MESSAGE\")) { sl_send_reply(\"405\", \"Method Not Allowed\"); exit; }\n"
         "  if (xmpp_send_message()) sl_send_reply(\"200\", \"OK\");\n"
         "  else sl_send_reply(\"500\", \"Not sent\");\n}\n";
}

std::string expat_guard_path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "libexpat_guard.so").string();
}

}  // namespace bench
