#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What the parts are measured with: short chat messages, as peers write them.
namespace stox::bench {

inline constexpr std::string_view body =
    "The quick brown fox jumps over the lazy dog, and does it again, until this line is some 120 octets "
    "long, as chats are.";

inline constexpr std::string_view stream_header =
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
    "from='sip.example' id='s1'>";

inline std::string sip_message(std::uint64_t n, std::uint64_t pair = 1) {
  const auto id = std::to_string(n), who = std::to_string(pair);
  std::string out = "MESSAGE sip:juliet" + who + "@xmpp.example SIP/2.0\r\n";
  out += "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-" + id + ";rport\r\nMax-Forwards: 70\r\n";
  out += "From: <sip:romeo" + who + "@sip.example>;tag=f" + id + "\r\nTo: <sip:juliet" + who;
  out += "@xmpp.example>\r\nCall-ID: " + id + "@192.0.2.1\r\nCSeq: 1 MESSAGE\r\n";
  out += "Content-Type: text/plain\r\nContent-Length: " + std::to_string(body.size() + id.size());
  return out + "\r\n\r\n" + std::string(body) + id;
}

inline std::string stanza(std::uint64_t n, std::uint64_t pair = 1) {
  const auto id = std::to_string(n), who = std::to_string(pair);
  return "<message from='juliet" + who + "@xmpp.example/balcony' to='romeo" + who +
         "@sip.example' type='chat' id='m" + id + "'><body>" + std::string(body) + id + "</body></message>";
}

}  // namespace stox::bench
