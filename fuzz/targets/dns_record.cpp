// The data of DNS records, as strangers write it: whatever it is, a record comes out whose names can be asked
// for and shown, or an error.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "base/text.hpp"
#include "dns/record.hpp"

using namespace stox;

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

void check_name(std::string_view name) {
  demand(name.size() <= 253);
  demand(std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '-' || c == '_' || c == '.';
  }));
  demand(name.find("..") == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto type :
       {io::record_type::a, io::record_type::aaaa, io::record_type::srv, io::record_type::naptr}) {
    const auto record = dns::parse_record(type, bytes);
    if (!record) continue;
    if (const auto* s = std::get_if<dns::srv_record>(&*record)) check_name(s->target);
    if (const auto* n = std::get_if<dns::naptr_record>(&*record)) {
      check_name(n->replacement);
      demand(n->regexp.size() <= 255 && n->flags.size() <= 255 && n->service.size() <= 255);
    }
  }
  return 0;
}
