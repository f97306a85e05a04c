#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// A conversation in virtual time, as people write it. One step a line; lines that begin with "|" belong to
/// the step above them.
///     # the sentence that a failing test prints
///     # spec: RFC3261 §17.1.2.2
///     config              the whole configuration as TOML in "|" lines; before all other steps; default: see
///                         scenario_test.cpp
///     manual write        the kernel takes writes only by "write ok" / "write fail"
///     manual confirm      the XMPP server answers pings only by "confirm"
///     listen udp:[2001:db8::20]:5060
///                         one more listener; without such a step, only IPv4 is there
///     dns NAME A 192.0.2.5, dns NAME AAAA 2001:db8::5, dns NAME SRV 10 60 5060 TARGET, dns NAME A fail
///                         the DNS knows these and no other names; without such a step, every name has the
///                         SIP peer's address
///     tls proves DOMAIN.. what servers prove over TLS; without such a step, each the domain it is asked for
///     sip> tls ADDRESS:PORT DOMAIN..
///                         arrives over TLS from a peer that proves these domains
///     sip> deflated [N]   arrives with its body, N times over, in the form that Content-Encoding deflate has
///     sip> / xmpp>        arrives; a SIP text in "|" lines ("Content-Length: ~" is computed), a stanza in
///     one
///                         line or several
///     sip< / xmpp<        leaves next on that side; SIP: each line given must stand in it, in order, and
///     with
///                         "sip< to ADDRESS:PORT" it goes there; XMPP: the element given must be contained in
///                         it (its attributes, its children in order, its text)
///     reply CODE REASON   the SIP peer answers the request that the last "sip<" showed
///     advance 500ms | 32s
///     wall 3h | -3h       somebody sets the wall clock
///     link congested | link flows
///                         the XMPP servers read too slowly; they have read
///     link down | link up, write ok | write fail, confirm, drain 10s (SIGTERM with that limit), end (the rim
///     ends without waiting)
///     quiet               nothing has left on either side since the last "<", and no incident was raised
///     incident WORDS      was raised: "kind domain=... call_id=..."; the words must all stand in it
///     row TEXT            a row was saved or removed: "save capability=...", "remove receipt=..." as a trace
///                         has it; the text stands in it
///     restart             the rim ends without waiting, and a new engine begins with the rows that were
///                         saved
///     log WORDS           one line has them all
///     logs N WORDS        so many lines until now have them all
///     count NAME{label=value,...} N
///                         a counter of the engine
struct scenario_step {
  int line = 0;
  std::string verb;   ///< "sip>", "advance", ...
  std::string rest;   ///< of the step's line
  std::string block;  ///< of the "|" lines, joined by LF, each with its LF
};

struct scenario_file {
  std::string sentence, spec;
  std::vector<scenario_step> steps;
  std::string problem;  ///< why the file could not be read; empty: it could
  static scenario_file load(const std::filesystem::path& path);
};

/// Whether all words of `wanted` stand in the line, as words.
bool holds(const std::string& line, const std::string& wanted);
