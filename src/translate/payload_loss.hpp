#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sip/wire/message.hpp"
#include "translate/loss.hpp"
#include "xml/element.hpp"
#include "xmpp/wire/xep/sharing.hpp"

namespace stox::translate {

/// A list of losses that a peer cannot make long: after `limit` entries it only counts.
class loss_list {
 public:
  static constexpr std::size_t limit = 32;
  void add(std::string what, std::string_view why);
  std::vector<loss> take();

 private:
  std::vector<loss> losses_;
  std::size_t more_ = 0;
};

/// What the text and the header fields of a MESSAGE tell of payloads.
struct telling {
  bool quote = false;                            ///< what is answered
  bool quote_sent = false;                       ///< the quote in the body, as it stands
  std::vector<std::string_view> replaced;        ///< features whose fallback text is not sent
  std::vector<const xmpp::shared_link*> links;   ///< addresses that are shared
  bool html = false;                             ///< the text of a message without body
  const xml::element* forwarded = nullptr;       ///< whose text is quoted
  const xml::element* date = nullptr;            ///< whose time is the time of sending
  std::string_view no_date = "no time is told";  ///< why another's is not
  bool name = false;                             ///< the display name, exactly as the sender gave it
  bool part = false;                             ///< of the display name
  bool reports = false;                          ///< what the sender wants to hear of his message
};

/// A child of <message/> that a MESSAGE has no place for. What was carried of it (our hop mark, a nickname)
/// is not named.
void add_payload_loss(loss_list& losses, const xml::element& payload, const telling& told);

/// The header fields of a MESSAGE that say something about it and have no place in a stanza. Those that serve
/// routing, trust or negotiation have done their work here and are no loss.
void add_header_losses(loss_list& losses, const sip::header_list& headers);

}  // namespace stox::translate
