#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "payload/errc.hpp"

namespace stox::payload {

/// What compressed bytes may become: no more than `bytes`, nor more than `ratio` times what came, but that
/// `always` is allowed: short texts that repeat themselves are honest.
struct inflate_limits {
  std::size_t bytes = std::size_t{64} * 1024;
  std::size_t ratio = 64;
  std::size_t always = std::size_t{4} * 1024;
};

/// deflate, gzip, x-gzip and identity, any case.
bool is_known_coding(std::string_view coding);

/// Undoes one Content-Encoding (RFC 3261 §20.12, with the codings of RFC 7230 §4.2). "deflate" is zlib's form
/// (RFC 1950); the bare one (RFC 1951), which some write under that name, is taken too. Errors: malformed,
/// also for a coding that is not known and for bytes behind the end; too_large.
result<std::string> decode_content(std::string_view body, std::string_view coding,
                                   const inflate_limits& l = {});

}  // namespace stox::payload
