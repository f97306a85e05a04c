#pragma once

#include <string>

#include "support/parsegrind.hpp"
#include "xml/reader.hpp"

namespace stox::test {

/// What a reader made of a stream: one canonical text to compare, and a summary.
struct transcript {
  std::string text;
  int stanzas = 0;
  /// "open", "closed" or an error's name, or "closed" and an error's name; before it the error of each stanza
  /// that was refused without an end of the stream.
  std::string outcome;
  friend bool operator==(const transcript&, const transcript&) = default;
};

inline void PrintTo(const transcript& t, std::ostream* out) { *out << t.outcome << "\n" << t.text; }

inline transcript read_stream(const pieces& input, xml::read_limits limits = {}) {
  transcript out;
  xml::reader reader(limits);
  bool closed = false;
  std::string refused;
  const auto drain = [&] {
    while (auto event = reader.poll()) {
      EXPECT_FALSE(closed) << "an event after the close";
      if (const auto* const opened = std::get_if<xml::stream_opened>(&*event)) {
        out.text += "opened " + xml::canonical(opened->root);
      } else if (const auto* const s = std::get_if<xml::stanza>(&*event)) {
        out.text += "stanza " + xml::canonical(s->value);
        ++out.stanzas;
      } else if (const auto* const r = std::get_if<xml::refused_stanza>(&*event)) {
        out.text += "refused " + r->why.code.message() + " " + xml::canonical(r->head);
        refused += r->why.code.message() + " ";
      } else {
        closed = true;
      }
    }
  };
  std::string failure;
  for (const auto piece : input) {
    const auto fed = reader.feed(piece);
    if (!fed) failure = fed.error().code.message();
    drain();
    if (!failure.empty()) break;
  }
  if (!failure.empty()) {
    const auto again = reader.feed("<a/>");
    EXPECT_TRUE(!again && again.error().code.message() == failure) << "the error does not last";
    drain();
  }
  out.outcome = refused + (closed            ? (failure.empty() ? "closed" : "closed " + failure)
                           : failure.empty() ? "open"
                                             : failure);
  return out;
}

}  // namespace stox::test
