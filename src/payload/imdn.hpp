#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "payload/cpim.hpp"
#include "payload/errc.hpp"

/// Instant message disposition notifications, RFC 5438.
namespace stox::payload {

/// What the sender of a message wants to hear, IMDN.Disposition-Notification (§6.4, §10).
struct imdn_request {
  std::string message_id;  ///< empty: nothing can be reported
  bool positive_delivery = false, negative_delivery = false, processing = false, display = false;

  bool wants_any() const { return positive_delivery || negative_delivery || processing || display; }
  friend bool operator==(const imdn_request&, const imdn_request&) = default;
};
imdn_request imdn_request_of(const cpim& m);
/// Adds Message-ID and, if something is wanted, Disposition-Notification to the extensions.
void add_to(cpim& m, const imdn_request& r);

enum class imdn_kind : std::uint8_t { delivery, processing, display };
enum class imdn_status : std::uint8_t {
  delivered,
  failed,
  displayed,
  processed,
  stored,
  forbidden,  ///< the disposition was denied
  error,  ///< an internal error of whoever reports; also a status that is not known (§11.1.7: extensible)
};

/// A message/imdn+xml document, §11.
struct imdn {
  std::string message_id;                             ///< of the message that it speaks of
  std::string date_time;                              ///< when that one was sent, as its DateTime stood
  std::string recipient_uri, original_recipient_uri;  ///< may be empty
  imdn_kind kind = imdn_kind::delivery;
  imdn_status status = imdn_status::error;
  friend bool operator==(const imdn&, const imdn&) = default;
};
/// Also takes URIs that are percent-encoded as a whole, as the SDK of AG Projects writes them.
result<imdn> parse_imdn(std::string_view document);
std::string write(const imdn& d);

}  // namespace stox::payload
