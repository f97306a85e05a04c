#include "sip/wire/message.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "sip/wire/chars.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

/// One header line with its continuations (RFC 3261 §7.3.1), without the CRLF that ends it.
struct line {
  std::string_view text;
  bool folded = false;
  bool stray = false;  ///< holds a CR or LF that ends no line
};

/// Cuts the start line and the header block into lines. Only CRLF ends a line: whoever took a bare LF for an
/// end as well would see other headers than we do.
class line_reader {
 public:
  explicit line_reader(std::string_view text) : text_(text) {}

  /// The next physical line; nullopt when no CRLF follows.
  std::optional<line> physical() {
    line out;
    auto from = at_;
    for (;;) {
      const auto cr = text_.find('\r', from);
      if (cr == std::string_view::npos || cr + 1 == text_.size()) return std::nullopt;
      if (text_[cr + 1] == '\n') {
        out.text = text_.substr(at_, cr - at_);
        at_ = cr + 2;
        break;
      }
      out.stray = true;
      from = cr + 1;
    }
    if (!out.text.empty() && std::memchr(out.text.data(), '\n', out.text.size()) != nullptr) out.stray = true;
    return out;
  }
  /// The next header line with its continuations; an empty one ends the block.
  std::optional<line> logical() {
    const auto from = at_;
    auto out = physical();
    if (!out || out->text.empty()) return out;
    while (at_ < text_.size() && chars::is(text_[at_], chars::blank)) {
      const auto more = physical();
      if (!more) return std::nullopt;
      out->folded = true;
      out->stray = out->stray || more->stray;
      out->text = text_.substr(from, at_ - 2 - from);
    }
    return out;
  }
  std::size_t position() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::string_view trim_blanks(std::string_view s) {
  while (!s.empty() && chars::is(s.front(), chars::blank)) s.remove_prefix(1);
  while (!s.empty() && chars::is(s.back(), chars::blank)) s.remove_suffix(1);
  return s;
}

/// RFC 3261 §7.3.1: a fold counts as one space.
std::string unfold(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  while (!value.empty()) {
    const auto end = value.find("\r\n");
    const auto part = trim_blanks(value.substr(0, end));
    if (!part.empty()) {
      if (!out.empty()) out += ' ';
      out += part;
    }
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 2);
  }
  return out;
}

/// Name and raw value of a header line; the name empty when it is none.
struct name_value {
  std::string_view name, value;
};
name_value split_line(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && chars::is(text[end], chars::token)) ++end;
  auto colon = end;
  // RFC 3261 §25.1: HCOLON allows blanks before the colon, but no fold.
  while (colon < text.size() && chars::is(text[colon], chars::blank)) ++colon;
  if (end == 0 || colon == text.size() || text[colon] != ':') return {};
  return {text.substr(0, end), text.substr(colon + 1)};
}

/// Names of RFC 3841 and RFC 4474 that have a compact form but no place in enum header.
std::string_view long_other_name(std::string_view name) {
  if (name.size() != 1) return name;
  switch (text::lower(name.front())) {
    case 'a': return "Accept-Contact";
    case 'd': return "Request-Disposition";
    case 'j': return "Reject-Contact";
    case 'n': return "Identity-Info";
    default: return name;
  }
}

bool is_version(std::string_view word) { return text::iequals(word, "SIP/2.0"); }

/// SIP "/" digits "." digits, of whatever number.
bool looks_like_version(std::string_view word) {
  if (!text::istarts_with(word, "SIP/")) return false;
  const auto number = word.substr(4);
  const auto dot = number.find('.');
  return dot != std::string_view::npos && text::to_number(number.substr(0, dot)) &&
         text::to_number(number.substr(dot + 1));
}

struct start_line {
  bool is_request = false;
  std::string_view method, uri;  // of a request
  std::uint16_t status = 0;      // of a response
  std::string_view reason;
  std::optional<error> why;
};

start_line parse_status_line(std::string_view text, std::size_t version_length) {
  start_line out;
  const auto version = text.substr(0, version_length);
  text.remove_prefix(std::min(version_length + 1, text.size()));
  if (!is_version(version)) {
    out.why =
        error{looks_like_version(version) ? errc::bad_version : errc::bad_start_line, "unknown SIP version"};
    return out;
  }
  const auto code = text::to_number(text.substr(0, 3), 699);
  // RFC 4475 §3.1.1.13: the space after the code may be missed where no reason follows.
  if (!code || *code < 100 || (text.size() > 3 && text[3] != ' ')) {
    out.why = error{errc::bad_start_line, "malformed status code"};
    return out;
  }
  out.status = static_cast<std::uint16_t>(*code);
  if (text.size() > 4) out.reason = text.substr(4);
  return out;
}

/// RFC 3261 §7.1: Method SP Request-URI SP SIP-Version, with single spaces and none at the ends.
start_line parse_start_line(std::string_view text) {
  start_line out;
  const auto first = text.find(' ');
  if (text::istarts_with(text, "SIP/")) return parse_status_line(text, std::min(first, text.size()));
  const auto trimmed = trim_blanks(text);
  auto word_at = trimmed.size();
  while (word_at > 0 && !chars::is(trimmed[word_at - 1], chars::blank)) --word_at;
  const auto last_word = trimmed.substr(word_at);
  const auto method = text.substr(0, first);
  if (first == std::string_view::npos || !chars::all(method, chars::token) ||
      !looks_like_version(last_word)) {
    out.why = error{errc::bad_start_line, "neither a request nor a status line"};
    return out;
  }
  out.is_request = true;
  out.method = method;
  const auto last = text.rfind(' ');
  if (last > first) out.uri = text.substr(first + 1, last - first - 1);
  if (!is_version(last_word)) {
    out.why = error{errc::bad_version, "unknown SIP version"};
  } else if (last <= first + 1 || last + 1 + last_word.size() != text.size() ||
             chars::find(out.uri, chars::blank) != std::string_view::npos) {
    out.why = error{errc::bad_start_line, "blanks in the request line"};
  }
  return out;
}

std::string_view skip_empty_lines(std::string_view text) {
  // RFC 3261 §7.5: CRLFs before the start line are ignored.
  while (text.substr(0, 2) == "\r\n") text.remove_prefix(2);
  return text;
}

/// Content-Length as the framing of both transports sees it.
struct content_length {
  std::optional<std::uint64_t> value;
  bool bad = false;

  void see(std::string_view text) {
    const auto number = text::to_number(text);
    // RFC 4475 §3.3.9: two of them say no more than none, even if they happen to agree.
    if (!number || value) bad = true;
    value = number;
  }
};

class parser {
 public:
  parser(std::string_view text, framing how, const parse_limits& limits)
      : text_(skip_empty_lines(text)),
        block_(text_.substr(0, std::min(text_.size(), limits.max_header_bytes))),
        lines_(block_),
        how_(how),
        limits_(limits) {}

  boost::system::result<message, parse_failure> run() {
    const auto first = lines_.physical();
    if (!first) return fail(cut_short());
    start_ = parse_start_line(first->text);
    if (start_.why) note(*start_.why);
    if (first->stray) note({errc::bad_start_line, "stray CR or LF"});
    // What does not even begin like a message is not read further.
    if (why_ && !start_.is_request) return fail(*why_);
    read_headers();
    if (!ended_) return fail(cut_short());
    auto body = take_body();
    if (why_) return fail(*why_);
    if (!start_.is_request) {
      return message(response{start_.status, std::string(start_.reason), take_headers(), std::string(body)});
    }
    auto out = request_line();
    out.headers = take_headers();
    out.body = body;
    return message(std::move(out));
  }

 private:
  /// The first thing wrong is what is told.
  void note(error e) {
    if (!why_) why_ = std::move(e);
  }
  error cut_short() const {
    if (why_) return *why_;
    if (block_.size() < text_.size()) return {errc::too_large, "header block too large"};
    return {errc::incomplete, "no empty line after the headers"};
  }
  request request_line() const {
    return {parse_method(start_.method), std::string(start_.method), std::string(start_.uri), {}, {}};
  }
  parse_failure fail(error why) {
    parse_failure out;
    out.why = std::move(why);
    out.is_request = start_.is_request;
    out.partial = request_line();
    out.partial.headers = take_headers();
    return out;
  }

  void read_headers() {
    fields_text_ = block_.substr(lines_.position());
    places_.reserve(16);
    const auto from = lines_.position();
    while (const auto next = lines_.logical()) {
      used_ = lines_.position() - from;
      if (next->text.empty()) {
        ended_ = true;
        return;
      }
      if (places_.size() == limits_.max_headers) {
        note({errc::too_large, "too many header fields"});
        return;
      }
      read_header(*next);
    }
  }

  void read_header(const line& l) {
    const auto [name, raw] = split_line(l.text);
    if (name.empty() || l.stray) {
      note({errc::bad_header,
            name.empty() ? "a header line without name or colon" : "stray CR or LF in a header"});
      return;
    }
    header_list::place p;
    p.id = parse_header_name(name);
    if (p.id == header::other) std::tie(p.name_at, p.name_size) = put(long_other_name(name));
    std::string unfolded;
    if (l.folded) unfolded = unfold(raw);
    const auto value = l.folded ? std::string_view(unfolded) : trim_blanks(raw);
    std::tie(p.value_at, p.value_size) = put(value);
    if (p.id == header::content_length) length_.see(value);
    places_.push_back(p);
  }

  /// Where that text will stand in the list's: text of the block stays where it is, other text comes behind.
  std::pair<std::uint32_t, std::uint32_t> put(std::string_view text) {
    if (text.empty()) return {0, 0};  // a fold of blanks, say
    const auto size = static_cast<std::uint32_t>(text.size());
    const std::less_equal<const char*> not_behind;
    const bool inside = not_behind(fields_text_.data(), text.data()) &&
                        not_behind(text.data() + text.size(), fields_text_.data() + fields_text_.size());
    if (inside) return {static_cast<std::uint32_t>(text.data() - fields_text_.data()), size};
    const auto at = static_cast<std::uint32_t>(others_.size()) | behind;
    others_ += text;
    return {at, size};
  }

  /// The fields that were read.
  header_list take_headers() {
    std::string text;
    // With room for what a top Via gets: received and rport.
    text.reserve(used_ + others_.size() + 128);
    text = fields_text_.substr(0, used_);
    for (auto& p : places_) {
      for (auto* at : {&p.name_at, &p.value_at})
        if ((*at & behind) != 0) *at = static_cast<std::uint32_t>((*at & ~behind) + text.size());
    }
    text += others_;
    return {std::move(text), std::move(places_)};
  }

  /// RFC 3261 §18.3.
  std::string_view take_body() {
    const auto rest = text_.substr(lines_.position());
    if (length_.bad) {
      note({errc::bad_length, "Content-Length is not one number"});
      return {};
    }
    if (!length_.value && how_ == framing::stream)
      note({errc::missing_header, "no Content-Length on a stream"});
    const auto length = length_.value.value_or(rest.size());
    if (length > rest.size()) {
      note({errc::bad_length, "Content-Length is more than the message holds"});
      return {};
    }
    if (length > limits_.max_body_bytes) note({errc::too_large, "body too large"});
    return rest.substr(0, static_cast<std::size_t>(length));
  }

  std::string_view text_, block_;
  line_reader lines_;
  framing how_;
  const parse_limits& limits_;
  start_line start_;
  /// In an offset: it counts from the end of the block.
  static constexpr std::uint32_t behind = std::uint32_t{1} << 31U;
  std::string_view fields_text_;  ///< of the block, what follows the start line
  std::vector<header_list::place> places_;
  std::string others_;    ///< text of fields that does not stand in the block as it is
  std::size_t used_ = 0;  ///< of fields_text_
  content_length length_;
  bool ended_ = false;
  std::optional<error> why_;
};

}  // namespace

boost::system::result<message, parse_failure> parse_message(std::string_view text, framing how,
                                                            const parse_limits& limits) {
  return parser(text, how, limits).run();
}

result<std::size_t> announced_length(std::string_view text, const parse_limits& limits) {
  const auto leading = text.size() - skip_empty_lines(text).size();
  const auto whole_text = text.substr(leading);
  const auto block = whole_text.substr(0, std::min(whole_text.size(), limits.max_header_bytes));
  const auto end = block.find("\r\n\r\n");
  if (leading > limits.max_header_bytes) return error{errc::too_large, "nothing but empty lines"};
  if (end == std::string_view::npos) {
    if (whole_text.size() >= limits.max_header_bytes) return error{errc::too_large, "header block too large"};
    return std::size_t{0};
  }
  line_reader lines(block.substr(0, end + 4));
  lines.physical();
  content_length length;
  for (auto next = lines.logical(); next && !next->text.empty(); next = lines.logical()) {
    const auto [name, raw] = split_line(next->text);
    if (name.empty() || parse_header_name(name) != header::content_length) continue;
    length.see(next->folded ? unfold(raw) : trim_blanks(raw));
  }
  if (length.bad) return error{errc::bad_length, "Content-Length is not one number"};
  if (!length.value) return error{errc::missing_header, "no Content-Length on a stream"};
  if (*length.value > limits.max_body_bytes) return error{errc::too_large, "body too large"};
  return leading + end + 4 + static_cast<std::size_t>(*length.value);
}

result<std::size_t> frame_stream(std::string_view text, const parse_limits& limits) {
  const auto length = announced_length(text, limits);
  if (!length) return length.error();
  return *length <= text.size() ? *length : 0;
}

}  // namespace stox::sip
