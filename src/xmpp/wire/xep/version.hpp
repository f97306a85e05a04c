#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "xml/element.hpp"

/// XEP-0092, software version. The operating system is never told: it helps nobody but an attacker.
namespace stox::xmpp::version {

inline constexpr std::string_view ns = "jabber:iq:version";

inline bool is_query(const xml::element& payload) { return payload.is("query", ns); }

inline xml::element write(std::string name, std::string number) {
  xml::element out("query", std::string(ns));
  out.add({"name", std::string(ns)}).add_text(std::move(name));
  out.add({"version", std::string(ns)}).add_text(std::move(number));
  return out;
}

}  // namespace stox::xmpp::version
