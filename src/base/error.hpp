#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "base/redacted.hpp"

namespace stox {

/// Why something failed. `detail` holds our words (safe to log and to send); `peer_text` holds the peer's,
/// which are neither.
struct error {
  std::error_code code;
  std::string detail;
  redacted peer_text;

  error() = default;
  // Implicit so that `return errc::bad_uri;` reads as what it means.
  template <class Enum, class = std::enable_if_t<std::is_error_code_enum_v<Enum>>>
  error(Enum e, std::string why = {}) : code(make_error_code(e)), detail(std::move(why)) {}

  /// "sip.wire/bad_uri: empty host", for logs, explain and golden files.
  std::string to_string() const {
    std::string out = std::string(code.category().name()) + "/" + code.message();
    if (!detail.empty()) out += ": " + detail;
    return out;
  }
};

/// Called only by `result::value()` on an error, which is a defect of ours: the code below `daemon` asks
/// first.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::logic_error("unchecked error: " + e.to_string());
}

template <class T = void>
using result = boost::system::result<T, error>;

}  // namespace stox

/// Declares what makes ENUM an error code: place after its definition, inside namespace NS; NAME is the room
/// ("sip.wire"). `const char* errc_name(ENUM)` must exist and returns the enumerator's own name.
#define STOX_ERROR_CATEGORY(ENUM, NAME)                                                     \
  inline const std::error_category& errc_category(ENUM) {                                   \
    struct category final : std::error_category {                                           \
      const char* name() const noexcept override { return NAME; }                           \
      std::string message(int v) const override { return errc_name(static_cast<ENUM>(v)); } \
    };                                                                                      \
    static const category instance;                                                         \
    return instance;                                                                        \
  }                                                                                         \
  inline std::error_code make_error_code(ENUM e) { return {static_cast<int>(e), errc_category(e)}; }
