#include "gateway/reply.hpp"

#include <utility>

#include "gateway/rate_limit.hpp"
#include "sip/wire/uri.hpp"
#include "translate/sip_content.hpp"

namespace stox::gateway {

sip::reply reply_of(const translate::sip_status& s) {
  sip::reply r;
  r.status = s.code;
  r.reason = s.reason;
  if (s.contact) r.headers.add(sip::header::contact, "<" + sip::write(*s.contact) + ">");
  // RFC 3261 §21.4.6 and §21.4.13: these MUST say what would do.
  if (s.allow) r.headers.add(sip::header::allow, "MESSAGE, OPTIONS, CANCEL, ACK");
  if (s.code == 415) {
    std::string types;
    for (const auto& type : translate::accepted_content()) types += (types.empty() ? "" : ", ") + type;
    r.headers.add(sip::header::accept, std::move(types));
    std::string codings = "identity";
    for (const auto& coding : translate::accepted_encodings()) codings += ", " + coding;
    r.headers.add(sip::header::accept_encoding, std::move(codings));
  }
  return r;
}

sip::reply come_again(std::string_view reason, duration after) {
  sip::reply r;
  r.status = 480;
  r.reason = reason;
  r.headers.add(sip::header::retry_after, std::to_string(seconds_of(after)));
  return r;
}

sip::reply busy(std::string_view reason, const context& c) {
  return come_again(reason, c.settings().sip.hold);
}

}  // namespace stox::gateway
