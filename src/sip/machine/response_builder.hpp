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

/// RFC 3261 §8.2.6.2: what every response to a request repeats as received, as it is sent.
struct response_head {
  std::string lines;      ///< the Vias, From, To (with our tag if it has none), Call-ID, CSeq
  std::string timestamp;  ///< a line, or empty; only a 100 has it (§8.2.6.1)
};
response_head head_for(const request& r, std::string_view tag);

/// The status of the response that the reply asks for: 500 if it is none that a response may have.
std::uint16_t status_of(const reply& answer);

/// The response as it is sent. `product`: Server, where the reply has none; "" leaves it out.
std::string write_response(const response_head& head, const reply& answer, std::string_view product);

/// "REQUEST, with a reason that was written for people": status, reason and nothing else.
reply plain_reply(std::uint16_t status, std::string reason = {});

}  // namespace stox::sip
