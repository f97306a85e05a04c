#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payload/mime.hpp"
#include "sip/wire/message.hpp"

/// What a peer's traffic shows of its client: pure functions over SIP headers. What the XMPP side shows
/// (disco, caps, stanzas) becomes lessons where it is read.
namespace stox::gateway {

/// The forms and notices that a client may understand or not.
enum class feature : std::uint8_t {
  cpim,          ///< message/cpim, RFC 3862
  imdn,          ///< IMDN, RFC 5438; it needs cpim as well
  is_composing,  ///< application/im-iscomposing+xml, RFC 3994
  html,          ///< text/html
  chat_states,   ///< XEP-0085
};
inline constexpr std::size_t feature_count = 5;
std::string_view to_string(feature f);  ///< as stored and shown: "is_composing"
std::optional<feature> feature_named(std::string_view name);

enum class learned_by : std::uint8_t {
  accept,    ///< an Accept header named it, or (415) did not
  refused,   ///< a message of that form was answered by 415, 406, 488, 405 or 501
  received,  ///< the client sent that form itself, or asked for it
};
std::string_view to_string(learned_by how);
std::optional<learned_by> learned_by_named(std::string_view name);

struct lesson {
  feature what{};
  bool yes = false;
  learned_by how{};
  friend bool operator==(const lesson&, const lesson&) = default;
};

struct lessons {
  std::vector<lesson> facts;
  std::vector<std::string> accepts;  ///< the types of an Accept, lower case, without parameters
  bool empty() const { return facts.empty() && accepts.empty(); }
  friend bool operator==(const lessons&, const lessons&) = default;
};

/// From a request of a peer who is believed about its sender's domain: what its Accept names, and the form
/// that it has itself, the `type` of its body. What Accept leaves out says nothing here: RFC 3428 gives it no
/// meaning in a MESSAGE, and only some clients write it.
lessons lessons_of(const sip::request& r, const payload::content_type& type);

/// From the final answer to a MESSAGE of ours, which came from the server that we chose. `form`: what the
/// MESSAGE needed of the peer, the outermost first: {cpim, imdn} for a CPIM message that asks for IMDN,
/// nothing for plain text. A 2xx and a 415 teach what their Accept names. RFC 3261 §21.4.13: a 415 must list
/// all that is accepted, so there what is left out is not understood. A refusal of a form teaches that the
/// form is not understood: that part of it which the Accept leaves out, or (no Accept, or one that names all
/// of it) the outermost.
lessons lessons_of(const sip::response& r, std::span<const feature> form);

/// Whether the answer refuses the form of a MESSAGE rather than the message: the same text in a plainer form
/// may be taken. 405 and 501 with an Allow without MESSAGE refuse every form.
bool refuses_form(const sip::response& r);

}  // namespace stox::gateway
