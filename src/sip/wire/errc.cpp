#include "sip/wire/errc.hpp"

namespace stox::sip {

const char* errc_name(errc e) {
  switch (e) {
    case errc::bad_start_line: return "bad_start_line";
    case errc::bad_version: return "bad_version";
    case errc::bad_method: return "bad_method";
    case errc::bad_uri: return "bad_uri";
    case errc::bad_header: return "bad_header";
    case errc::missing_header: return "missing_header";
    case errc::repeated_header: return "repeated_header";
    case errc::bad_length: return "bad_length";
    case errc::too_large: return "too_large";
    case errc::incomplete: return "incomplete";
  }
  return "unknown";
}

}  // namespace stox::sip
