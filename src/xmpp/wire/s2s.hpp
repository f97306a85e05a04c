#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "xml/element.hpp"

/// What two servers say to each other before and beside their stanzas: stream headers and features
/// (RFC 6120 §4.7, §4.3.2), STARTTLS (§5), SASL EXTERNAL (§6, XEP-0178), server dialback (XEP-0220),
/// bidirectional streams (XEP-0288), stream management (XEP-0198).
namespace stox::xmpp {

/// The default namespace of a stream between servers.
inline constexpr std::string_view server_ns = "jabber:server";
inline constexpr std::string_view dialback_ns = "jabber:server:dialback";
inline constexpr std::string_view starttls_ns = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view sasl_ns = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view bidi_ns = "urn:xmpp:bidi";
inline constexpr std::string_view sm_ns = "urn:xmpp:sm:3";

/// A stream's root, as far as servers use it. Addresses are as they were written.
struct server_header {
  std::string from, to;
  std::string id;          ///< of the answer only
  bool version_1 = false;  ///< features follow (RFC 6120 §4.7.5)
};
server_header read_server_header(const xml::element& root);
/// Always of version 1.0; empty parts are left out.
std::string write_server_header(const server_header& h);

/// What a server offers.
struct server_features {
  bool starttls = false, starttls_required = false;
  bool external = false;  ///< SASL EXTERNAL
  bool dialback = false;
  bool dialback_errors = false;  ///< XEP-0220 §2.5: several domains on one stream can fail one by one
  bool bidi = false;
  bool sm = false;
};
server_features read_features(const xml::element& e);
std::string write_features(const server_features& f);

std::string write_starttls();
std::string write_proceed();
std::string write_starttls_failure();

/// `authzid`: who wants to be authorised, which XEP-0178 §3 wants to be said; empty: nobody is named.
std::string write_external(std::string_view authzid);
/// Whether the content of <auth/> names that domain, or (a "=" or nothing) nobody else.
bool external_names(const xml::element& auth, std::string_view domain);
std::string write_sasl_success();
/// `condition`: of RFC 6120 §6.5.
std::string write_sasl_failure(std::string_view condition);

enum class dialback_type : std::uint8_t { request, valid, invalid, error };

/// <db:result/> or <db:verify/>; domains as they were written.
struct dialback {
  bool verify = false;
  std::string from, to;
  std::string id;  ///< of a verify: the stream's that the key is for
  dialback_type type = dialback_type::request;
  std::string key;        ///< of a request
  std::string condition;  ///< of an error: a stanza error's (XEP-0220 §2.4.2)
};
/// nullopt: it is none.
std::optional<dialback> read_dialback(const xml::element& e);
std::string write_dialback(const dialback& d);

std::string write_bidi();

std::string write_sm_enable();
/// `id`: to resume by; empty: it cannot be resumed. `max_seconds`: for so long.
std::string write_sm_enabled(std::string_view id, unsigned max_seconds);
std::string write_sm_request();
std::string write_sm_answer(std::uint32_t handled);
std::string write_sm_resume(std::string_view id, std::uint32_t handled);
std::string write_sm_resumed(std::string_view id, std::uint32_t handled);
/// `condition`: a stanza error's, XEP-0198 §5.
std::string write_sm_failed(std::string_view condition);
/// The end of a stream whose peer acknowledged more than it was given (XEP-0198 §4).
std::string write_sm_too_high(std::uint32_t handled, std::uint32_t sent);
/// The attribute h; nullopt: there is none that can be read.
std::optional<std::uint32_t> handled_count(const xml::element& e);

}  // namespace stox::xmpp
