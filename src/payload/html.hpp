#pragma once

#include <string>
#include <string_view>

/// HTML is read by its own small reader, never as XML: it is seldom well-formed.
namespace stox::payload {

/// HTML as plain text, whatever it is made of: no tag ever shows. Paragraphs, lines, list items and quotes
/// become lines; a link is its text and, where that differs, its address in angle brackets, if that is http,
/// https, mailto, sip, sips, tel, xmpp or im; an image is its alternative text; scripts, styles and comments
/// are left out. References are decoded. Takes time and memory in proportion to `html`, which is UTF-8.
std::string html_to_text(std::string_view html);

}  // namespace stox::payload
