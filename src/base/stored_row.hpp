#pragma once

#include <string>
#include <variant>

#include "base/instant.hpp"

/// What the core wants kept over a restart. It never touches the database: it says save and remove, the rim
/// does it when it can, and at the next start hands back what it holds. No row has a body or a secret.
namespace stox {

/// One thing that is known of a peer's client, see gateway/peer_book.hpp. There is one row for each address
/// and feature.
struct capability_row {
  std::string address;  ///< "sip:bo@sip.example", or a bare JID
  std::string feature;  ///< "cpim", "receipts", ...; "accept": the media types that it takes
  std::string value;    ///< "yes" or "no"; of "accept" the types, with blanks between them
  std::string how;      ///< how it was learned: "received", "refused", ...
  wall_time learned;
  std::string domain = {};  ///< of the tenant: the served domain's XMPP name
  unsigned engine = 0;      ///< that saved it; the rim knows the number
  wall_time expiry = {};
  friend bool operator==(const capability_row&, const capability_row&) = default;
};

/// Names an open receipt. Both users' addresses are in it, so nobody can answer for a message of another
/// pair.
struct receipt_key {
  bool to_sip = false;  ///< where the message went
  std::string jid;      ///< the XMPP user, bare
  std::string aor;      ///< the SIP user, as his bare JID
  std::string id;       ///< that the message had on its receiver's side
  friend bool operator==(const receipt_key&, const receipt_key&) = default;
};

/// A message that was sent on and whose sender waits for receipts, see gateway/receipt_book.hpp.
struct receipt_row {
  receipt_key key;
  bool delivered = false, failed = false, displayed = false;  ///< what he waits for
  std::string original_id;  ///< that the message had on its sender's side: stanza id or IMDN Message-ID
  std::string reply_to;     ///< the sender: his full JID, or his URI as he spelled it, with gr
  std::string date_time;    ///< to XMPP: the CPIM DateTime, as it came
  std::string call_id;      ///< of the MESSAGE
  std::string type;         ///< to SIP: of the stanza
  std::string route;        ///< to XMPP: the IMDN-Record-Routes, one a line
  std::string original_to;  ///< to XMPP: the URI of Original-To
  std::string domain = {};  ///< as above
  unsigned engine = 0;
  wall_time expiry = {};
  friend bool operator==(const receipt_row&, const receipt_row&) = default;
};

using stored_row = std::variant<capability_row, receipt_row>;

/// All that is known of one address.
struct capability_key {
  std::string address;
  friend bool operator==(const capability_key&, const capability_key&) = default;
};

/// Names rows that are to go.
using row_key = std::variant<capability_key, receipt_key>;

/// Where the core says it.
class row_sink {
 public:
  row_sink() = default;
  row_sink(const row_sink&) = delete;
  row_sink& operator=(const row_sink&) = delete;
  virtual ~row_sink() = default;
  /// In place of the row of that name, if there is one.
  virtual void save(stored_row row) = 0;
  virtual void remove(row_key key) = 0;
};

}  // namespace stox
