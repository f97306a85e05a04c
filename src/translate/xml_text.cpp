#include "translate/xml_text.hpp"

namespace stox::translate {

std::string with_xml_chars(std::string_view text) {
  constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
  std::string out;
  out.reserve(text.size() + 16);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      out += replacement;
    } else if (text.substr(i, 2) == "\xEF\xBF" && static_cast<unsigned char>(text[i + 2]) >= 0xbe) {
      out += replacement;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace stox::translate
