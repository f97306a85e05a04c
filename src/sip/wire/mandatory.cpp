#include <array>
#include <bitset>
#include <optional>

#include "base/text.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {
namespace {

/// Of these a second field makes the message ambiguous: whoever reads the other one sees another message.
constexpr bool stands_once(header h) {
  switch (h) {
    case header::max_forwards:
    case header::from:
    case header::to:
    case header::call_id:
    case header::cseq:
    case header::content_type:
    case header::content_length:
    case header::content_disposition:
    case header::event:
    case header::subscription_state:
    case header::expires:
    case header::session_expires:
    case header::sip_if_match:
    case header::refer_to:
    case header::replaces:
    case header::join:
    case header::rack: return true;
    default: return false;
  }
}

error with_name(header h, error e) {
  e.detail = std::string(to_string(h)) + ": " + e.detail;
  return e;
}

/// The fields that essentials are made of, found in one pass.
class essential_fields {
 public:
  static result<essential_fields> find(const header_list& headers) {
    essential_fields out;
    std::bitset<static_cast<std::size_t>(header::other) + 1> seen;
    for (const auto f : headers) {
      const auto i = static_cast<std::size_t>(f.id);
      if (seen[i] && stands_once(f.id)) {
        return error{errc::repeated_header, std::string(to_string(f.id)) + " given twice"};
      }
      if (!seen[i] && i < out.first_.size()) out.first_[i] = f.value;
      seen.set(i);
    }
    for (const auto h : {header::via, header::from, header::to, header::call_id, header::cseq}) {
      if (!out.get(h)) return error{errc::missing_header, "no " + std::string(to_string(h))};
    }
    return out;
  }
  const std::optional<std::string_view>& get(header h) const { return first_[static_cast<std::size_t>(h)]; }

 private:
  std::array<std::optional<std::string_view>, static_cast<std::size_t>(header::cseq) + 1> first_{};
};

/// RFC 3261 §25.1 asks for words around at most one "@"; any visible character is let through, since a
/// Call-ID is only compared and echoed.
bool is_call_id(std::string_view s) { return chars::all(s, chars::printing); }

/// The top Via and CSeq, which requests and responses are matched by.
std::optional<error> read_match(const essential_fields& fields, via& top, cseq& number) {
  const std::string_view vias = *fields.get(header::via);
  if (auto why = read(vias.substr(0, element_length(vias)), top)) return why;
  auto parsed = parse_cseq(*fields.get(header::cseq));
  if (!parsed) return std::move(parsed).error();
  number = *std::move(parsed);
  return std::nullopt;
}

/// Fills `out`; says what is wrong.
std::optional<error> check(const header_list& headers, essentials& out) {
  const auto fields = essential_fields::find(headers);
  if (!fields) return fields.error();
  if (auto why = read(*fields->get(header::from), out.from)) return with_name(header::from, *std::move(why));
  if (auto why = read(*fields->get(header::to), out.to)) return with_name(header::to, *std::move(why));
  out.call_id = *fields->get(header::call_id);
  if (!is_call_id(out.call_id)) return error{errc::bad_header, "Call-ID: illegal character"};
  if (auto why = read_match(*fields, out.top_via, out.cseq)) return why;
  if (const auto& text = fields->get(header::max_forwards)) {
    const auto hops = parse_max_forwards(*text);
    if (!hops) return hops.error();
    out.max_forwards = *hops;
  }
  return std::nullopt;
}

/// RFC 3261 §19.1.1: a Request-URI has no headers. The "?" that begins them comes after the userinfo, where
/// it is a plain character.
bool has_uri_headers(std::string_view uri) {
  if (!text::istarts_with(uri, "sip:") && !text::istarts_with(uri, "sips:")) return false;
  const auto question = uri.rfind('?');
  const auto at = uri.rfind('@');
  return question != std::string_view::npos && (at == std::string_view::npos || at < question);
}

}  // namespace

result<essentials> check_mandatory(const request& r) {
  result<essentials> out(boost::system::in_place_value);
  if (auto why = check(r.headers, *out)) return *std::move(why);
  if (r.method != method::unknown && out->cseq.method != r.method) {
    return error{errc::bad_method, "CSeq names another method"};
  }
  if (has_uri_headers(r.uri)) return error{errc::bad_uri, "headers in the Request-URI"};
  return out;
}

result<response_match> check_mandatory(const response& r) {
  const auto fields = essential_fields::find(r.headers);
  if (!fields) return fields.error();
  result<response_match> out(boost::system::in_place_value);
  if (auto why = read_match(*fields, out->top_via, out->cseq)) return *std::move(why);
  return out;
}

}  // namespace stox::sip
