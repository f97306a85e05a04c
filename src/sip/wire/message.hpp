#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "sip/wire/errc.hpp"

namespace stox::sip {

/// The methods that some RFC defines; `unknown` for any other token (its text is kept by
/// request::method_name).
enum class method : std::uint8_t {
  unknown,
  ack,
  bye,
  cancel,
  info,
  invite,
  message,
  notify,
  options,
  prack,
  publish,
  refer,
  register_,
  subscribe,
  update
};
method parse_method(std::string_view token);  ///< case-sensitive, RFC 3261 §7.1
std::string_view to_string(method m);

/// Header fields that have a typed accessor (headers.hpp), in the order in which the writer puts them.
enum class header : std::uint8_t {
  via,
  route,
  record_route,
  max_forwards,
  from,
  to,
  call_id,
  cseq,
  contact,
  // who says it and who may act: RFC 3325, 3323, 8224, 3261 §22
  p_asserted_identity,
  p_preferred_identity,
  privacy,
  identity,
  authorization,
  proxy_authorization,
  www_authenticate,
  proxy_authenticate,
  authentication_info,
  // what is understood: RFC 3261, 6665, 3903, 4028, 3515, 4488, 3891, 3892, 4538, 3911, 3262
  require,
  proxy_require,
  supported,
  unsupported,
  allow,
  accept,
  accept_encoding,
  accept_language,
  allow_events,
  event,
  subscription_state,
  expires,
  min_expires,
  sip_etag,
  sip_if_match,
  session_expires,
  min_se,
  refer_to,
  refer_sub,
  referred_by,
  replaces,
  join,
  target_dialog,
  rseq,
  rack,
  path,
  service_route,
  history_info,
  reason,
  retry_after,
  warning,
  error_info,
  alert_info,
  call_info,
  in_reply_to,
  organization,
  priority,
  reply_to,
  server,
  user_agent,
  subject,
  date,
  timestamp,
  mime_version,
  content_disposition,
  content_encoding,
  content_language,
  content_type,
  content_length,
  other  ///< any other: `header_field::name` holds its name
};
/// Compact forms included (RFC 3261 §7.3.3, RFC 6665, 3515, 3892, 4028, 3841, 8224); names compare without
/// case.
header parse_header_name(std::string_view name);
std::string_view to_string(header h);  ///< the canonical long form; "" for other
/// Whether the grammar makes it a comma-separated list, so that several lines are one (RFC 3261 §7.3.1).
bool is_list(header h);

/// One field of a header_list, valid until that changes.
struct header_field {
  header id = header::other;
  /// Only for `other`, as received (compact forms of RFC 3841 and 4474 in their long form).
  std::string_view name;
  std::string_view value;  ///< unfolded, trimmed, otherwise as received
  friend bool operator==(const header_field&, const header_field&) = default;
};

/// The header block in the order of receipt. `add` appends; list headers may stand in several fields. All
/// text stands in one block of memory, and fields are places in it: a message has ten of them or more.
class header_list {
 public:
  /// Where the parts of a field stand in the text.
  struct place {
    std::uint32_t name_at = 0, name_size = 0, value_at = 0, value_size = 0;
    header id = header::other;
  };

  header_list() = default;
  /// Of fields that stand in `text`; other text may stand between them.
  header_list(std::string text, std::vector<place> places)
      : text_(std::move(text)), places_(std::move(places)) {}

  /// Makes room for so many fields and bytes of text.
  void reserve(std::size_t fields, std::size_t bytes) {
    places_.reserve(fields);
    text_.reserve(bytes);
  }
  void add(header id, std::string_view value) { places_.push_back(keep(id, {}, value)); }
  void add_other(std::string_view name, std::string_view value) {
    places_.push_back(keep(header::other, name, value));
  }
  /// The first field's value.
  std::optional<std::string_view> find(header id) const;
  std::optional<std::string_view> find_other(std::string_view name) const;
  std::size_t count(header id) const;
  /// Calls visit(value) for each field of that name.
  template <class Visit>
  void for_each(header id, Visit visit) const {
    for (const auto& p : places_) {
      if (p.id == id) visit(view(p.value_at, p.value_size));
    }
  }
  /// Every element of every field of that name, comma lists split (quotes, <> and comments respected). RFC
  /// 3261 §7.3.1.
  std::vector<std::string_view> elements(header id) const;
  void remove(header id);
  void set(header id, std::string_view value);  ///< replaces all of that name by one
  void prepend(header id, std::string_view value);
  void replace(std::size_t index, std::string_view value);  ///< the value of one field

  bool empty() const { return places_.empty(); }
  std::size_t size() const { return places_.size(); }
  header_field operator[](std::size_t index) const {
    const auto& p = places_[index];
    return {p.id, view(p.name_at, p.name_size), view(p.value_at, p.value_size)};
  }
  /// Bytes of memory that it holds beside itself.
  std::size_t memory() const { return text_.capacity() + places_.capacity() * sizeof(place); }

  class iterator {
   public:
    iterator(const header_list& list, std::size_t index) : list_(&list), index_(index) {}
    header_field operator*() const { return (*list_)[index_]; }
    iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const iterator&, const iterator&) = default;

   private:
    const header_list* list_;
    std::size_t index_;
  };
  iterator begin() const { return {*this, 0}; }
  iterator end() const { return {*this, size()}; }
  /// The same fields in the same order.
  friend bool operator==(const header_list& a, const header_list& b);

 private:
  place keep(header id, std::string_view name, std::string_view value);
  std::string_view view(std::size_t at, std::size_t size) const {
    assert(at <= text_.size() && size <= text_.size() - at);
    return {text_.data() + at, size};
  }

  std::string text_;
  std::vector<place> places_;
};

struct request {
  sip::method method = sip::method::unknown;
  std::string method_name;  ///< as received; filled also for known methods
  std::string uri;          ///< the Request-URI's text; parse_uri() reads it
  header_list headers;
  std::string body;
  friend bool operator==(const request&, const request&) = default;
};

struct response {
  std::uint16_t status = 0;  ///< 100..699
  std::string reason;
  header_list headers;
  std::string body;
  friend bool operator==(const response&, const response&) = default;
};

using message = std::variant<request, response>;

struct parse_limits {
  std::size_t max_header_bytes = 16 * 1024;  ///< start line and header block
  std::size_t max_headers = 200;
  std::size_t max_body_bytes = 64 * 1024;
};

/// Whether a body ends with the datagram (Content-Length may be absent; octets beyond it are ignored, RFC
/// 3261 §18.3) or with Content-Length (a stream; absent means an error).
enum class framing : std::uint8_t { datagram, stream };

/// What is left of a message that could not be parsed: enough to answer 400 to a request, if its Via, From,
/// To, Call-ID and CSeq could be read (RFC 4475 asks for an answer where one is possible).
struct parse_failure {
  error why;
  bool is_request = false;
  request partial;  ///< the fields that were read
};
/// Called only by `value()` on a failure: see base/error.hpp.
[[noreturn]] inline void throw_exception_from_error(const parse_failure& f,
                                                    const boost::source_location& where) {
  throw_exception_from_error(f.why, where);
}

/// Parses exactly one message. `text` begins with its start line; leading CRLFs have been taken off by the
/// framer. Only what RFC 3261 §25.1 makes a syntax matter of the whole message is checked here; each header's
/// own grammar is checked by its accessor, and headers that every request needs by `check_mandatory`
/// (headers.hpp).
boost::system::result<message, parse_failure> parse_message(std::string_view text, framing how,
                                                            const parse_limits& limits);

/// For streams: how many bytes the message at the front of `text` takes, 0 if more are needed.
/// Errors: too_large, bad_length, missing_header (no Content-Length) - the stream cannot be read on after
/// them.
result<std::size_t> frame_stream(std::string_view text, const parse_limits& limits);
/// How many bytes it takes, also if they are not all there: known as soon as its head is whole, 0 before.
result<std::size_t> announced_length(std::string_view text, const parse_limits& limits);

/// About what write() makes of it, in bytes.
std::size_t written_size(const request& r);
/// Writes the message with our one order of headers: those of enum header first, in its order, then others as
/// added. Content-Length is computed, never taken from the list.
std::string write(const request& r);
std::string write(const response& r);
/// The parts of it, for whoever keeps some lines as text: one line, and all that follows what is written
/// already, with Content-Length, the empty line and the body.
void write_line(std::string& out, const header_field& f);
void write_line(std::string& out, header id, std::string_view value);
void write_rest(std::string& out, const header_list& headers, std::string_view body);

/// The Reason-Phrase that RFC 3261 §21 and later RFCs give the code, "" if none does.
std::string_view default_reason(std::uint16_t status);

}  // namespace stox::sip
