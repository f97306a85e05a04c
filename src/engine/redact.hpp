#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/io.hpp"

namespace stox::engine {

/// Replaces secrets, and unless told otherwise what people say to each other, by as many "x". Secrets are
/// digests in SIP and the hash of the component handshake: from either a weak password is found offline. What
/// people say is the body and the Subject of SIP messages, and every text between tags in XML. Lengths stay,
/// so that redacted traffic still parses and replays. Each stream and direction has its state, since a read
/// may end anywhere.
class redactor {
 public:
  enum class direction : std::uint8_t { in, out };
  enum class scope : std::uint8_t { secrets, all };

  explicit redactor(scope what = scope::all) : all_(what == scope::all) {}

  /// `stream`: false for a datagram, which is a whole SIP message.
  std::string operator()(conn_id conn, direction d, bool stream, std::string_view bytes);
  void forget(conn_id conn);

 private:
  struct xml_state {
    bool in_tag = false;
    bool in_cdata = false;
    bool in_secret = false;  ///< the text of a handshake
    char quote = 0;
    std::string opening;  ///< the first bytes of the tag, to tell what it is; in CDATA its last bytes
  };
  struct sip_state {
    bool in_body = false;
    bool datagram = false;
    std::uint64_t body_left = 0;
    std::uint64_t content_length = 0;
    bool has_length = false;
    std::string name;   ///< of the header line being read, lower case, bounded
    std::string param;  ///< of Authentication-Info: the parameter being read, likewise
    bool in_value = false, in_quotes = false, escaped = false;  ///< of that parameter
    bool in_name = true;                                        ///< before the colon
    bool line_empty = true;
    bool first_line = true;
    bool folded = false;  ///< the line goes on with the header before
  };
  void redact(xml_state& s, std::string& bytes) const;
  void redact(sip_state& s, std::string& bytes) const;
  void header_char(sip_state& s, char& c) const;
  static void info_char(sip_state& s, char& c);
  static void line_end(sip_state& s);

  bool all_;
  std::map<std::pair<conn_id, direction>, xml_state> xml_;
  std::map<std::pair<conn_id, direction>, sip_state> sip_;
};

}  // namespace stox::engine
