#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

/// HTML is read by its own small reader, never as XML: it is seldom well-formed.
namespace stox::payload {

/// HTML as plain text, whatever it is made of: no tag ever shows. Paragraphs, lines, list items and quotes
/// become lines; a link is its text and, where that differs, its address in angle brackets, if that is http,
/// https, mailto, sip, sips, tel, xmpp or im; an image is its alternative text; scripts, styles and comments
/// are left out. References are decoded. Takes time and memory in proportion to `html`, which is UTF-8.
std::string html_to_text(std::string_view html);

/// HTML as the payload of XEP-0071: <html/> with one <body/>, in which stands nothing but the elements and
/// attributes of its §7.8, so nothing that runs. Links lead only where html_to_text would show it; an image
/// is its alternative text, for fetching it would tell its server who reads (§11.3). nullopt: there is no
/// text, or more markup than a message should have; html_to_text carries the meaning in any case (§4).
std::optional<xml::element> html_to_xhtml_im(std::string_view html);

}  // namespace stox::payload
