#include "net/errc.hpp"

namespace stox::net {

const char* errc_name(errc e) {
  switch (e) {
    case errc::cannot_bind: return "cannot_bind";
    case errc::tls: return "tls";
    case errc::dns: return "dns";
  }
  return "?";
}

}  // namespace stox::net
