#include "sip/wire/headers.hpp"

#include "base/text.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {
error bad(const char* why) { return {errc::bad_header, why}; }
}  // namespace

result<cseq> parse_cseq(std::string_view value) {
  scanner in(text::trim(value));
  const auto digits = in.token();
  // RFC 3261 §8.1.1.5: below 2^31.
  const auto number = text::to_number(digits, 0x7FFFFFFF);
  if (!number) return bad("CSeq: malformed number");
  if (!in.skip_blanks()) return bad("CSeq: no method");
  cseq out;
  out.number = static_cast<std::uint32_t>(*number);
  out.method_name = in.token();
  if (out.method_name.empty() || !in.at_end()) return bad("CSeq: malformed method");
  out.method = parse_method(out.method_name);
  return out;
}

std::string write(const cseq& c) {
  auto out = std::to_string(c.number);
  out += ' ';
  out += c.method == method::unknown ? std::string_view(c.method_name) : to_string(c.method);
  return out;
}

result<std::uint32_t> parse_max_forwards(std::string_view value) {
  const auto number = text::to_number(text::trim(value), 255);
  if (!number) return bad("Max-Forwards: not a number up to 255");
  return static_cast<std::uint32_t>(*number);
}

result<std::uint32_t> parse_delta_seconds(std::string_view value) {
  const auto number = text::to_number(text::trim(value), UINT32_MAX);
  if (!number) return bad("not a number of seconds");
  return static_cast<std::uint32_t>(*number);
}

std::optional<std::string> media_type::param_value(std::string_view name) const {
  return unquoted_param(params, name);
}

result<media_type> parse_media_type(std::string_view value) {
  scanner in(text::trim(value));
  media_type out;
  out.type = text::to_lower(in.token());
  if (out.type.empty() || !in.take('/')) return bad("malformed media type");
  out.subtype = text::to_lower(in.token());
  if (out.subtype.empty()) return bad("malformed media type");
  if (!in.params(out.params)) return bad("malformed or repeated media type parameter");
  in.skip_blanks();
  if (!in.at_end()) return bad("malformed media type");
  return out;
}

void write_to(std::string& out, const media_type& m) {
  out += m.type;
  if (!m.subtype.empty()) {
    out += '/';
    out += m.subtype;
  }
  write_params(out, m.params);
}

result<media_type> parse_disposition(std::string_view value) {
  scanner in(text::trim(value));
  media_type out;
  out.type = text::to_lower(in.token());
  if (out.type.empty()) return bad("malformed disposition");
  if (!in.params(out.params)) return bad("malformed or repeated disposition parameter");
  in.skip_blanks();
  if (!in.at_end()) return bad("malformed disposition");
  return out;
}

result<warning_value> parse_warning(std::string_view element) {
  const auto text = text::trim(element);
  scanner in(text);
  warning_value out;
  const auto code = in.token();
  const auto number = text::to_number(code, 999);
  if (code.size() != 3 || !number || !in.skip_blanks()) return bad("Warning: malformed code");
  out.code = static_cast<std::uint16_t>(*number);
  // hostport or pseudonym
  out.agent = in.run(chars::value);
  if (out.agent.empty() || !in.skip_blanks()) return bad("Warning: malformed agent");
  const auto words = in.quoted();
  if (!words || !in.at_end()) return bad("Warning: malformed text");
  out.text = unquote(*words);
  return out;
}

std::string write(const warning_value& w) {
  auto out = std::to_string(w.code);
  out.insert(0, out.size() < 3 ? 3 - out.size() : 0, '0');
  out += ' ';
  out += chars::all(w.agent, chars::value) ? std::string_view(w.agent) : std::string_view("-");
  out += ' ';
  out += quote(w.text);
  return out;
}

result<retry_after_value> parse_retry_after(std::string_view value) {
  scanner in(text::trim(value));
  retry_after_value out;
  const auto number = text::to_number(in.token(), UINT32_MAX);
  if (!number) return bad("Retry-After: not a number of seconds");
  out.seconds = static_cast<std::uint32_t>(*number);
  in.skip_blanks();
  if (in.peek() == '(') {
    const auto comment = in.comment();
    if (!comment) return bad("Retry-After: malformed comment");
    out.comment = comment->substr(1, comment->size() - 2);
  }
  if (!in.params(out.params)) return bad("Retry-After: malformed or repeated parameter");
  in.skip_blanks();
  if (!in.at_end()) return bad("Retry-After: malformed");
  return out;
}

std::string write(const retry_after_value& r) {
  auto out = std::to_string(r.seconds);
  if (!r.comment.empty()) {
    out += " (";
    // The comment is kept with its escapes; one that would not end where it should is left out.
    const auto whole = "(" + r.comment + ")";
    scanner in(whole);
    if (in.comment() && in.at_end()) {
      out += r.comment;
      out += ')';
    } else {
      out.resize(out.size() - 2);
    }
  }
  write_params(out, r.params);
  return out;
}

}  // namespace stox::sip
