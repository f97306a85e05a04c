#pragma once

#include <optional>
#include <string>
#include <vector>

#include "xml/element.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/chat_states.hpp"
#include "xmpp/wire/xep/encryption.hpp"
#include "xmpp/wire/xep/hints.hpp"
#include "xmpp/wire/xep/ids.hpp"
#include "xmpp/wire/xep/markers.hpp"
#include "xmpp/wire/xep/reactions.hpp"
#include "xmpp/wire/xep/reply.hpp"
#include "xmpp/wire/xep/sharing.hpp"

namespace stox::xmpp {

/// Every payload of a message that a gateway knows, by its meaning. Of a payload that may come once the first
/// counts. It points into its message, and lives no longer.
struct extras {
  std::optional<chat_state> state;
  bool receipt_request = false;
  std::optional<std::string> receipt_for;  ///< the id of a message that arrived
  bool markable = false;
  std::optional<xmpp::marker> marker;
  std::optional<std::string> replaces;  ///< the id of the message that this one corrects
  std::optional<reply> reply_to;
  std::vector<fallback> fallbacks;
  std::optional<xmpp::reactions> reactions;
  std::optional<std::string> retracts;  ///< the id of the message that is taken back
  std::vector<shared_link> links;
  bool attention = false;
  xmpp::hints hints;
  std::optional<std::string> nick;
  std::string origin_id;
  std::vector<stanza_id> stanza_ids;
  std::optional<xmpp::encryption> encrypted;
  bool server_copy = false;                 ///< a carbon, or from an archive
  const xml::element* forwarded = nullptr;  ///< what the sender himself passes on, XEP-0297
  const xml::element* html = nullptr;       ///< XEP-0071
  std::vector<const xml::element*> unknown;
};

extras read_extras(const message& m);

}  // namespace stox::xmpp
