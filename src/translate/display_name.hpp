#pragma once

#include <string>
#include <string_view>

namespace stox::translate {

/// A name that somebody gives himself, made safe to stand beside his address: one line of at most 64 bytes,
/// without characters that turn or hide what stands around them or are not shown. Empty: it looks like an
/// address or a telephone number, with which he would pose as somebody else, or no letter and no picture is
/// in it.
std::string safe_display_name(std::string_view name);

}  // namespace stox::translate
