#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "translate/payload_loss.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/xep/extras.hpp"

/// The words that stand for a message's payloads where only text can go. docs/decisions/0030 has the reasons.
namespace stox::translate::pager {

/// What a gateway has to do with a message of type normal, chat or headline.
enum class content : std::uint8_t {
  text,         ///< somebody wrote, reacted, took back or shares something: it goes on, or is refused aloud
  offer,        ///< a call or an invitation: whoever waits for an answer is told that there will be none
  notice,       ///< chat states, receipts, markers, events: no text
  copy,         ///< of what was sent before, by a server (XEP-0280, XEP-0313): never sent again
  key_exchange  ///< an encryption manages its session: nobody wrote anything
};
content content_of(const xmpp::message& m, const xmpp::extras& x);

/// The id of the earlier message whose beginning the text of this one quotes; empty: none.
std::string_view quoted_id(const xmpp::extras& x);

/// What the sender wrote himself, without the quote that his client put in front. `room` holds it where it is
/// no part of `m`.
std::string_view own_words(const xmpp::message& m, const xmpp::extras& x, std::string& room);

/// Whether its text must not be kept for later quoting (XEP-0334: no-store, no-permanent-store).
bool is_off_the_record(const xmpp::extras& x);

struct chat_text {
  const xmpp::lang_text* body = nullptr;  ///< that was chosen by language, if there is one
  bool reworded = false;                  ///< the text is not the body as it stands
  std::string made;                       ///< then this is it
  telling told;                           ///< what became of the payloads
  const std::string& text() const { return reworded ? made : body->text; }
};

/// The text of a message. `quoted`: the beginning of the message that quoted_id names, where it is known.
/// Errors: not-acceptable: encrypted, no text, or a file that has no address. What it tells points into `x`.
boost::system::result<chat_text, xmpp::stanza_error> chat_text_of(const xmpp::message& m,
                                                                  const xmpp::extras& x,
                                                                  const std::optional<std::string>& quoted);

}  // namespace stox::translate::pager
