#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/machine/endpoint.hpp"

namespace stox::sip {

/// The order in which a new request is checked, as a pure function: trust (403) -> method (405, or 501 for
/// one that nobody knows, + Allow; MESSAGE with a To tag and no dialog 481) -> Request-URI scheme and domain
/// (416; 404; SIPS: 480 with Warning 380 "SIPS Not Allowed", RFC 5630 §6, RFC 7247 §8) -> Max-Forwards
/// (483) -> our own Via (482; merged requests are the transaction table's matter) -> Require (420 +
/// Unsupported) -> body (415 + Accept, and a Content-Encoding that nobody undoes: 415 + Accept-Encoding).
/// nullopt: admitted. An OPTIONS to us (no user, or our own name) skips the domain check. `own_hosts`: what
/// our Vias and URIs may name ("host:port" and "host").
std::optional<reply> admit(const request& r, const essentials& head,
                           const boost::system::result<uri, error>& request_uri, const peer_info& peer,
                           const endpoint_options& options, const std::vector<std::string>& own_hosts);

/// The first half of `admit`, up to our own Via. A merged request (482) is told from here on, before the
/// second half.
std::optional<reply> admit_route(const request& r, const essentials& head,
                                 const boost::system::result<uri, error>& request_uri, const peer_info& peer,
                                 const endpoint_options& options, const std::vector<std::string>& own_hosts);
/// The second half: Require and body.
std::optional<reply> admit_content(const request& r, const endpoint_options& options);

/// The value of Allow.
std::string allowed_methods(const endpoint_options& options);
/// The value of Accept-Encoding.
std::string accepted_encodings(const endpoint_options& options);
/// The value of Accept and of Supported.
std::string joined(const std::vector<std::string>& list);

}  // namespace stox::sip
