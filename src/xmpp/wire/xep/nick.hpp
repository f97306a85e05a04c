#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "xml/element.hpp"

/// XEP-0172, user nickname: what somebody calls himself, which proves nothing.
namespace stox::xmpp::nick {

inline constexpr std::string_view ns = "http://jabber.org/protocol/nick";

inline xml::element write(std::string name) {
  xml::element out("nick", std::string(ns));
  out.add_text(std::move(name));
  return out;
}
inline bool is_nick(const xml::element& e) { return e.is("nick", ns); }

}  // namespace stox::xmpp::nick
