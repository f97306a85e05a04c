#pragma once

#include <string>
#include <string_view>

#include "xml/element.hpp"

namespace stox::translate {

/// Puts U+FFFD where valid UTF-8 holds what XML 1.0 §2.2 does not allow: C0 controls, U+FFFE and U+FFFF.
std::string with_xml_chars(std::string_view text);

}  // namespace stox::translate
