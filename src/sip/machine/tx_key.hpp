#pragma once

#include <string>
#include <string_view>

#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"

/// The keys by which messages find their transaction. All are whole strings, never hashes alone: two
/// transactions cannot be taken for one another by a chosen collision. (answered_branches, which finds none,
/// does with a hash.)
namespace stox::sip {

/// RFC 3261 §17.2.3: branch + sent-by + method, or for a branch without the magic cookie (or with nothing
/// behind it) RFC 2543's fields. `method` is the transaction's: an ACK and a CANCEL look for "INVITE".
/// Branches compare with case: senders make them of random text, and nobody changes their case on the way.
void append_server_key(std::string& out, const request& r, const essentials& head, std::string_view method);

/// RFC 3261 §8.2.2.2: From tag, Call-ID and CSeq, which a request keeps on every path. An ACK to a 2xx finds
/// its INVITE by it as well.
void append_merge_key(std::string& out, const essentials& head, std::string_view method);

/// Host names and addresses in the one form in which we compare them: lower case, no final dot, addresses as
/// we print them.
std::string normal_host(std::string_view host);

/// "host:port" of a sent-by; a Via without a port has the one of its transport.
std::string sent_by(const via& v);
void append_sent_by(std::string& out, const via& v);
void append_sent_by(std::string& out, std::string_view host, std::uint16_t port);

}  // namespace stox::sip
