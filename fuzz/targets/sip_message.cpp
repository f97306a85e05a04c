// Any bytes as a datagram and as a stream: no crash, and what is understood is written so that it is
// understood the same way.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sip/wire/auth.hpp"
#include "sip/wire/event.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"
#include "sip/wire/session.hpp"

namespace {

using namespace stox::sip;

void demand(bool holds) {
  if (!holds) std::abort();
}

std::string text_of(const auto& value) {
  std::string out;
  write_to(out, value);
  return out;
}

/// A value that parses is written as one that parses to an equal value.
template <class Parse, class Write>
void round_trip(std::string_view text, Parse parse, Write write_value) {
  const auto value = parse(text);
  if (!value) return;
  const auto again = parse(write_value(*value));
  demand(again.has_value());
  demand(*again == *value);
}

void accessors(header id, std::string_view text) {
  const auto by_write = [](const auto& value) { return write(value); };
  const auto by_write_to = [](const auto& value) { return text_of(value); };
  round_trip(text, parse_via, by_write_to);
  round_trip(text, parse_name_addr, by_write_to);
  round_trip(text, parse_media_type, by_write_to);
  switch (static_cast<unsigned>(id) % 8) {
    case 0:
      round_trip(text, parse_cseq, by_write);
      round_trip(text, parse_warning, by_write);
      round_trip(text, parse_disposition, by_write_to);
      break;
    case 1:
      round_trip(text, parse_retry_after, by_write);
      round_trip(text, parse_date, [](std::int64_t seconds) { return write_date(seconds); });
      round_trip(text, parse_auth, by_write);
      break;
    case 2:
      round_trip(text, parse_digest_challenge, by_write);
      round_trip(text, parse_digest_credentials, by_write);
      round_trip(text, parse_authentication_info, by_write);
      break;
    case 3:
      round_trip(text, parse_event, by_write);
      round_trip(text, parse_subscription_state, by_write);
      round_trip(text, parse_referred_by, by_write);
      break;
    case 4:
      round_trip(text, parse_replaces, by_write);
      round_trip(text, parse_target_dialog, by_write);
      round_trip(text, parse_session_expires, by_write);
      break;
    case 5:
      round_trip(text, parse_rack, by_write);
      round_trip(text, parse_timestamp, by_write);
      round_trip(text, parse_reason, by_write);
      break;
    case 6:
      round_trip(text, parse_privacy, by_write);
      round_trip(text, parse_identity, by_write);
      round_trip(text, parse_info, by_write);
      break;
    case 7:
      round_trip(text, parse_accept_range, by_write);
      round_trip(text, parse_weighted_token, by_write);
      round_trip(text, parse_mime_version, by_write);
      break;
  }
  demand(unquote(quote(text)) == text || text.find_first_of("\r\n") != std::string_view::npos);
  demand(clean_text(text, 100).size() <= 100);
}

/// The fields by name, without Content-Length: the writer's order keeps those of one name in theirs.
std::vector<header_field> logical(const header_list& headers) {
  std::vector<header_field> out;
  for (int i = 0; i <= static_cast<int>(header::other); ++i) {
    for (const auto f : headers) {
      if (f.id == static_cast<header>(i) && f.id != header::content_length) out.push_back(f);
    }
  }
  return out;
}

template <class Message>
void check(const Message& m) {
  const auto text = write(m);
  const auto framed = frame_stream(text + "tail", {64 * 1024, 300, 64 * 1024});
  demand(framed.has_value() && *framed == text.size());
  const auto again = parse_message(text, framing::stream, {64 * 1024, 300, 64 * 1024});
  demand(again.has_value());
  const auto& other = std::get<Message>(*again);
  demand(logical(m.headers) == logical(other.headers));
  demand(m.body == other.body);
  const auto essentials_of = check_mandatory(m);
  demand(essentials_of.has_value() == check_mandatory(other).has_value());
  for (const auto f : m.headers) {
    demand(m.headers.find(f.id).has_value());
    for (const auto element : m.headers.elements(f.id)) {
      accessors(f.id, element);
      if (m.headers.size() > 20) break;
    }
  }
}

void start_lines_agree(const request& a, const request& b) {
  demand(a.method == b.method && a.method_name == b.method_name && a.uri == b.uri);
}
void start_lines_agree(const response& a, const response& b) {
  demand(a.status == b.status && a.reason == b.reason);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_message(text, framing::datagram, {});
  if (parsed) {
    std::visit(
        [](const auto& m) {
          check(m);
          const auto again = parse_message(write(m), framing::datagram, {64 * 1024, 300, 64 * 1024});
          start_lines_agree(m, std::get<std::decay_t<decltype(m)>>(*again));
        },
        *parsed);
  } else {
    (void)check_mandatory(parsed.error().partial);
  }
  const auto framed = frame_stream(text, {});
  if (framed && *framed > 0) {
    demand(*framed <= size);
    // Framing and parsing see the same end.
    const auto whole = parse_message(text.substr(0, *framed), framing::stream, {});
    if (whole) std::visit([&](const auto& m) { demand(text.substr(0, *framed).ends_with(m.body)); }, *whole);
  }
  return 0;
}
