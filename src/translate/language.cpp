#include "translate/language.hpp"

#include "base/text.hpp"

namespace stox::translate {

bool is_language_tag(std::string_view tag) {
  // Longer tags are legal without limit; none in use comes near this one.
  if (tag.empty() || tag.size() > 64) return false;
  bool first = true;
  std::size_t run = 0;
  for (const char c : tag) {
    if (c == '-') {
      if (run == 0) return false;
      run = 0;
      first = false;
    } else {
      if (first ? !text::is_alpha(c) : !text::is_alnum(c)) return false;
      if (++run > 8) return false;
    }
  }
  return run > 0;
}

const xmpp::lang_text* choose(const std::vector<xmpp::lang_text>& texts, std::string_view lang) {
  const xmpp::lang_text* best = nullptr;
  for (const auto& t : texts) {
    if (t.text.empty()) continue;
    if (text::iequals(t.lang, lang)) return &t;  // RFC 5646 §2.1.1
    if (best == nullptr) best = &t;
  }
  return best;
}

}  // namespace stox::translate
