#pragma once

#include <string>
#include <vector>

namespace stox::settings {

/// One key whose value differs. Texts are as the file has them; a secret is "...".
struct changed_key {
  std::string key;                          ///< "sip.hold", "xmpp.component[sip.example].server"
  std::string before, after;                ///< of a key with one value
  std::vector<std::string> added, removed;  ///< of a list; of an array of tables their names
};

}  // namespace stox::settings
