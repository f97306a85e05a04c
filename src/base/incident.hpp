#pragma once

#include <string>
#include <string_view>

namespace stox {

/// Something that an operator may be asked about later: a message whose fate is not known, or a sender who
/// may not have been told. The core raises it beside a log line, whatever the log's level, and the rim keeps
/// it. Never holds a body or a secret.
struct incident {
  std::string_view kind;                         ///< a static, greppable name: "message.to_sip.in_doubt"
  std::string domain;                            ///< of the tenant: the served domain's XMPP name
  std::string conversation, call_id, stanza_id;  ///< what is known of them
  std::string from, to;                          ///< of the message, as JIDs
  std::string cause;
};

}  // namespace stox
