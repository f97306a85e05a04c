#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "config/options.hpp"

/// The parts of the option table, in the order of the reference, and what they share.
namespace stox::config {

std::span<const option> gateway_options();
std::span<const option> sip_options();
std::span<const option> tls_options();
std::span<const option> component_options();  ///< xmpp.component
std::span<const option> s2s_options();        ///< xmpp.s2s, xmpp.s2s.peer
std::span<const option> chat_options();
std::span<const option> operation_options();  ///< dns, store, admin, limits, log

/// Each of these returns an empty string on success, else "what; hint" for the error line.
/// For the option of all domains and for the one of a domain.
std::string add_route(std::vector<settings::sip_route>& to, const std::string& text);
std::string add_peer(std::vector<ip_prefix>& to, const std::string& text);
std::string set_message_type(settings::message_type& to, const std::string& text);
std::string set_first_form(settings::first_form& to, const std::string& text);
std::string set_domain(std::string& to, const std::string& text);
std::string add_domain(std::vector<std::string>& to, const std::string& text);

/// Where a federating gateway listens that says nothing of it.
inline constexpr std::string_view default_s2s_listen = "tcp:[::]:5269";
inline constexpr std::string_view default_s2s_tls_listen = "tcp:[::]:5270";
/// As settings::own_surroundings().
inline constexpr std::string_view default_never_connect = "127.0.0.0/8, ::1/128, 169.254.0.0/16, fe80::/10";

std::int64_t to_ms(duration d);

/// The tables of the arrays, for the diff of a reload.
std::vector<table_row> domain_rows(const settings::all& s);
std::vector<table_row> credential_rows(const settings::all& s);
std::vector<table_row> certificate_rows(const settings::all& s);
std::vector<table_row> component_rows(const settings::all& s);
std::vector<table_row> peer_rows(const settings::all& s);

}  // namespace stox::config
