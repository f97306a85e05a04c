#include "xmpp/wire/jid.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "xml/element.hpp"

// What an address says about itself must hold for any text: preparing is a fixed point, parts are bounded and
// writable, escapes are undone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stox::xmpp;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (is_plain_domain(text)) {
    // In upper case it goes the long way, to the same name.
    std::string upper(text);
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    require(domain_to_ascii(upper).value() == text && domain_to_unicode(upper).value() == text);
  }
  if (const auto j = jid::parse(text)) {
    const auto again = jid::parse(j->to_string());
    require(again.has_value() && *again == *j);
    require(!j->domain.empty() && j->domain.size() <= 1023 && j->local.size() <= 1023 &&
            j->resource.size() <= 1023);
    require(stox::xml::is_xml_text(j->to_string()));
    require(j->local.find_first_of("\"&'/:<>@ ") == std::string::npos);
    require(j->domain.find_first_of("@/ ") == std::string::npos);
    const auto ascii = domain_to_ascii(j->domain);
    require(ascii.has_value());
    const auto unicode = domain_to_unicode(*ascii);
    require(unicode.has_value() && *unicode == j->domain);
  }
  if (const auto escaped = escape_local(text)) {
    require(unescape_local(*escaped) == text);
    if (const auto j = jid::make(*escaped, "x.test"); j && !j->local.empty()) {
      const auto back = escape_local(unescape_local(j->local));
      require(back.has_value());
      require(jid::make(*back, "x.test")->local == j->local);
    }
  }
  return 0;
}
