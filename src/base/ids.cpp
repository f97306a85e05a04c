#include "base/ids.hpp"

namespace stox {

std::string counting_ids::next(id_kind kind) {
  auto n = std::to_string(++counts_[static_cast<std::size_t>(kind)]);
  switch (kind) {
    case id_kind::branch: return "z9hG4bK-" + n;
    case id_kind::tag: return "t-" + n;
    case id_kind::call_id: return "c-" + n;
    case id_kind::stanza: return "x-" + n;
  }
  return n;
}

}  // namespace stox
