#include "sip_side.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>

#include "child.hpp"

namespace bench {

namespace {

constexpr std::uint64_t t1 = 500'000'000, t2 = 4'000'000'000, timer_f = 64 * t1;
constexpr std::size_t batch = 64, datagram_bytes = 4096;

/// The line of a header, with its name and CRLF; stoxd writes long names.
std::string_view line_of(std::string_view text, std::string_view name, std::size_t from = 0) {
  const auto at = text.find(name, from);
  return at == std::string_view::npos ? std::string_view()
                                      : text.substr(at + 2, text.find("\r\n", at + 2) - at);
}

}  // namespace

sip_side::sip_side(tally& to_xmpp, tally& to_sip, unsigned pairs, std::size_t body_bytes)
    : to_xmpp_(to_xmpp), to_sip_(to_sip), pairs_(pairs), padding_(body_bytes, 'x') {
  fd_ = udp_socket(port_);
}

sip_side::~sip_side() { ::close(fd_); }

void sip_side::talk_to(std::uint16_t gateway) {
  gateway_.sin_family = AF_INET;
  gateway_.sin_port = htons(gateway);
  gateway_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

std::string sip_side::request(std::uint32_t n) const {
  const std::string pair = std::to_string(n % pairs_), number = std::to_string(n),
                    port = std::to_string(port_);
  const std::string body = "#" + number + " " + padding_;
  return "MESSAGE sip:x" + pair + "@xmpp.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" + port +
         ";branch=z9hG4bK-b" + number + ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:s" + pair +
         "@sip.example>;tag=t" + number + "\r\nTo: <sip:x" + pair + "@xmpp.example>\r\nCall-ID: c" + number +
         "@bench\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void sip_side::send_message(std::uint32_t n, std::uint64_t now) {
  out_.push_back(request(n));
  timers_.push({now + t1, t1, now + timer_f, n});
  if (out_.size() >= batch) flush();
}

void sip_side::resend_due(std::uint64_t now) {
  while (!timers_.empty() && timers_.top().due <= now) {
    auto t = timers_.top();
    timers_.pop();
    if (to_xmpp_.answered(t.n) || now >= t.end) continue;
    out_.push_back(request(t.n));
    ++resent_;
    t.interval = std::min(2 * t.interval, t2);  // Timer E
    t.due = now + t.interval;
    timers_.push(t);
  }
}

void sip_side::flush() {
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  for (std::size_t done = 0; done < out_.size();) {
    const std::size_t count = std::min(batch, out_.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      parts[i] = {out_[done + i].data(), out_[done + i].size()};
      messages[i].msg_hdr = {&gateway_, sizeof gateway_, &parts[i], 1, nullptr, 0, 0};
    }
    const int put = ::sendmmsg(fd_, messages.data(), static_cast<unsigned>(count), 0);
    if (put <= 0) break;  // a full socket loses datagrams as a network does; timers make up for it
    done += static_cast<std::size_t>(put);
  }
  out_.clear();
}

void sip_side::read_ready() {
  static std::array<std::array<char, datagram_bytes>, batch> buffers;
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  for (int rounds = 0; rounds < 16; ++rounds) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {buffers[i].data(), datagram_bytes};
      messages[i].msg_hdr = {nullptr, 0, &parts[i], 1, nullptr, 0, 0};
    }
    const int got = ::recvmmsg(fd_, messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < got; ++i) {
      const auto k = static_cast<std::size_t>(i);
      on_datagram({buffers[k].data(), messages[k].msg_len});
    }
    if (got < static_cast<int>(batch)) break;
  }
  flush();
}

void sip_side::on_datagram(std::string_view text) {
  const auto now = now_ns();
  std::uint32_t n = 0;
  if (text.starts_with("SIP/2.0 ")) {
    if (text.size() < 12 || text[8] == '1' || !number_after(text, "branch=z9hG4bK-b", to_xmpp_.size(), n))
      return;
    if (text[8] == '2')
      to_xmpp_.accepted(n, now);
    else
      to_xmpp_.refused(n, now);
    return;
  }
  if (!text.starts_with("MESSAGE ")) return;
  if (number_after(text, "\r\n\r\n#", to_sip_.size(), n)) {
    const auto via = line_of(text, "\r\nVia:");
    to_sip_.delivered(n, std::hash<std::string_view>{}(via), now);
  }
  answer(text);
}

void sip_side::answer(std::string_view request) {
  std::string r = "SIP/2.0 200 OK\r\n";
  r += line_of(request, "\r\nVia:");
  r += line_of(request, "\r\nFrom:");
  auto to = line_of(request, "\r\nTo:");
  if (to.size() < 2) return;
  to.remove_suffix(2);
  r += to;
  r += ";tag=bench\r\n";
  r += line_of(request, "\r\nCall-ID:");
  r += line_of(request, "\r\nCSeq:");
  r += "Content-Length: 0\r\n\r\n";
  out_.push_back(std::move(r));
}

}  // namespace bench
