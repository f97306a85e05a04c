#include "config/command_line.hpp"
#include "config/findings.hpp"
#include "config/man_page.hpp"
#include "config/options.hpp"

/// The manual pages stoxd(8) and stox.toml(5), made of the same tables as the parser.
namespace stox::config {

namespace {

void add_flags(man_page& page) {
  page.heading("OPTIONS");
  for (const auto& flag : program_flags())
    page.item(flag.value.empty() ? flag.names : flag.names + " " + flag.value, flag.help + ".");
  page.item("--SECTION.KEY VALUE",
            "Every key of stox.toml(5) that stands in no [[table]], with \"-\" for \"_\": sip.accept_wait is "
            "--sip.accept-wait. Lists are separated by commas. stoxd --help lists them all.");
}

void add_files(man_page& page) {
  page.heading("FILES");
  page.item("/etc/stox/stox.toml", "The configuration, where the packaged unit looks for it.");
  page.item("/var/lib/stox/stox.db", "The store (store.path), of mode 0600, with its -wal and -shm files.");
  page.item("/var/lib/stox/stox.db.running",
            "There while stoxd runs; found at a start, the run before crashed.");
  page.item("/var/lib/stox/stox.db.bak-N", "The store of schema N as it was before an upgrade changed it.");
  page.item("/var/lib/stox/stox.db.broken-TIME",
            "A store that could not be read, moved aside at the start; TIME in UTC.");
  page.item("/run/stox/ctl", "The control socket (admin.control), of mode 0600; see stoxctl(1).");
}

void add_signals(man_page& page) {
  page.heading("SIGNALS");
  page.item("SIGTERM, SIGINT",
            "Takes no new work, finishes or fails what is open, says goodbye and ends. A second one ends at "
            "once: what is then open becomes an incident in the store.");
  page.item("SIGHUP",
            "Reads the configuration again and takes over the keys marked live, all of them or none. A "
            "configuration with an error changes nothing and is logged as daemon.reload_refused.");
}

void add_exit_status(man_page& page) {
  page.heading("EXIT STATUS");
  page.item("0", "A clean end: everything open was finished or its sender told.");
  page.item("1",
            "An address, the store or the trace file cannot be had, or the end was forced. Another try may "
            "help.");
  page.item("2", "The command line or the configuration is wrong; the reasons stand on standard error.");
}

void add_key(man_page& page, const option& o, bool in_array) {
  std::string about = std::string(to_string(o.type));
  if (const auto bounds = bounds_text(o); !bounds.empty()) about += "; " + bounds;
  if (!in_array) about += "; default " + default_value(o);
  about += o.change == change::live ? "; live" : "; restart";
  page.item(leaf_of(o.key), std::string(o.help) + " (" + about + ")");
}

}  // namespace

std::string print_man_stoxd() {
  man_page page("stoxd", 8, "gateway between SIP and XMPP");
  page.heading("SYNOPSIS");
  page.paragraph("stoxd --config FILE [FLAG...]");
  page.heading("DESCRIPTION");
  page.paragraph(
      "stoxd carries messages between SIP and XMPP. It speaks SIP to a proxy or to each domain's servers, "
      "and XMPP to a server as a component, or to every server as one of its own (federation). It stays in "
      "the foreground and logs to standard error; it is made to "
      "run as a service of Type=notify under systemd(1).");
  page.paragraph(
      "A flag wins over an environment variable, that over the file, the file over the default. Secrets "
      "stand "
      "only in the file, or in a file that it names.");
  add_flags(page);
  add_files(page);
  page.heading("ENVIRONMENT");
  page.item("STOX_CONFIG", "The configuration file where --config names none.");
  page.item("STOX_SECTION_KEY",
            "Every key of stox.toml(5) that stands in no [[table]]: sip.accept_wait is "
            "STOX_SIP_ACCEPT_WAIT.");
  page.item("NOTIFY_SOCKET, WATCHDOG_USEC",
            "Set by systemd: stoxd says that it is ready, reloads, stops and lives. See sd_notify(3).");
  add_signals(page);
  add_exit_status(page);
  page.heading("EXAMPLES");
  page.paragraph("A file to begin with, checked, and the gateway with more to read in its log:");
  page.lines(
      "stoxd --print-sample > stox.toml\n"
      "stoxd --config stox.toml --check-config\n"
      "stoxd --config stox.toml --log.level=debug");
  page.paragraph("What counts in the end, and where each value comes from:");
  page.lines("stoxd --config /etc/stox/stox.toml --print-config");
  page.heading("SEE ALSO");
  page.paragraph("stox.toml(5), stoxctl(1)");
  return page.text();
}

std::string print_man_stox_toml() {
  man_page page("stox.toml", 5, "configuration of stoxd");
  page.heading("SYNOPSIS");
  page.paragraph("/etc/stox/stox.toml");
  page.heading("DESCRIPTION");
  page.paragraph(
      "The file is TOML 1.0. An unknown key is an error, and stoxd(8) does not start with one: stoxd "
      "--check-config prints every error and warning with its place.");
  page.paragraph(
      "A duration is a text like \"150ms\", \"2s\", \"5min\" or \"1h\", or a number of milliseconds. A size "
      "is "
      "a "
      "text like \"512MiB\" or \"64kB\", or a number of bytes. A live key is taken over on SIGHUP, a restart "
      "key "
      "counts from the next start.");
  page.heading("KEYS");
  for (const auto section : sections()) {
    const auto* array = find_table_array(section);
    page.subheading(array != nullptr ? "[[" + std::string(section) + "]]" : "[" + std::string(section) + "]");
    if (array != nullptr) page.paragraph(std::string(array->help) + " Any number of these tables.");
    if (const auto help = optional_section_help(section); !help.empty()) page.paragraph(help);
    for (const auto& o : options()) {
      if (section_of(o.key) == section) add_key(page, o, array != nullptr);
    }
  }
  page.heading("FILES");
  page.item("/etc/stox/stox.toml", "Where the packaged unit looks for it.");
  page.heading("ENVIRONMENT");
  page.paragraph("Keys that stand in no [[table]] are variables as well; see stoxd(8).");
  page.heading("EXAMPLES");
  page.paragraph("stoxd --print-sample prints a whole file. The least that works beside a proxy:");
  page.lines(
      "[gateway]\n"
      "sip_domains = [\"sip.example\"]\n"
      "\n"
      "[sip]\n"
      "listen = [\"udp:192.0.2.10:5060\", \"tcp:192.0.2.10:5060\"]\n"
      "outbound_proxy = \"sip:192.0.2.1:5060;lr\"\n"
      "trusted_peers = [\"192.0.2.1\"]\n"
      "\n"
      "[[xmpp.component]]\n"
      "domain = \"sip.example\"\n"
      "server = \"127.0.0.1:5347\"\n"
      "secret_file = \"component-secret\"");
  page.paragraph(
      "With this in the place of the component it is an XMPP server of its own, on ports 5269 and 5270, "
      "which "
      "the DNS records _xmpp-server._tcp and _xmpps-server._tcp of sip.example name:");
  page.lines(
      "[[tls.certificate]]\n"
      "domains = [\"sip.example\"]\n"
      "chain = \"sip.example.chain.pem\"\n"
      "key = \"sip.example.key.pem\"");
  page.heading("SEE ALSO");
  page.paragraph("stoxd(8), stoxctl(1)");
  return page.text();
}

}  // namespace stox::config
