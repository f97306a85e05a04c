#include "store/errc.hpp"

namespace stox::store {

const char* errc_name(errc e) {
  switch (e) {
    case errc::cannot_open: return "cannot_open";
    case errc::unusable: return "unusable";
    case errc::broken: return "broken";
    case errc::in_use: return "in_use";
    case errc::not_a_store: return "not_a_store";
    case errc::newer_schema: return "newer_schema";
    case errc::migration_failed: return "migration_failed";
  }
  return "?";
}

}  // namespace stox::store
