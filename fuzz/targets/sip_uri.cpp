// Any bytes as a URI: what parses is written as an equal URI and is equivalent to itself.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/wire/uri.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find('\n');
  const auto first = stox::sip::parse_uri(text.substr(0, cut));
  if (!first) return 0;
  const auto again = stox::sip::parse_uri(stox::sip::write(*first));
  if (!again || *again != *first || !stox::sip::equivalent(*first, *again)) std::abort();
  if (cut == std::string_view::npos) return 0;
  const auto second = stox::sip::parse_uri(text.substr(cut + 1));
  if (second && stox::sip::equivalent(*first, *second) != stox::sip::equivalent(*second, *first))
    std::abort();
  return 0;
}
