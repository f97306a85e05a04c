#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tally.hpp"
#include "wire.hpp"

namespace bench {

/// Cuts a stream of elements behind an open root into whole stanzas; only as much XML as stoxd writes.
class stanza_splitter {
 public:
  void push(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole child of the root, or ""; `depth` says how many levels were open before (0: the root's
  /// own start tag).
  std::string_view next();
  void compact();
  /// A new root follows.
  void restart() { depth_ = 0; }

 private:
  std::string buffer_;
  std::size_t start_ = 0, at_ = 0;
  int depth_ = 0;
};

/// The XMPP side of stoxd: counts the messages that arrive and sends those that are asked for. Either the
/// server of a component: accepts one XEP-0114 link, takes any handshake, routes what is addressed to the
/// component's own domain back to it (so its pings return). Or a server that federates: one stream over
/// direct TLS, proved by its certificate, for both directions (XEP-0288), with counted stanzas (XEP-0198).
class xmpp_side {
 public:
  xmpp_side(tally& to_xmpp, tally& to_sip, unsigned pairs, std::size_t body_bytes, bool federates);
  ~xmpp_side();
  xmpp_side(const xmpp_side&) = delete;
  xmpp_side& operator=(const xmpp_side&) = delete;

  std::uint16_t port() const { return port_; }
  int listener() const { return listener_; }
  int link() const { return link_ ? link_->fd() : -1; }
  bool up() const { return up_; }
  bool wants_to_write() const { return out_.size() > written_; }

  void accept_link();
  /// Federates: to stoxd's port of direct TLS, if it is there already.
  void dial(std::uint16_t port, const identity& own);
  void read_ready();
  void send_message(std::uint32_t n);
  void flush();

 private:
  void on_stanza(std::string_view stanza);
  void on_negotiation(std::string_view element);
  void open_stream();

  tally& to_xmpp_;
  tally& to_sip_;
  unsigned pairs_;
  std::string padding_;
  bool federates_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::unique_ptr<wire> link_;
  bool proved_ = false, up_ = false;
  std::uint32_t handled_ = 0;   ///< stanzas since <enabled/> (XEP-0198 §4)
  bool ask_for_count_ = false;  ///< stanzas were written since we asked last
  bool asked_ = false;          ///< one question at a time, as servers do
  stanza_splitter in_;
  std::string out_;
  std::size_t written_ = 0;
};

}  // namespace bench
