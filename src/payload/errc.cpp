#include "payload/errc.hpp"

namespace stox::payload {

const char* errc_name(errc e) {
  switch (e) {
    case errc::malformed: return "malformed";
    case errc::too_large: return "too_large";
    case errc::too_deep: return "too_deep";
    case errc::bad_charset: return "bad_charset";
    case errc::no_text: return "no_text";
  }
  return "?";
}

}  // namespace stox::payload
