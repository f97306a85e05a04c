#pragma once

#include <optional>
#include <string>
#include <vector>

#include "payload/imdn.hpp"
#include "payload/mime.hpp"
#include "sip/wire/message.hpp"
#include "sip/wire/uri.hpp"
#include "translate/error.hpp"
#include "translate/payload_loss.hpp"
#include "xml/element.hpp"

namespace stox::translate {

/// What the body of a request is: its Content-Type, else text/plain (RFC 3261 §20.15). Errors: malformed.
result<payload::content_type> content_type_of(const sip::request& r);

/// The types of content that a MESSAGE may have, as its Accept header names them.
const std::vector<std::string>& accepted_content();

/// The codings that its body may have (Content-Encoding), beside identity.
const std::vector<std::string>& accepted_encodings();

/// Undoes the Content-Encoding of a request, and takes the header field out. The answer where it cannot: 400
/// (not what it says), 413 (it grows beyond the limits of payload/content_encoding.hpp), 415.
std::optional<sip_status> undo_encoding(sip::request& r);

/// The way of what is reported about a message in CPIM, RFC 5438 §7.2.1.
struct imdn_path {
  std::vector<std::string> route;  ///< the values of IMDN-Record-Route in their order
  std::string original_to;         ///< the URI of Original-To; empty: there is none
  friend bool operator==(const imdn_path&, const imdn_path&) = default;
};

/// What the body of a MESSAGE says.
struct sip_content {
  std::string text;  ///< UTF-8, lines end in LF, only characters that XML allows; never empty
  std::optional<xml::element> xhtml;  ///< the same with its form, XEP-0071; where asked for and given
  std::string languages;              ///< that a part or CPIM names, as Content-Language does; may be empty
  std::string subject;                ///< of CPIM; may be empty
  std::string date_time;              ///< of CPIM, as it stands; may be empty
  payload::imdn_request wanted;       ///< of CPIM: what the sender wants to hear of his message
  imdn_path path;                     ///< of CPIM: where that goes
};

/// Reads a body of that type: text/plain, text/html (made plain), multipart (the best text part) and
/// message/cpim (RFC 3862) with one of these in it. `sender`: whom the request is authorised for; a CPIM From
/// that names somebody else is never believed, and named as a loss. `html`: whether its form is wanted, too.
/// Errors: 400 (not what its type says, or no text), 415.
boost::system::result<sip_content, sip_status> read_content(const result<payload::content_type>& type,
                                                            const sip::request& r, const sip::uri& sender,
                                                            payload::html_form html, loss_list& losses);

}  // namespace stox::translate
