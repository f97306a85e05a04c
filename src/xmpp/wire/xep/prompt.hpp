#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "xml/element.hpp"

/// XEP-0100 §6.3, jabber:iq:gateway: a client asks what to ask its user for, and for the JID of what he
/// typed.
namespace stox::xmpp::prompt {

inline constexpr std::string_view ns = "jabber:iq:gateway";

inline bool is_query(const xml::element& payload) { return payload.is("query", ns); }

/// What the user typed; nullopt without a <prompt/>.
inline std::optional<std::string> typed_in(const xml::element& query) {
  const auto* e = query.child("prompt", ns);
  return e == nullptr ? std::nullopt : std::optional(e->text());
}

/// The answer to a get: the question in full, and the name of what is asked for.
inline xml::element write_question(std::string question, std::string name) {
  xml::element out("query", std::string(ns));
  out.add({"desc", std::string(ns)}).add_text(std::move(question));
  out.add({"prompt", std::string(ns)}).add_text(std::move(name));
  return out;
}

/// The answer to a set.
inline xml::element write_jid(std::string jid) {
  xml::element out("query", std::string(ns));
  out.add({"jid", std::string(ns)}).add_text(std::move(jid));
  return out;
}

}  // namespace stox::xmpp::prompt
