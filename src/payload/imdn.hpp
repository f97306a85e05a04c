#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "payload/cpim.hpp"
#include "payload/errc.hpp"
#include "payload/mime.hpp"

/// Instant message disposition notifications, RFC 5438.
namespace stox::payload {

/// What the sender of a message wants to hear, IMDN.Disposition-Notification (§6.2, §10).
struct imdn_request {
  std::string message_id;  ///< empty: nothing can be reported
  bool positive_delivery = false, negative_delivery = false, processing = false, display = false;

  bool wants_any() const { return positive_delivery || negative_delivery || processing || display; }
  friend bool operator==(const imdn_request&, const imdn_request&) = default;
};
imdn_request imdn_request_of(const cpim& m);
/// Adds Message-ID and, if something is wanted, Disposition-Notification to the extensions.
void add_to(cpim& m, const imdn_request& r);

/// Whether all that `m` requires is understood (RFC 3862 §4.7): the header fields of RFC 3862 and, in their
/// own namespace, those of RFC 5438 that are read here.
bool is_understood(const cpim& m);

/// The URI of Original-To (§6.4), for original-recipient-uri; empty: there is none.
std::string original_to_of(const cpim& m);
/// IMDN-Record-Route (§6.5) in their order, whole values: they become the IMDN-Routes of what answers `m`.
std::vector<std::string> record_route_of(const cpim& m);

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
/// Also takes URIs that are percent-encoded as a whole, as the SDK of AG Projects writes them. A status that
/// its kind cannot have (§11.1.7), and two at once, are `error`: nothing claims what may not be.
result<imdn> parse_imdn(std::string_view document);
std::string write(const imdn& d);

/// All IMDNs of a message/imdn+xml body, or of a multipart in which they are aggregated (§8.3); empty: it is
/// none, and a message like others (§9). What cannot be read among others is passed over.
std::vector<imdn> find_imdns(const content_type& type, std::string_view body, const limits& l = {});

}  // namespace stox::payload
