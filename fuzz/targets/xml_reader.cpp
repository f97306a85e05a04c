// The XML reader and writer on hostile streams. Input: a count, that many bytes that say where to split, then
// the stream.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "xml/reader.hpp"

namespace {

using namespace stox;

// Small enough for a short input to reach them.
constexpr xml::read_limits limits{
    .max_stanza_bytes = 4096, .max_depth = 12, .max_attributes = 24, .max_children = 128};
// What we write may take more room than what was read: prefixes become declarations.
constexpr xml::read_limits wide{
    .max_stanza_bytes = 1 << 24, .max_depth = 16, .max_attributes = 100'000, .max_children = 1 << 20};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_round_trip(const xml::element& e) {
  for (const std::string_view default_ns : {"", "jabber:component:accept"}) {
    const auto text = xml::write(e, default_ns);
    require(text::is_utf8(text));
    const auto back = xml::parse(text, wide, default_ns);
    require(back && *back == e);
  }
  require(!xml::canonical(e).empty());
}

struct outcome {
  std::string events;
  bool failed = false;
};

// Feeds `stream` in pieces of the lengths that `cuts` holds, over and over; whole if it holds none.
outcome read(std::string_view stream, std::string_view cuts) {
  outcome out;
  xml::reader reader(limits);
  std::size_t cut = 0;
  while (!stream.empty() && !out.failed) {
    std::size_t n = stream.size();
    if (!cuts.empty()) n = static_cast<unsigned char>(cuts[cut++ % cuts.size()]) % 64U + 1U;
    out.failed = reader.feed(stream.substr(0, n)).has_error();
    stream.remove_prefix(std::min(n, stream.size()));
    while (const auto event = reader.poll()) {
      if (const auto* const opened = std::get_if<xml::stream_opened>(&*event)) {
        out.events += "opened " + xml::canonical(opened->root);
      } else if (const auto* const s = std::get_if<xml::stanza>(&*event)) {
        out.events += xml::write(s->value, "");
        check_round_trip(s->value);
      } else if (const auto* const r = std::get_if<xml::refused_stanza>(&*event)) {
        out.events += "refused " + r->why.to_string() + xml::write(r->head, "");
        check_round_trip(r->head);
      } else {
        out.events += "closed";
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::size_t count =
      std::min<std::size_t>(static_cast<unsigned char>(input.front()) % 8U, input.size() - 1);
  const auto cuts = input.substr(1, count);
  const auto stream = input.substr(1 + count);
  const auto split = read(stream, cuts);
  const auto whole = read(stream, {});
  require(split.failed == whole.failed);
  require(split.events == whole.events);
  if (const auto e = xml::parse(stream, limits)) check_round_trip(*e);
  return 0;
}
