#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "settings/settings.hpp"

namespace stox::config {

struct option;

/// Where a value came from.
struct origin {
  std::string place;       ///< "stox.toml:4", "--sip.hold", "STOX_SIP_HOLD"
  bool from_file = false;  ///< then the key must be said beside the place
};

/// The settings while they are put together, with what is needed to speak about them. Keys of tables carry
/// their table's number: "xmpp.component[0].domain", and the table itself "xmpp.component[0]".
struct findings {
  settings::all settings;
  std::string file;                                    ///< empty: none was given
  std::map<std::string, origin, std::less<>> origins;  ///< of what is not the default
  std::set<std::string, std::less<>> failed;  ///< keys that had an error: no further complaint about them
  std::vector<std::string> errors;

  bool ok(std::string_view key) const { return failed.find(key) == failed.end(); }
  /// "stox.toml:4: sip.hold", "--sip.hold", or for a default "stox.toml: sip.hold".
  std::string place_of(std::string_view key) const;
  void fail(std::string_view key, const std::string& why);
};

/// "xmpp.component", 0, "domain" -> "xmpp.component[0].domain"; an empty leaf names the table.
std::string table_key(std::string_view array, std::size_t number, std::string_view leaf = {});

/// Decides whether federation is on, and where it listens if nothing is said of it; once all sources are
/// read.
void settle_federation(findings& f);
/// What no single key can tell: what is missing, stands twice or contradicts.
void check(findings& f);
/// What works but is probably not meant, or dangerous. One sentence each, with its place.
std::vector<std::string> warnings_of(const findings& f);
/// The same for folders that the daemon will want. Looks into the file system.
std::vector<std::string> missing_folders(const findings& f);

/// The settings as TOML, every key with the place it came from; secrets as "...".
std::string print_config(const findings& f);
std::string print_sample();
std::string print_reference();
std::string print_man_stoxd();      ///< stoxd(8)
std::string print_man_stox_toml();  ///< stox.toml(5)

/// The sections in the table's order; those of arrays of tables included.
std::vector<std::string_view> sections();
std::vector<std::string> default_texts(const option& o);
std::string default_value(const option& o);  ///< as it would stand in the file

}  // namespace stox::config
