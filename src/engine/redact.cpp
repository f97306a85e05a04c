#include "engine/redact.hpp"

#include "base/text.hpp"

namespace stox::engine {

std::string redactor::operator()(conn_id conn, direction d, bool stream, std::string_view bytes) {
  std::string out(bytes);
  if (use_of(conn) == conn_use::component) {
    redact(xml_[{conn, d}], out);
  } else if (stream) {
    redact(sip_[{conn, d}], out);
  } else {
    sip_state whole;
    whole.datagram = true;
    redact(whole, out);
  }
  return out;
}

void redactor::forget(conn_id conn) {
  for (const auto d : {direction::in, direction::out}) {
    xml_.erase({conn, d});
    sip_.erase({conn, d});
  }
}

void redactor::redact(xml_state& s, std::string& bytes) {
  static constexpr std::string_view cdata = "![CDATA[";
  for (char& c : bytes) {
    if (s.in_cdata) {
      // Only the end of the section itself is left standing.
      s.opening = (s.opening + c).substr(s.opening.size() >= 3 ? 1 : 0);
      if (s.opening == "]]>") {
        s = {};
      } else if (c != ']') {
        c = 'x';
      }
    } else if (!s.in_tag) {
      if (c == '<') {
        s.in_tag = true;
      } else if (c != '\r' && c != '\n') {
        c = 'x';
      }
    } else if (s.quote != 0) {
      if (c == s.quote) s.quote = 0;
    } else {
      if (s.opening.size() < cdata.size()) s.opening += c;
      if (s.opening == cdata) {
        s = {};
        s.in_cdata = true;
      } else if (c == '"' || c == '\'') {
        s.quote = c;
      } else if (c == '>') {
        s = {};
      }
    }
  }
}

void redactor::header_char(sip_state& s, char& c) {
  if (s.line_empty && !s.first_line && (c == ' ' || c == '\t')) {
    s.folded = true;
    s.in_name = false;
  } else if (s.line_empty) {
    s.folded = false;
    s.name.clear();
    s.in_name = true;
  }
  s.line_empty = false;
  if (s.first_line) return;
  if (s.in_name) {
    if (c == ':') {
      s.in_name = false;
      if (s.name == "content-length" || s.name == "l") {
        s.content_length = 0;
        s.has_length = true;
      }
    } else if (c != ' ' && c != '\t' && s.name.size() < 32) {
      s.name += text::lower(c);
    }
    return;
  }
  // A digest lets a weak password be found offline.
  if (s.name == "subject" || s.name == "s" || s.name == "authorization" || s.name == "proxy-authorization") {
    if (c != ' ' && c != '\t') c = 'x';
  } else if ((s.name == "content-length" || s.name == "l") && text::is_digit(c) &&
             s.content_length < (1U << 30)) {
    s.content_length = s.content_length * 10 + static_cast<unsigned>(c - '0');
  }
}

void redactor::line_end(sip_state& s) {
  if (s.line_empty && !s.first_line) {
    // Without a length nobody knows where the body ends: all that follows is one.
    const bool endless = s.datagram || !s.has_length;
    s.in_body = endless || s.content_length > 0;
    s.body_left = endless ? UINT64_MAX : s.content_length;
    const bool datagram = s.datagram;
    if (!s.in_body) s = {};
    s.datagram = datagram;
    return;
  }
  // CRLFs between messages of a stream are keep-alives, not header blocks.
  if (!s.line_empty) s.first_line = false;
  s.line_empty = true;
}

void redactor::redact(sip_state& s, std::string& bytes) {
  for (char& c : bytes) {
    if (s.in_body) {
      c = 'x';
      if (--s.body_left == 0) s = {};
    } else if (c == '\n') {
      line_end(s);
    } else if (c != '\r') {
      header_char(s, c);
    }
  }
}

}  // namespace stox::engine
