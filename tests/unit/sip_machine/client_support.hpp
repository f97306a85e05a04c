#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sip_script.hpp"

/// Requests of ours and what became of them.
namespace stox::test {

/// A request of ours: no Via, no Max-Forwards.
inline sip_text ours(std::string method = "MESSAGE") {
  sip_text t;
  t.method = std::move(method);
  t.via.clear();
  t.max_forwards.clear();
  t.uri = "sip:ana@sip.example";
  t.from = "<sip:bo@xmpp.example>;tag=g1";
  t.to = "<sip:ana@sip.example>";
  if (t.method != "MESSAGE") t.body.clear();
  return t;
}

inline const sip::target a = sip_world::udp_to("127.0.0.1:5071");
inline const sip::target b = sip_world::udp_to("127.0.0.1:5072");
inline const sip::target tcp_a = sip_world::tcp_to("127.0.0.1:5071");
inline const sip::target tcp_b = sip_world::tcp_to("127.0.0.1:5072");

inline sip::request_failed only_failure(const sip_world& w) {
  const auto all = w.all<sip::request_failed>();
  EXPECT_EQ(all.size(), 1U);
  EXPECT_THAT(w.all<sip::response_received>(), testing::IsEmpty());
  return all.empty() ? sip::request_failed{} : all.front();
}

inline int only_status(const sip_world& w) {
  const auto all = w.all<sip::response_received>();
  EXPECT_EQ(all.size(), 1U);
  EXPECT_THAT(w.all<sip::request_failed>(), testing::IsEmpty());
  return all.empty() ? 0 : all.front().response.status;
}

inline void expect_nothing_left(sip_world& w) {
  w.advance(std::chrono::seconds(40));
  EXPECT_EQ(w.ep.stats().client_transactions, 0U);
  w.advance(std::chrono::minutes(10));  // idle connections
  for (const io::close& c : std::vector(w.closes)) w.handle(io::closed{c.conn, io::fail::closed_here});
  EXPECT_EQ(w.memory.used(), 0U);
  EXPECT_EQ(w.deadlines.size(), 0U);
}

}  // namespace stox::test
