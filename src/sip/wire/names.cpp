#include <array>

#include "base/text.hpp"
#include "sip/wire/message.hpp"

namespace stox::sip {
namespace {

using namespace std::string_view_literals;

constexpr std::array method_names = {
    ""sv,        "ACK"sv,   "BYE"sv,     "CANCEL"sv, "INFO"sv,     "INVITE"sv,    "MESSAGE"sv, "NOTIFY"sv,
    "OPTIONS"sv, "PRACK"sv, "PUBLISH"sv, "REFER"sv,  "REGISTER"sv, "SUBSCRIBE"sv, "UPDATE"sv,
};
static_assert(method_names.size() == static_cast<std::size_t>(method::update) + 1);

/// In the order of enum header.
constexpr std::array header_names = {
    "Via"sv,
    "Route"sv,
    "Record-Route"sv,
    "Max-Forwards"sv,
    "From"sv,
    "To"sv,
    "Call-ID"sv,
    "CSeq"sv,
    "Contact"sv,
    "P-Asserted-Identity"sv,
    "P-Preferred-Identity"sv,
    "Privacy"sv,
    "Identity"sv,
    "Authorization"sv,
    "Proxy-Authorization"sv,
    "WWW-Authenticate"sv,
    "Proxy-Authenticate"sv,
    "Authentication-Info"sv,
    "Require"sv,
    "Proxy-Require"sv,
    "Supported"sv,
    "Unsupported"sv,
    "Allow"sv,
    "Accept"sv,
    "Accept-Encoding"sv,
    "Accept-Language"sv,
    "Allow-Events"sv,
    "Event"sv,
    "Subscription-State"sv,
    "Expires"sv,
    "Min-Expires"sv,
    "SIP-ETag"sv,
    "SIP-If-Match"sv,
    "Session-Expires"sv,
    "Min-SE"sv,
    "Refer-To"sv,
    "Refer-Sub"sv,
    "Referred-By"sv,
    "Replaces"sv,
    "Join"sv,
    "Target-Dialog"sv,
    "RSeq"sv,
    "RAck"sv,
    "Path"sv,
    "Service-Route"sv,
    "History-Info"sv,
    "Reason"sv,
    "Retry-After"sv,
    "Warning"sv,
    "Error-Info"sv,
    "Alert-Info"sv,
    "Call-Info"sv,
    "In-Reply-To"sv,
    "Organization"sv,
    "Priority"sv,
    "Reply-To"sv,
    "Server"sv,
    "User-Agent"sv,
    "Subject"sv,
    "Date"sv,
    "Timestamp"sv,
    "MIME-Version"sv,
    "Content-Disposition"sv,
    "Content-Encoding"sv,
    "Content-Language"sv,
    "Content-Type"sv,
    "Content-Length"sv,
    ""sv,
};
constexpr std::size_t header_count = static_cast<std::size_t>(header::other);
static_assert(header_names.size() == header_count + 1);

constexpr std::size_t longest_name = 20;

/// The headers sorted by the length of their names: a name is compared with the few that are as long as it.
struct length_index {
  std::array<header, header_count> by_length{};
  std::array<std::uint8_t, longest_name + 2> begin{};
};
constexpr length_index make_length_index() {
  length_index out;
  std::size_t at = 0;
  for (std::size_t length = 0; length <= longest_name; ++length) {
    out.begin[length] = static_cast<std::uint8_t>(at);
    for (std::size_t i = 0; i < header_count; ++i) {
      if (header_names[i].size() == length) out.by_length[at++] = static_cast<header>(i);
    }
  }
  out.begin[longest_name + 1] = static_cast<std::uint8_t>(at);
  return out;
}
constexpr length_index names_by_length = make_length_index();
static_assert(names_by_length.begin.back() == header_count);

header compact_form(char c) {
  switch (text::lower(c)) {
    case 'b': return header::referred_by;  // RFC 3892
    case 'c': return header::content_type;
    case 'e': return header::content_encoding;
    case 'f': return header::from;
    case 'i': return header::call_id;
    case 'k': return header::supported;
    case 'l': return header::content_length;
    case 'm': return header::contact;
    case 'o': return header::event;     // RFC 6665
    case 'r': return header::refer_to;  // RFC 3515
    case 's': return header::subject;
    case 't': return header::to;
    case 'u': return header::allow_events;  // RFC 6665
    case 'v': return header::via;
    case 'x': return header::session_expires;  // RFC 4028
    case 'y': return header::identity;         // RFC 8224
    default: return header::other;
  }
}

}  // namespace

method parse_method(std::string_view token) {
  for (std::size_t i = 1; i < method_names.size(); ++i) {
    if (method_names[i] == token) return static_cast<method>(i);
  }
  return method::unknown;
}

std::string_view to_string(method m) { return method_names[static_cast<std::size_t>(m)]; }

header parse_header_name(std::string_view name) {
  if (name.size() == 1) return compact_form(name.front());
  if (name.empty() || name.size() > longest_name) return header::other;
  const char first = text::lower(name.front());
  for (auto i = names_by_length.begin[name.size()]; i < names_by_length.begin[name.size() + 1]; ++i) {
    const auto id = names_by_length.by_length[i];
    const auto candidate = header_names[static_cast<std::size_t>(id)];
    if (candidate == name) return id;  // as nearly everybody writes it
    if (text::lower(candidate.front()) == first && text::iequals(candidate, name)) return id;
  }
  return header::other;
}

std::string_view to_string(header h) { return header_names[static_cast<std::size_t>(h)]; }

bool is_list(header h) {
  switch (h) {
    case header::via:
    case header::route:
    case header::record_route:
    case header::contact:
    case header::p_asserted_identity:
    case header::p_preferred_identity:
    case header::require:
    case header::proxy_require:
    case header::supported:
    case header::unsupported:
    case header::allow:
    case header::accept:
    case header::accept_encoding:
    case header::accept_language:
    case header::allow_events:
    case header::path:
    case header::service_route:
    case header::history_info:
    case header::reason:
    case header::warning:
    case header::error_info:
    case header::alert_info:
    case header::call_info:
    case header::in_reply_to:
    case header::content_encoding:
    case header::content_language: return true;
    // RFC 3261 §7.3.1: the four of authentication hold commas but are no lists of values.
    case header::authorization:
    case header::proxy_authorization:
    case header::www_authenticate:
    case header::proxy_authenticate:
    case header::authentication_info:
    case header::max_forwards:
    case header::from:
    case header::to:
    case header::call_id:
    case header::cseq:
    case header::privacy:
    case header::identity:
    case header::event:
    case header::subscription_state:
    case header::expires:
    case header::min_expires:
    case header::sip_etag:
    case header::sip_if_match:
    case header::session_expires:
    case header::min_se:
    case header::refer_to:
    case header::refer_sub:
    case header::referred_by:
    case header::replaces:
    case header::join:
    case header::target_dialog:
    case header::rseq:
    case header::rack:
    case header::retry_after:
    case header::organization:
    case header::priority:
    case header::reply_to:
    case header::server:
    case header::user_agent:
    case header::subject:
    case header::date:
    case header::timestamp:
    case header::mime_version:
    case header::content_disposition:
    case header::content_type:
    case header::content_length:
    case header::other: return false;
  }
  return false;
}

std::string_view default_reason(std::uint16_t status) {
  switch (status) {
    case 100: return "Trying";
    case 180: return "Ringing";
    case 181: return "Call Is Being Forwarded";
    case 182: return "Queued";
    case 183: return "Session Progress";
    case 199: return "Early Dialog Terminated";
    case 200: return "OK";
    case 202: return "Accepted";
    case 204: return "No Notification";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Moved Temporarily";
    case 305: return "Use Proxy";
    case 380: return "Alternative Service";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 410: return "Gone";
    case 412: return "Conditional Request Failed";
    case 413: return "Request Entity Too Large";
    case 414: return "Request-URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Unsupported URI Scheme";
    case 417: return "Unknown Resource-Priority";
    case 420: return "Bad Extension";
    case 421: return "Extension Required";
    case 422: return "Session Interval Too Small";
    case 423: return "Interval Too Brief";
    case 424: return "Bad Location Information";
    case 425: return "Bad Alert Message";
    case 428: return "Use Identity Header";
    case 429: return "Provide Referrer Identity";
    case 430: return "Flow Failed";
    case 433: return "Anonymity Disallowed";
    case 436: return "Bad Identity Info";
    case 437: return "Unsupported Credential";
    case 438: return "Invalid Identity Header";
    case 439: return "First Hop Lacks Outbound Support";
    case 440: return "Max-Breadth Exceeded";
    case 469: return "Bad Info Package";
    case 470: return "Consent Needed";
    case 480: return "Temporarily Unavailable";
    case 481: return "Call/Transaction Does Not Exist";
    case 482: return "Loop Detected";
    case 483: return "Too Many Hops";
    case 484: return "Address Incomplete";
    case 485: return "Ambiguous";
    case 486: return "Busy Here";
    case 487: return "Request Terminated";
    case 488: return "Not Acceptable Here";
    case 489: return "Bad Event";
    case 491: return "Request Pending";
    case 493: return "Undecipherable";
    case 494: return "Security Agreement Required";
    case 500: return "Server Internal Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Server Time-out";
    case 505: return "Version Not Supported";
    case 513: return "Message Too Large";
    case 555: return "Push Notification Service Not Supported";
    case 580: return "Precondition Failure";
    case 600: return "Busy Everywhere";
    case 603: return "Decline";
    case 604: return "Does Not Exist Anywhere";
    case 606: return "Not Acceptable";
    case 607: return "Unwanted";
    case 608: return "Rejected";
    default: return {};
  }
}

}  // namespace stox::sip
