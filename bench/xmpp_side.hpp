#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tally.hpp"

namespace bench {

/// Cuts a stream of elements behind an open root into whole stanzas; only as much XML as stoxd writes.
class stanza_splitter {
 public:
  void push(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole child of the root, or ""; `depth` says how many levels were open before (0: the root's
  /// own start tag).
  std::string_view next();
  void compact();

 private:
  std::string buffer_;
  std::size_t start_ = 0, at_ = 0;
  int depth_ = 0;
};

/// The XMPP server as a component sees it: accepts one XEP-0114 link, takes any handshake, routes what is
/// addressed to the component's own domain back to it (so its pings return), counts the messages that arrive
/// and sends those that are asked for.
class xmpp_side {
 public:
  xmpp_side(tally& to_xmpp, tally& to_sip, unsigned pairs, std::size_t body_bytes);
  ~xmpp_side();
  xmpp_side(const xmpp_side&) = delete;
  xmpp_side& operator=(const xmpp_side&) = delete;

  std::uint16_t port() const { return port_; }
  int listener() const { return listener_; }
  int link() const { return link_; }
  bool up() const { return up_; }
  bool wants_to_write() const { return out_.size() > written_; }

  void accept_link();
  void read_ready();
  void send_message(std::uint32_t n);
  void flush();

 private:
  void on_stanza(std::string_view stanza);

  tally& to_xmpp_;
  tally& to_sip_;
  unsigned pairs_;
  std::string padding_;
  std::uint16_t port_ = 0;
  int listener_ = -1, link_ = -1;
  bool up_ = false;
  stanza_splitter in_;
  std::string out_;
  std::size_t written_ = 0;
};

}  // namespace bench
