#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "tally.hpp"

namespace bench {

/// A SIP proxy as stoxd sees it, over one UDP socket: sends MESSAGEs with the retransmissions of RFC 3261
/// §17.1.2 and answers those that come with 200.
class sip_side {
 public:
  sip_side(tally& to_xmpp, tally& to_sip, unsigned pairs, std::size_t body_bytes);
  ~sip_side();
  sip_side(const sip_side&) = delete;
  sip_side& operator=(const sip_side&) = delete;

  std::uint16_t port() const { return port_; }
  int fd() const { return fd_; }
  void talk_to(std::uint16_t gateway);
  std::uint64_t resent() const { return resent_; }

  void read_ready();
  void send_message(std::uint32_t n, std::uint64_t now);
  void resend_due(std::uint64_t now);
  void flush();

 private:
  struct timer {
    std::uint64_t due = 0, interval = 0, end = 0;
    std::uint32_t n = 0;
    bool operator<(const timer& other) const { return due > other.due; }
  };
  std::string request(std::uint32_t n) const;
  void on_datagram(std::string_view text);
  void answer(std::string_view request);

  tally& to_xmpp_;
  tally& to_sip_;
  unsigned pairs_;
  std::string padding_;
  std::uint16_t port_ = 0;
  int fd_ = -1;
  sockaddr_in gateway_{};
  std::vector<std::string> out_;
  std::priority_queue<timer> timers_;
  std::uint64_t resent_ = 0;
};

}  // namespace bench
