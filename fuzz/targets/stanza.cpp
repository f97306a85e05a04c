#include "xmpp/wire/stanza.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"
#include "xmpp/wire/xep/disco.hpp"
#include "xmpp/wire/xep/shim.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

stox::xml::element reread(const std::string& text) {
  stox::xml::read_limits wide;
  wide.max_stanza_bytes = 64 * 1024 * 1024;
  wide.max_depth = 64;
  wide.max_attributes = 100'000;  // prefixes become declarations
  wide.max_children = 1 << 20;
  auto e = stox::xml::parse(text, wide, stox::xmpp::component_ns);
  require(e.has_value());
  return std::move(*e);
}

void check_reply(const std::optional<std::string>& reply) {
  if (!reply) return;
  const auto s = stox::xmpp::parse_stanza(reread(*reply));
  // It echoes a missing id, and addresses that cannot be read.
  using stox::xmpp::stanza_errc;
  require(s.has_value() || s.error().code == make_error_code(stanza_errc::bad_iq) ||
          s.error().code == make_error_code(stanza_errc::bad_address));
  // An answer to an error would start a war.
  if (s) require(!write_error_reply(*s, {}).has_value());
}

}  // namespace

// Whatever was read can be written, and is read again as the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stox::xmpp;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto e = stox::xml::parse(text, {}, component_ns);
  if (!e) return 0;
  parse_error(*e);
  parse_stream_error(*e);
  const stanza_error why{error_type::cancel, condition::gone, "text", "xmpp:a@b"};
  check_reply(write_error_reply(*e, why));
  const auto s = parse_stanza(*e);
  if (!s) return 0;
  check_reply(write_error_reply(*s, why));
  const auto written = std::visit([](const auto& value) { return write(value); }, *s);
  const auto again = parse_stanza(reread(written));
  require(again.has_value());
  require(std::visit([](const auto& value) { return write(value); }, *again) == written);
  if (const auto* i = std::get_if<iq>(&*s); i != nullptr && i->payload) {
    if (const auto info = disco::parse_info(*i->payload))
      require(disco::parse_info(disco::write(*info)) == info);
    if (const auto items = disco::parse_items(*i->payload))
      require(disco::parse_items(disco::write(*items)) == items);
    if (i->type == iq_type::get) reread(write_result(*i, i->payload));
  }
  if (const auto* m = std::get_if<message>(&*s)) {
    for (const auto& p : m->payloads) {
      if (const auto headers = shim::parse(p)) require(shim::parse(shim::write(*headers)) == headers);
    }
  }
  return 0;
}
