#include "sip/wire/message.hpp"

#include <gtest/gtest.h>

#include "sip/wire/headers.hpp"

namespace stox::sip {
namespace {

const std::string simple =
    "MESSAGE sip:tove@board.example SIP/2.0\r\n"
    "v: SIP/2.0/UDP pc.club.example;branch=z9hG4bK1\r\n"
    "f: \"Odd\" <sip:odd@club.example>;tag=1\r\n"
    "t: sip:tove@board.example\r\n"
    "i: c-1@club.example\r\n"
    "CSeq: 1 MESSAGE\r\n"
    "X-Thing: kept, as; it=is\r\n"
    "c: text/plain\r\n"
    "l: 5\r\n"
    "\r\n"
    "check";

request parsed(std::string_view text) {
  const auto m = parse_message(text, framing::datagram, {});
  EXPECT_TRUE(m) << (m ? "" : m.error().why.to_string());
  if (!m || !std::holds_alternative<request>(*m)) return {};
  return std::get<request>(*m);
}

/// Why the text is refused: "bad_header", or "" when it is not.
std::string refusal(std::string_view text, framing how = framing::datagram, const parse_limits& limits = {}) {
  const auto m = parse_message(text, how, limits);
  return m ? "" : m.error().why.code.message();
}

/// `simple` with one piece of text in place of another.
std::string with(std::string_view from, std::string_view to) {
  auto out = simple;
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST(message, parses_a_request) {
  const auto r = parsed(simple);
  EXPECT_EQ(r.method, method::message);
  EXPECT_EQ(r.method_name, "MESSAGE");
  EXPECT_EQ(r.uri, "sip:tove@board.example");
  EXPECT_EQ(r.body, "check");
  ASSERT_EQ(r.headers.size(), 8U);
  EXPECT_EQ(*r.headers.find(header::from), "\"Odd\" <sip:odd@club.example>;tag=1");
  EXPECT_EQ(*r.headers.find_other("x-thing"), "kept, as; it=is");
  EXPECT_FALSE(r.headers.find(header::contact));
  EXPECT_FALSE(r.headers.find_other("X-Other"));
}

TEST(message, parses_a_response) {
  const auto m =
      parse_message("SIP/2.0 486 Besetzt \xC3\xBC\r\nCSeq: 1 MESSAGE\r\n\r\n", framing::datagram, {});
  ASSERT_TRUE(m);
  const auto& r = std::get<response>(*m);
  EXPECT_EQ(r.status, 486);
  EXPECT_EQ(r.reason, "Besetzt \xC3\xBC");
  EXPECT_EQ(std::get<response>(*parse_message("sip/2.0 200 \r\n\r\n", framing::datagram, {})).reason, "");
  EXPECT_EQ(std::get<response>(*parse_message("SIP/2.0 200\r\n\r\n", framing::datagram, {})).status, 200);
}

TEST(message, ignores_empty_lines_before_the_start_line) {
  EXPECT_EQ(parsed("\r\n\r\n" + simple), parsed(simple));
}

TEST(message, refuses_malformed_start_lines) {
  EXPECT_EQ(refusal("hello\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("ME(SSAGE sip:a@b SIP/2.0\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("MESSAGE SIP/2.0\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("MESSAGE  SIP/2.0\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("MESSAGE sip:a@b SIP/2.0 \r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("MESSAGE  sip:a@b SIP/2.0\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("MESSAGE\tsip:a@b SIP/2.0\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("MESSAGE sip:a@b SIP/3.0\r\n\r\n"), "bad_version");
  EXPECT_EQ(refusal("SIP/3.0 200 OK\r\n\r\n"), "bad_version");
  EXPECT_EQ(refusal("SIP/2.0 099 x\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("SIP/2.0 700 x\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("SIP/2.0 20 x\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("SIP/2.0 2000 x\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("SIP/2.0 -20 x\r\n\r\n"), "bad_start_line");
  EXPECT_EQ(refusal("SIP/2.0\r\n\r\n"), "bad_start_line");
}

TEST(message, unfolds_and_trims) {
  const auto r = parsed(with("X-Thing: kept, as; it=is", "Subject \t:  one\r\n  \t two \r\n\tthree\t "));
  EXPECT_EQ(*r.headers.find(header::subject), "one two three");
  EXPECT_EQ(
      *parsed(with("X-Thing: kept, as; it=is", "Subject:\r\n  \r\n late")).headers.find(header::subject),
      "late");
  EXPECT_EQ(*parsed(with("X-Thing: kept, as; it=is", "Subject:")).headers.find(header::subject), "");
}

TEST(message, only_crlf_ends_a_line) {
  EXPECT_EQ(refusal(with("X-Thing: kept", "X-Thing: a\nEvil: b")), "bad_header");
  EXPECT_EQ(refusal(with("X-Thing: kept", "X-Thing: a\rEvil: b")), "bad_header");
  EXPECT_EQ(refusal(with("board.example SIP/2.0\r\nv", "board.example SIP/2.0\nv")), "bad_start_line");
  std::string bare = simple;
  std::erase(bare, '\r');
  EXPECT_EQ(refusal(bare), "incomplete");
}

TEST(message, refuses_malformed_header_lines) {
  EXPECT_EQ(refusal(with("X-Thing: kept", "X-Thing kept")), "bad_header");
  EXPECT_EQ(refusal(with("X-Thing: kept", ": kept")), "bad_header");
  EXPECT_EQ(refusal(with("X-Thing: kept", "X Thing: kept")), "bad_header");
  EXPECT_EQ(refusal(with("X-Thing: kept", "X-Th\xC3\xAFng: kept")), "bad_header");
  EXPECT_EQ(refusal(with("\r\nv: SIP", "\r\n v: SIP")), "bad_header");
}

TEST(message, ends_at_content_length) {
  EXPECT_EQ(parsed(simple + "more").body, "check");
  EXPECT_EQ(parsed(with("l: 5\r\n", "")).body, "check");
  EXPECT_EQ(parsed(with("l: 5\r\n", "Content-Length: 0000000000000000000000003\r\n")).body, "che");
  EXPECT_EQ(refusal(with("l: 5", "l: 6")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l: -5")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l: +5")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l: five")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l:")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l: 5, 5")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l: 18446744073709551621")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5", "l: 5\r\nContent-Length: 5")), "bad_length");
  EXPECT_EQ(refusal(with("l: 5\r\n", ""), framing::stream), "missing_header");
}

TEST(message, needs_the_empty_line) {
  for (std::size_t n = 0; n < simple.size() - 5; ++n) {
    const auto why = refusal(simple.substr(0, n));
    EXPECT_EQ(why, "incomplete") << n;
  }
}

TEST(message, respects_its_limits) {
  parse_limits limits;
  limits.max_headers = 7;
  EXPECT_EQ(refusal(simple, framing::datagram, limits), "too_large");
  limits.max_headers = 8;
  EXPECT_EQ(refusal(simple, framing::datagram, limits), "");
  limits.max_body_bytes = 4;
  EXPECT_EQ(refusal(simple, framing::datagram, limits), "too_large");
  EXPECT_EQ(refusal(with("l: 5\r\n", ""), framing::datagram, limits), "too_large");
  limits.max_body_bytes = 5;
  limits.max_header_bytes = simple.size() - 5;
  EXPECT_EQ(refusal(simple, framing::datagram, limits), "");
  limits.max_header_bytes -= 1;
  EXPECT_EQ(refusal(simple, framing::datagram, limits), "too_large");
}

TEST(message, a_failure_holds_what_an_answer_needs) {
  const auto text = with("X-Thing: kept", "this is no header");
  const auto m = parse_message(text, framing::datagram, {});
  ASSERT_FALSE(m);
  const auto& f = m.error();
  EXPECT_EQ(f.why.to_string(), "sip.wire/bad_header: a header line without name or colon");
  EXPECT_TRUE(f.is_request);
  EXPECT_EQ(f.partial.method, method::message);
  EXPECT_EQ(f.partial.headers.size(), 7U);
  EXPECT_TRUE(check_mandatory(f.partial));
}

TEST(message, a_failure_tells_requests_from_the_rest) {
  const auto is_request = [](std::string_view text) {
    const auto m = parse_message(text, framing::datagram, {});
    return !m && m.error().is_request;
  };
  EXPECT_TRUE(is_request("MESSAGE sip:a@b SIP/7.1\r\nVia: x\r\n\r\n"));
  EXPECT_TRUE(is_request("MESSAGE sip:a@b; lr SIP/2.0\r\nVia: x\r\n\r\n"));
  EXPECT_FALSE(is_request("SIP/2.0 1000 x\r\nVia: x\r\n\r\n"));
  EXPECT_FALSE(is_request("MESSAGE sip:a@b\r\nVia: x\r\n\r\n"));
  EXPECT_FALSE(is_request("\x16\x03\x01\x02"));
  EXPECT_FALSE(is_request(""));
}

TEST(header_names, round_trip_in_any_case) {
  for (auto i = 0; i < static_cast<int>(header::other); ++i) {
    const auto id = static_cast<header>(i);
    std::string name(to_string(id));
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(parse_header_name(name), id) << name;
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_EQ(parse_header_name(name), id) << name;
    EXPECT_EQ(parse_header_name(name + "x"), header::other);
    EXPECT_EQ(parse_header_name("x" + name), header::other) << name;
  }
  EXPECT_EQ(to_string(header::other), "");
  EXPECT_EQ(parse_header_name(""), header::other);
}

TEST(header_names, have_their_compact_forms) {
  const std::pair<char, header> forms[] = {
      {'b', header::referred_by},    {'c', header::content_type}, {'e', header::content_encoding},
      {'f', header::from},           {'i', header::call_id},      {'k', header::supported},
      {'l', header::content_length}, {'m', header::contact},      {'o', header::event},
      {'r', header::refer_to},       {'s', header::subject},      {'t', header::to},
      {'u', header::allow_events},   {'v', header::via},          {'x', header::session_expires},
      {'y', header::identity},       {'a', header::other},        {'d', header::other},
      {'j', header::other},          {'n', header::other},        {'z', header::other},
  };
  for (const auto& [c, id] : forms) {
    EXPECT_EQ(parse_header_name(std::string(1, c)), id) << c;
    EXPECT_EQ(parse_header_name(std::string(1, static_cast<char>(c - 32))), id) << c;
  }
  const auto r = parsed(with("X-Thing", "a"));
  EXPECT_TRUE(r.headers.find_other("accept-contact"));
}

TEST(methods, are_case_sensitive) {
  for (auto i = 1; i <= static_cast<int>(method::update); ++i) {
    const auto m = static_cast<method>(i);
    EXPECT_EQ(parse_method(to_string(m)), m);
  }
  EXPECT_EQ(parse_method("message"), method::unknown);
  EXPECT_EQ(parse_method(""), method::unknown);
  EXPECT_EQ(to_string(method::register_), "REGISTER");
  EXPECT_EQ(parsed(with("MESSAGE sip", "ME%53SAGE sip")).method_name, "ME%53SAGE");
}

TEST(header_list, splits_comma_lists_over_all_fields) {
  header_list h;
  h.add(header::contact, "\"a, \\\"b\" <sip:x@y;q=\",\",z>;p=\"1,2\" , <sip:c,d@e>,sip:f@g");
  h.add(header::contact, " , ,sip:h@i,");
  h.add(header::subject, "one, two");
  h.add(header::via, "SIP/2.0/UDP a (first, (nested, \\) ) ), SIP/2.0/UDP b");
  using list = std::vector<std::string_view>;
  EXPECT_EQ(h.elements(header::contact),
            (list{"\"a, \\\"b\" <sip:x@y;q=\",\",z>;p=\"1,2\"", "<sip:c,d@e>", "sip:f@g", "sip:h@i"}));
  EXPECT_EQ(h.elements(header::subject), (list{"one, two"}));
  EXPECT_EQ(h.elements(header::via), (list{"SIP/2.0/UDP a (first, (nested, \\) ) )", "SIP/2.0/UDP b"}));
  EXPECT_EQ(h.elements(header::route), list{});
}

TEST(header_list, an_open_quote_hides_the_rest) {
  header_list h;
  h.add(header::contact, "sip:a@b, \"open <sip:c@d>, sip:e@f");
  EXPECT_EQ(h.elements(header::contact),
            (std::vector<std::string_view>{"sip:a@b", "\"open <sip:c@d>, sip:e@f"}));
}

TEST(header_list, callids_have_no_quoting) {
  header_list h;
  h.add(header::in_reply_to, "a\"(<@b, c)\">@d");
  EXPECT_EQ(h.elements(header::in_reply_to), (std::vector<std::string_view>{"a\"(<@b", "c)\">@d"}));
}

TEST(header_list, sets_removes_and_prepends) {
  header_list h;
  h.add(header::via, "1");
  h.add(header::to, "t");
  h.add(header::via, "2");
  h.add_other("X", "y");
  EXPECT_EQ(h.count(header::via), 2U);
  h.prepend(header::via, "0");
  EXPECT_EQ(*h.find(header::via), "0");
  h.set(header::via, "only");
  EXPECT_EQ(h.elements(header::via), std::vector<std::string_view>{"only"});
  h.remove(header::to);
  EXPECT_FALSE(h.find(header::to));
  EXPECT_EQ(*h.find_other("x"), "y");
}

TEST(header_list, keeps_what_is_set_from_itself) {
  for (std::size_t n = 1; n < 20; ++n) {
    header_list few;
    few.add(header::to, std::string(n, 'a'));
    few.set(header::from, *few.find(header::to));
    EXPECT_EQ(*few.find(header::from), std::string(n, 'a'));
  }
  header_list h;
  for (int i = 0; i < 50; ++i) {
    h.add(header::to, std::string(40, 't') + std::to_string(i));
    h.set(header::from, *h.find(header::to));
    EXPECT_EQ(*h.find(header::from), std::string(40, 't') + "0");
  }
  for (int i = 0; i < 50; ++i) {
    h.add_other("X-" + std::string(30, 'n'), std::string(40, 'v'));
    const auto last = h[h.size() - 1];
    h.add_other(last.name, last.value);
    EXPECT_EQ(h[h.size() - 1], h[h.size() - 2]);
  }
  h.set(header::to, *h.find(header::to));
  EXPECT_EQ(h.count(header::to), 1U);
  EXPECT_EQ(*h.find(header::to), std::string(40, 't') + "0");
}

TEST(header_list, replaces_one_value_and_nothing_else) {
  header_list h;
  h.add(header::via, "1");
  h.add_other("X", "y");
  h.add(header::via, "2");
  h.replace(2, "a longer one");
  h.replace(1, "");
  EXPECT_EQ(h.elements(header::via), (std::vector<std::string_view>{"1", "a longer one"}));
  EXPECT_EQ(h[1].name, "X");
  EXPECT_EQ(h[1].value, "");
}

TEST(header_list, is_equal_by_its_fields_whatever_its_text) {
  header_list a, b;
  a.add(header::to, "x");
  a.add_other("Y", "z");
  b.add(header::from, "gone");
  b.add(header::to, "longer");
  b.add_other("Y", "z");
  b.remove(header::from);
  EXPECT_NE(a, b);
  b.replace(0, "x");
  EXPECT_EQ(a, b);
  b.add(header::to, "x");
  EXPECT_NE(a, b);
}

// A fold of blanks alone, with no other text that does not stand in the block: once a place outside of it.
TEST(parse_message, keeps_a_fold_of_blanks_as_an_empty_value) {
  for (const auto* name : {"Call-ID", "Subject", "Content-Type", "Retry-After", "X-Any"}) {
    const auto m = parse_message(
        "MESSAGE sip:a@b SIP/2.0\r\nTo: x\r\n" + std::string(name) + ":\r\n \r\nCSeq: 1 MESSAGE\r\n\r\n",
        framing::datagram, {});
    ASSERT_TRUE(m) << name;
    const auto& headers = std::get<request>(*m).headers;
    const auto found =
        headers[1].id == header::other ? headers.find_other(name) : headers.find(headers[1].id);
    EXPECT_EQ(found, std::optional(std::string_view())) << name;
    EXPECT_EQ(*headers.find(header::cseq), "1 MESSAGE");
  }
}

TEST(parse_message, keeps_folded_values_and_long_forms_beside_the_others) {
  const auto r = parsed(with("X-Thing: kept, as; it=is", "a: *;x\r\nX-Fold: one\r\n  two\r\nX-Last: three"));
  EXPECT_EQ(*r.headers.find_other("Accept-Contact"), "*;x");
  EXPECT_EQ(*r.headers.find_other("X-Fold"), "one two");
  EXPECT_EQ(*r.headers.find_other("X-Last"), "three");
  EXPECT_EQ(parsed(write(r)).headers, parsed(write(parsed(write(r)))).headers);
}

TEST(writer, has_one_order_and_computes_the_length) {
  request r;
  r.method = method::message;
  r.method_name = "MESSAGE";
  r.uri = "sip:tove@board.example";
  r.headers.add_other("X-B", "2");
  r.headers.add(header::content_length, "999");
  r.headers.add(header::content_type, "text/plain");
  r.headers.add_other("A-A", "1");
  r.headers.add(header::cseq, "1 MESSAGE");
  r.headers.add(header::call_id, "c-1");
  r.headers.add(header::to, "<sip:tove@board.example>");
  r.headers.add(header::from, "<sip:odd@club.example>;tag=t-1");
  r.headers.add(header::via, "SIP/2.0/UDP a");
  r.headers.add(header::max_forwards, "70");
  r.headers.add(header::via, "SIP/2.0/UDP b");
  r.body = "h\xC3\xA9";
  EXPECT_EQ(write(r),
            "MESSAGE sip:tove@board.example SIP/2.0\r\n"
            "Via: SIP/2.0/UDP a\r\n"
            "Via: SIP/2.0/UDP b\r\n"
            "Max-Forwards: 70\r\n"
            "From: <sip:odd@club.example>;tag=t-1\r\n"
            "To: <sip:tove@board.example>\r\n"
            "Call-ID: c-1\r\n"
            "CSeq: 1 MESSAGE\r\n"
            "Content-Type: text/plain\r\n"
            "Content-Length: 3\r\n"
            "X-B: 2\r\n"
            "A-A: 1\r\n"
            "\r\n"
            "h\xC3\xA9");
}

TEST(writer, writes_a_response) {
  response r;
  r.status = 202;
  r.reason = "Accepted";
  r.headers.add(header::call_id, "c-1");
  EXPECT_EQ(write(r), "SIP/2.0 202 Accepted\r\nCall-ID: c-1\r\nContent-Length: 0\r\n\r\n");
}

TEST(writer, lets_nothing_start_a_line) {
  request r;
  r.method_name = "MESSAGE";
  r.uri = "sip:a@b SIP/2.0\r\nEvil: 1\t";
  r.headers.add(header::subject, "x\r\nEvil: 2\rEvil: 3\nEvil: 4");
  r.headers.add_other("X\r\nEvil", "5");
  r.headers.add_other("", "6");
  r.headers.add_other("X", "7\r\n\r\nEvil body");
  EXPECT_EQ(write(r),
            "MESSAGE sip:a@b%20SIP/2.0%0D%0AEvil:%201%09 SIP/2.0\r\n"
            "Subject: x  Evil: 2 Evil: 3 Evil: 4\r\n"
            "Content-Length: 0\r\n"
            "X: 7    Evil body\r\n"
            "\r\n");
  response no;
  no.status = 400;
  no.reason = "Bad\r\nEvil: 1";
  EXPECT_EQ(write(no), "SIP/2.0 400 Bad  Evil: 1\r\nContent-Length: 0\r\n\r\n");
}

TEST(writer, writes_what_parses_to_the_same) {
  const auto r = parsed(simple);
  const auto text = write(r);
  const auto again = parsed(text);
  EXPECT_EQ(write(again), text);
  EXPECT_EQ(again.headers.find(header::content_type), "text/plain");
  EXPECT_EQ(again.body, r.body);
}

TEST(default_reason, knows_the_codes_of_the_rfcs) {
  EXPECT_EQ(default_reason(200), "OK");
  EXPECT_EQ(default_reason(202), "Accepted");
  EXPECT_EQ(default_reason(404), "Not Found");
  EXPECT_EQ(default_reason(606), "Not Acceptable");
  EXPECT_EQ(default_reason(299), "");
}

TEST(stream, is_cut_at_every_length) {
  const auto text = "\r\n\r\n" + simple;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto size = frame_stream(std::string_view(text).substr(0, n), {});
    ASSERT_TRUE(size) << n;
    EXPECT_EQ(*size, 0U) << n;
  }
  EXPECT_EQ(*frame_stream(text, {}), text.size());
  EXPECT_EQ(*frame_stream(text + simple, {}), text.size());
  EXPECT_EQ(refusal(text, framing::stream), "");
}

TEST(stream, cannot_be_read_on_after_a_length_error) {
  const auto why = [](const std::string& text, const parse_limits& limits = {}) {
    const auto size = frame_stream(text, limits);
    return size ? "" : size.error().code.message();
  };
  EXPECT_EQ(why(with("l: 5\r\n", "")), "missing_header");
  EXPECT_EQ(why(with("l: 5", "l: x")), "bad_length");
  EXPECT_EQ(why(with("l: 5", "l: 5\r\nContent-Length: 5")), "bad_length");
  EXPECT_EQ(why(with("l: 5", "l: 5\nl: 6")), "bad_length");
  EXPECT_EQ(why(with("l: 5", "l: 99999999999999999999999")), "bad_length");
  EXPECT_EQ(why(with("l: 5", "l: 65537")), "too_large");
  EXPECT_EQ(why(with("l: 5", "l:\r\n 65536")), "");
  EXPECT_EQ(why(with("kept", std::string(16 * 1024, 'x'))), "too_large");
  EXPECT_EQ(why(std::string(16 * 1024, 'x')), "too_large");
  EXPECT_EQ(why(std::string(16 * 1024 - 1, 'x')), "");
  std::string empty_lines;
  for (int i = 0; i < 9000; ++i) empty_lines += "\r\n";
  EXPECT_EQ(why(empty_lines), "too_large");
}

// Whoever frames the stream and whoever parses the message must see the same Content-Length.
TEST(stream, framing_agrees_with_parsing) {
  for (const char* line :
       {"l: 5", "L : 5", "Content-Length:5", "CONTENT-LENGTH:\r\n 5", "content-length\t:\t05 "}) {
    const auto text = with("l: 5", line);
    EXPECT_EQ(*frame_stream(text + "tail", {}), text.size()) << line;
    EXPECT_EQ(std::get<request>(*parse_message(text, framing::stream, {})).body, "check") << line;
  }
}

}  // namespace
}  // namespace stox::sip
