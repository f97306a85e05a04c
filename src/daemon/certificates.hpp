#pragma once

#include <vector>

#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/prefix_set.hpp"
#include "engine/engine.hpp"
#include "net/tcp.hpp"
#include "settings/settings.hpp"

namespace stox::daemon {

/// A line for each certificate that has less than 14 days left, or none.
std::vector<log_record> expiry_warnings(const settings::tls& tls, wall_time now);

/// tls_certificate_expiry_timestamp_seconds for each domain, and what became of the handshakes.
std::vector<engine::sample> tls_samples(const settings::tls& tls, const net::tcp_counters& counts);

/// Who is trusted by address about some domain at least.
prefix_set trusted_peers(const settings::all& s);

/// The domains of ours, as SIP knows them.
std::vector<std::string> served_domains(const settings::gateway& g);

}  // namespace stox::daemon
