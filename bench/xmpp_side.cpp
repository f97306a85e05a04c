#include "xmpp_side.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "child.hpp"

namespace bench {

std::string_view stanza_splitter::next() {
  while (at_ < buffer_.size()) {
    const auto open = buffer_.find('<', at_);
    if (open == std::string::npos) {
      at_ = buffer_.size();
      return {};
    }
    if (depth_ <= 1 && start_ < open) start_ = open;  // white space between stanzas
    char quote = 0;
    std::size_t end = open + 1;
    for (; end < buffer_.size() && (quote != 0 || buffer_[end] != '>'); ++end) {
      const char c = buffer_[end];
      if (quote != 0 ? c == quote : c == '\'' || c == '"') quote = quote != 0 ? char{0} : c;
    }
    if (end >= buffer_.size()) {
      at_ = open;
      return {};
    }
    at_ = end + 1;
    const bool is_declaration = buffer_[open + 1] == '?', is_end = buffer_[open + 1] == '/',
               is_empty = buffer_[end - 1] == '/';
    if (is_declaration) continue;
    const bool whole = is_end ? --depth_ == 1 : is_empty ? depth_ == 1 : depth_++ == 0;
    if (!whole) continue;
    const std::string_view taken = std::string_view(buffer_).substr(start_, at_ - start_);
    start_ = at_;
    return taken;
  }
  return {};
}

void stanza_splitter::compact() {
  buffer_.erase(0, start_);
  at_ -= start_;
  start_ = 0;
}

namespace {

/// The value of an attribute of the first tag.
std::string_view attribute(std::string_view stanza, std::string_view name) {
  const auto head = stanza.substr(0, stanza.find('>'));
  for (std::size_t at = head.find(name); at != std::string_view::npos; at = head.find(name, at + 1)) {
    const auto equals = at + name.size();
    if (at == 0 || head[at - 1] != ' ' || equals + 1 >= head.size() || head[equals] != '=') continue;
    const auto end = head.find(head[equals + 1], equals + 2);
    return end == std::string_view::npos ? std::string_view() : head.substr(equals + 2, end - equals - 2);
  }
  return {};
}

}  // namespace

xmpp_side::xmpp_side(tally& to_xmpp, tally& to_sip, unsigned pairs, std::size_t body_bytes)
    : to_xmpp_(to_xmpp), to_sip_(to_sip), pairs_(pairs), padding_(body_bytes, 'x') {
  listener_ = tcp_listener(port_);
}

xmpp_side::~xmpp_side() {
  if (link_ >= 0) ::close(link_);
  ::close(listener_);
}

void xmpp_side::accept_link() {
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  if (link_ >= 0) die("a second component link: the first was lost");
  link_ = fd;
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void xmpp_side::read_ready() {
  std::array<char, 256 * 1024> buffer;
  for (;;) {
    const auto got = ::recv(link_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) die("the component link was closed");
    in_.push({buffer.data(), static_cast<std::size_t>(got)});
    for (auto stanza = in_.next(); !stanza.empty(); stanza = in_.next()) on_stanza(stanza);
    in_.compact();
    if (static_cast<std::size_t>(got) < buffer.size()) break;
  }
  flush();
}

void xmpp_side::on_stanza(std::string_view stanza) {
  if (stanza.starts_with("<stream:stream")) {
    out_ +=
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' from='sip.example' id='bench'>";
  } else if (stanza.starts_with("<handshake")) {
    out_ += "<handshake/>";
    up_ = true;
  } else if (stanza.starts_with("<iq")) {
    if (attribute(stanza, "to") == "sip.example") out_ += stanza;
  } else if (stanza.starts_with("<message")) {
    std::uint32_t n = 0;
    const auto now = now_ns();
    if (attribute(stanza, "type") == "error") {
      if (number_after(attribute(stanza, "id"), "n", to_sip_.size(), n)) to_sip_.refused(n, now);
    } else if (number_after(stanza, "<body>#", to_xmpp_.size(), n)) {
      // On one stream nothing is retransmitted: each arrival is another way.
      to_xmpp_.delivered(n, now, now);
    }
  }
}

void xmpp_side::send_message(std::uint32_t n) {
  const std::string pair = std::to_string(n % pairs_), number = std::to_string(n);
  out_ += "<message from='x" + pair + "@xmpp.example/desk' to='s" + pair + "@sip.example' type='chat' id='n" +
          number + "'><body>#" + number + " " + padding_ + "</body></message>";
}

void xmpp_side::flush() {
  while (written_ < out_.size()) {
    const auto put = ::send(link_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) die("the component link was closed");
    written_ += static_cast<std::size_t>(put);
  }
  out_.clear();
  written_ = 0;
}

}  // namespace bench
