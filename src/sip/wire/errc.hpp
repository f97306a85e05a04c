#pragma once

#include "base/error.hpp"

namespace stox::sip {

/// Why a SIP message or one of its parts was not understood.
enum class errc {
  bad_start_line = 1,  ///< the first line is neither a request nor a status line
  bad_version,         ///< not SIP/2.0
  bad_method,          ///< the method is not a token, or CSeq's differs from the request line's
  bad_uri,             ///< not a URI, or not one that its place allows
  bad_header,          ///< a header line without name, colon or legal value
  missing_header,      ///< a header that RFC 3261 §8.1.1 requires is absent
  repeated_header,     ///< a header that may stand only once stands twice
  bad_length,          ///< Content-Length is no number, negative, or more than the datagram holds
  too_large,           ///< above the limits for header block, header count or body
  incomplete,          ///< the bytes end before the header block does
};
const char* errc_name(errc e);
STOX_ERROR_CATEGORY(errc, "sip.wire")

}  // namespace stox::sip

template <>
struct std::is_error_code_enum<stox::sip::errc> : std::true_type {};
