#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/io.hpp"

namespace stox::engine {

/// Replaces what people say to each other, and secrets, by as many "x": the body and the Subject of SIP
/// messages, every text between tags in XML (bodies, subjects, handshakes). Lengths stay, so that redacted
/// traffic still parses and replays. Each stream and direction has its state, since a read may end anywhere.
class redactor {
 public:
  enum class direction : std::uint8_t { in, out };

  /// `stream`: false for a datagram, which is a whole SIP message.
  std::string operator()(conn_id conn, direction d, bool stream, std::string_view bytes);
  void forget(conn_id conn);

 private:
  struct xml_state {
    bool in_tag = false;
    bool in_cdata = false;
    char quote = 0;
    std::string opening;  ///< the first bytes of the tag, to tell "<![CDATA["; in CDATA its last bytes
  };
  struct sip_state {
    bool in_body = false;
    bool datagram = false;
    std::uint64_t body_left = 0;
    std::uint64_t content_length = 0;
    bool has_length = false;
    std::string name;     ///< of the header line being read, lower case, bounded
    bool in_name = true;  ///< before the colon
    bool line_empty = true;
    bool first_line = true;
    bool folded = false;  ///< the line goes on with the header before
  };
  static void redact(xml_state& s, std::string& bytes);
  static void redact(sip_state& s, std::string& bytes);
  static void header_char(sip_state& s, char& c);
  static void line_end(sip_state& s);

  std::map<std::pair<conn_id, direction>, xml_state> xml_;
  std::map<std::pair<conn_id, direction>, sip_state> sip_;
};

}  // namespace stox::engine
