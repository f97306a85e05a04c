#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/io.hpp"
#include "sip/machine/endpoint.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"

namespace stox::sip {

/// Where the response to a request goes.
struct reply_route {
  transport via{};
  conn_id conn{};     ///< the UDP listener or the stream on which the request came
  socket_address to;  ///< UDP: its destination. Streams: where to connect when the stream is gone.
};

/// RFC 3261 §18.2.1 and RFC 3581 §4: adds `received` to the top Via where the sender's address is not what
/// its sent-by says or rport was asked for, and fills rport. Changes the request's text and `top` alike. A
/// `received` that the sender wrote itself is replaced.
void stamp_via(request& r, via& top, const socket_address& source);

/// RFC 3261 §18.2.2 and RFC 3581 §4. maddr is ignored: it lets a sender direct answers at a third party, and
/// nobody uses multicast SIP.
reply_route route_reply(const via& top, const peer_info& peer);

/// RFC 3261 §8.2.6.2: what every response to the request repeats as received - the Vias, From, To (with `tag`
/// if it has none), Call-ID, CSeq - and Timestamp, which only a 100 keeps.
response response_head(const request& r, std::string_view tag);

/// The response that the reply asks for. `product`: Server, where the reply has none.
response build_response(response head, const reply& answer, std::string_view product);

/// The same with nothing beyond what RFC 3261 demands: for peers that must not get more bytes than they sent.
response minimal_response(response full);

/// "REQUEST, with a reason that was written for people": status, reason and nothing else.
reply plain_reply(std::uint16_t status, std::string reason = {});

}  // namespace stox::sip
