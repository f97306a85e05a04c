#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "engine/engine.hpp"
#include "engine/sandbox.hpp"

using namespace stox;

namespace {

constexpr conn_id listener{1}, peer_stream{2};
const instant now{steady_time(std::chrono::hours(1)), wall_time(std::chrono::hours(1))};

settings::all trusting_by_certificate() {
  auto s = engine::sandbox::sample_settings();
  s.sip.listen.push_back({transport::tls, *socket_address::parse("192.0.2.20:5061")});
  s.sip.trusted_domains = {"proxy.example"};
  s.tls.ca_file = "ca.pem";
  s.tls.ca_pem = "of one authority";
  return s;
}

/// An engine with a TLS stream, whose peer is trusted by what he proved.
class proven_peer : public testing::Test {
 protected:
  proven_peer() : core(trusting_by_certificate(), ids) {
    const auto local = *socket_address::parse("192.0.2.20:5061");
    core.handle(io::event(io::listening{listener, transport::tls, local}), now);
    core.start(now);
    peer_identity who;
    who.chain_ok = true;
    who.has_san = true;
    who.san_dns = {"proxy.example"};
    core.handle(io::event(io::accepted{peer_stream, conn_use::sip, transport::tls, local,
                                       *socket_address::parse("198.51.100.7:40000"), who}),
                now);
    closed();
  }

  /// Whether his stream was closed since the last time.
  bool closed() {
    bool out = false;
    while (const auto a = core.poll()) {
      const auto* what = std::get_if<io::action>(&*a);
      const auto* c = what == nullptr ? nullptr : std::get_if<io::close>(what);
      out |= c != nullptr && c->conn == peer_stream;
    }
    return out;
  }
  bool closed_by(const settings::all& after) {
    core.handle(engine::reconfigured{after}, now);
    return closed();
  }

  counting_ids ids;
  engine::engine core;
  settings::all next = trusting_by_certificate();
};

TEST_F(proven_peer, stays_when_a_reload_changes_nothing_that_he_proved) {
  EXPECT_FALSE(closed_by(next));
  next.sip.hold = std::chrono::seconds(1);
  next.tls.max_handshakes = 7;
  next.tls.ca_file = "the same under another name.pem";
  EXPECT_FALSE(closed_by(next));
}

TEST_F(proven_peer, goes_when_a_reload_brings_other_authorities) {
  next.tls.ca_pem = "of another authority";
  EXPECT_TRUE(closed_by(next));
}

TEST_F(proven_peer, goes_when_a_reload_takes_back_the_systems_authorities) {
  next.tls.ca_pem.clear();
  EXPECT_TRUE(closed_by(next));
}

TEST_F(proven_peer, goes_when_a_reload_wants_another_version_of_tls) {
  next.tls.min_version = settings::tls_version::v1_3;
  EXPECT_TRUE(closed_by(next));
}

TEST_F(proven_peer, goes_when_a_reload_trusts_his_domain_no_longer) {
  next.sip.trusted_domains.clear();
  EXPECT_TRUE(closed_by(next));
}

}  // namespace
