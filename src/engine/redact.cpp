#include "engine/redact.hpp"

#include <algorithm>
#include <iterator>

#include "base/text.hpp"

namespace stox::engine {

std::string redactor::operator()(conn_id conn, direction d, bool stream, std::string_view bytes) {
  std::string out(bytes);
  if (use_of(conn) != conn_use::sip) {
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

void redactor::redact(xml_state& s, std::string& bytes) const {
  static constexpr std::string_view cdata = "![CDATA[";
  // XEP-0114 §3; XEP-0220: keys of dialback are as good as a password while their stream lives.
  static constexpr std::string_view handshake = "handshake";
  static constexpr std::string_view keys[] = {"db:result", "db:verify"};
  for (char& c : bytes) {
    if (s.in_cdata) {
      // Only the end of the section itself is left standing.
      s.opening = (s.opening + c).substr(s.opening.size() >= 3 ? 1 : 0);
      if (s.opening == "]]>") {
        s = {};
      } else if (c != ']' && all_) {
        c = 'x';
      }
    } else if (!s.in_tag) {
      if (c == '<') {
        s = {};
        s.in_tag = true;
      } else if (c != '\r' && c != '\n' && (all_ || s.in_secret)) {
        c = 'x';
      }
    } else if (s.quote != 0) {
      if (c == s.quote) s.quote = 0;
    } else {
      if (s.opening.size() <= handshake.size()) s.opening += c;
      if (s.opening == cdata) {
        s = {};
        s.in_cdata = true;
      } else if (c == '"' || c == '\'') {
        s.quote = c;
      } else if (c == '>') {
        const auto is = [&s](std::string_view name) {
          return s.opening.starts_with(name) && s.opening.size() > name.size() &&
                 (s.opening[name.size()] == '>' || s.opening[name.size()] == ' ');
        };
        const bool secret = is(handshake) || std::any_of(std::begin(keys), std::end(keys), is);
        s = {};
        s.in_secret = secret;
      }
    }
  }
}

void redactor::header_char(sip_state& s, char& c) const {
  if (s.line_empty && !s.first_line && (c == ' ' || c == '\t')) {
    s.folded = true;
    s.in_name = false;
  } else if (s.line_empty) {
    s.folded = false;
    s.name.clear();
    s.param.clear();
    s.in_value = s.in_quotes = s.escaped = false;
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
  const bool subject = s.name == "subject" || s.name == "s";
  if ((subject && all_) || s.name == "authorization" || s.name == "proxy-authorization") {
    if (c != ' ' && c != '\t') c = 'x';
  } else if (s.name == "authentication-info" || s.name == "proxy-authentication-info") {
    info_char(s, c);
  } else if ((s.name == "content-length" || s.name == "l") && text::is_digit(c) &&
             s.content_length < (1U << 30)) {
    s.content_length = s.content_length * 10 + static_cast<unsigned>(c - '0');
  }
}

/// RFC 7616 §3.5. The nonce for the next request stays: without it what follows does not replay.
void redactor::info_char(sip_state& s, char& c) {
  if (c == ',' && !s.in_quotes) {
    s.param.clear();
    s.in_value = false;
  } else if (!s.in_value) {
    if (c == '=') {
      s.in_value = true;
    } else if (c != ' ' && c != '\t' && s.param.size() < 32) {
      s.param += text::lower(c);
    }
  } else {
    const bool quote = c == '"' && !s.escaped;
    s.escaped = s.in_quotes && c == '\\' && !s.escaped;
    if (quote) {
      s.in_quotes = !s.in_quotes;
    } else if ((s.param == "rspauth" || s.param == "cnonce" || s.param == "response") && c != ' ' &&
               c != '\t') {
      c = 'x';
    }
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

void redactor::redact(sip_state& s, std::string& bytes) const {
  for (char& c : bytes) {
    if (s.in_body) {
      if (all_) c = 'x';
      if (--s.body_left == 0) s = {};
    } else if (c == '\n') {
      line_end(s);
    } else if (c != '\r') {
      header_char(s, c);
    }
  }
}

}  // namespace stox::engine
