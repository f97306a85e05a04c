#include "xmpp_side.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

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

xmpp_side::xmpp_side(tally& to_xmpp, tally& to_sip, unsigned pairs, std::size_t body_bytes, bool federates)
    : to_xmpp_(to_xmpp), to_sip_(to_sip), pairs_(pairs), padding_(body_bytes, 'x'), federates_(federates) {
  listener_ = tcp_listener(port_);
}

xmpp_side::~xmpp_side() { ::close(listener_); }

void xmpp_side::accept_link() {
  const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (link_) die("a second component link: the first was lost");
  link_ = std::make_unique<wire>(fd);
}

void xmpp_side::dial(std::uint16_t port, const identity& own) {
  link_ = wire::dial(port, own, "sip.example");
  if (link_) open_stream();
}

void xmpp_side::open_stream() {
  in_.restart();
  out_ +=
      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
      "xmlns:stream='http://etherx.jabber.org/streams' from='xmpp.example' to='sip.example' version='1.0'>";
}

void xmpp_side::read_ready() {
  std::array<char, 256 * 1024> buffer;
  while (const auto got = link_->read(buffer)) {
    in_.push({buffer.data(), got});
    for (auto stanza = in_.next(); !stanza.empty(); stanza = in_.next()) on_stanza(stanza);
    in_.compact();
  }
  flush();
}

void xmpp_side::on_negotiation(std::string_view element) {
  if (element.starts_with("<stream:stream") && !federates_) {
    out_ +=
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' from='sip.example' id='bench'>";
  } else if (element.starts_with("<handshake")) {
    out_ += "<handshake/>";
    up_ = true;
  } else if (element.starts_with("<stream:features")) {
    // The name in base64: who authenticates says as whom (XEP-0178 §3).
    out_ += proved_ ? "<enable xmlns='urn:xmpp:sm:3'/>"
                    : "<bidi xmlns='urn:xmpp:bidi'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
                      "mechanism='EXTERNAL'>eG1wcC5leGFtcGxl</auth>";
  } else if (element.starts_with("<success")) {
    proved_ = true;
    open_stream();
  } else if (element.starts_with("<enabled")) {
    up_ = true;
  } else if (element.starts_with("<stream:error") || element.starts_with("<fail")) {
    die("stoxd said " + std::string(element));
  }
}

void xmpp_side::on_stanza(std::string_view stanza) {
  if (stanza.starts_with("<r ") || stanza.starts_with("<r/")) {
    out_ += "<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(handled_) + "'/>";
  } else if (stanza.starts_with("<a ")) {
    asked_ = false;
  } else if (stanza.starts_with("<iq")) {
    ++handled_;
    if (!federates_ && attribute(stanza, "to") == "sip.example") out_ += stanza;
  } else if (stanza.starts_with("<message")) {
    ++handled_;
    std::uint32_t n = 0;
    const auto now = now_ns();
    if (attribute(stanza, "type") == "error") {
      if (number_after(attribute(stanza, "id"), "n", to_sip_.size(), n)) to_sip_.refused(n, now);
    } else if (number_after(stanza, "<body>#", to_xmpp_.size(), n)) {
      // On one stream nothing is retransmitted: each arrival is another way.
      to_xmpp_.delivered(n, now, now);
    }
  } else {
    on_negotiation(stanza);
  }
}

void xmpp_side::send_message(std::uint32_t n) {
  const std::string pair = std::to_string(n % pairs_), number = std::to_string(n);
  out_ += "<message from='x" + pair + "@xmpp.example/desk' to='s" + pair + "@sip.example' type='chat' id='n" +
          number + "'><body>#" + number + " " + padding_ + "</body></message>";
  ask_for_count_ = federates_;
}

void xmpp_side::flush() {
  if (ask_for_count_ && !asked_) {
    out_ += "<r xmlns='urn:xmpp:sm:3'/>";
    ask_for_count_ = false;
    asked_ = true;
  }
  while (written_ < out_.size()) {
    const auto put = link_->write(std::string_view(out_).substr(written_));
    if (put == 0) return;
    written_ += put;
  }
  out_.clear();
  written_ = 0;
}

}  // namespace bench
