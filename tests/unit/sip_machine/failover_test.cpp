// One request and several targets: who is tried next, and who is left alone.
#include "unit/sip_machine/client_support.hpp"

namespace stox::test {
namespace {

using namespace std::chrono_literals;
using sip::failure;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(failover, goes_to_the_next_target_with_a_new_branch_only) {
  sip_world w;
  w.request(ours(), {a, b});
  w.advance(6s);
  EXPECT_THAT(w.timeline(),
              ElementsAre("0 MESSAGE", "500 MESSAGE", "1500 MESSAGE", "3500 MESSAGE", "6000 MESSAGE"));
  EXPECT_EQ(w.sends.back().what.to, b.to);
  std::string first = w.sends[0].what.bytes;
  first.replace(first.find("z9hG4bK-1"), 9, "z9hG4bK-2");
  EXPECT_EQ(w.last(), first);
  w.datagram(answer_to(w.last(), 200), "127.0.0.1:5072");
  EXPECT_EQ(only_status(w), 200);
  expect_nothing_left(w);
}

// RFC 3261 §17.1.2.2: Timer K is that of the transport by which the attempt went, whichever is the last.
TEST(failover, absorbs_copies_of_an_answer_over_udp_also_after_an_attempt_over_tcp) {
  sip_world w;
  w.request(ours(), {a, tcp_b});
  const std::string first = w.last();
  w.advance(6s);
  ASSERT_EQ(w.opens.size(), 1U);
  w.datagram(answer_to(first, 200), "127.0.0.1:5071");
  EXPECT_EQ(only_status(w), 200);
  w.advance(4999ms);
  w.datagram(answer_to(first, 200), "127.0.0.1:5071");
  EXPECT_EQ(w.ep.stats().retransmissions_in, 1U);
  EXPECT_EQ(w.ep.stats().stray_responses, 0U);
}

TEST(failover, keeps_to_one_budget_over_all_targets) {
  sip_world w;
  w.request(ours(), {a, b, a, b});
  w.advance(31999ms);
  EXPECT_THAT(w.events, IsEmpty());
  w.advance(1ms);
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
  expect_nothing_left(w);
}

TEST(failover, takes_482_from_a_later_target_as_arrived_earlier) {
  sip_world w;
  w.request(ours(), {a, b});
  w.advance(6s);
  w.datagram(answer_to(w.last(), 482), "127.0.0.1:5072");
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
  expect_nothing_left(w);
}

TEST(failover, passes_482_on_where_nothing_was_sent_earlier) {
  sip_world first;
  first.request(ours(), {a});
  first.datagram(answer_to(first.last(), 482));
  EXPECT_EQ(only_status(first), 482);

  sip_world refused;
  refused.request(ours(), {tcp_a, b});
  refused.handle(io::closed{refused.opens.at(0).conn, io::fail::refused});
  refused.datagram(answer_to(refused.last(), 482));
  EXPECT_EQ(only_status(refused), 482);

  sip_world busy;
  busy.request(ours(), {a, b});
  busy.datagram(answer_to(busy.last(), 503));
  busy.datagram(answer_to(busy.last(), 482));
  EXPECT_EQ(only_status(busy), 482);
}

TEST(failover, accepts_the_late_answer_of_an_earlier_target) {
  sip_world w;
  w.request(ours(), {a, b});
  const std::string ok = answer_to(w.last(), 200);
  w.advance(7s);
  w.datagram(ok, "127.0.0.1:5071");
  EXPECT_EQ(only_status(w), 200);
  w.datagram(answer_to(w.last(), 482), "127.0.0.1:5072");
  EXPECT_EQ(only_status(w), 200);
  const auto sends = w.sends.size();
  w.advance(20s);
  EXPECT_EQ(w.sends.size(), sends);
  expect_nothing_left(w);
}

TEST(failover, follows_a_503_at_once_and_gives_up_with_the_last_one) {
  sip_world w;
  w.request(ours(), {a, b});
  w.datagram(answer_to(w.last(), 503));
  EXPECT_THAT(w.timeline(), ElementsAre("0 MESSAGE", "0 MESSAGE"));
  EXPECT_THAT(w.events, IsEmpty());
  w.datagram(answer_to(w.last(), 503));
  EXPECT_EQ(only_status(w), 503);
  expect_nothing_left(w);
}

TEST(failover, does_not_take_the_last_503_for_an_answer_while_an_earlier_target_is_in_doubt) {
  sip_world w;
  w.request(ours(), {a, b});
  w.advance(6s);
  w.datagram(answer_to(w.last(), 503));
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
  EXPECT_TRUE(only_failure(w).may_have_arrived);
}

TEST(failover, opens_a_new_stream_when_the_one_that_stood_open_is_dead) {
  sip_world w;
  w.request(ours(), {tcp_a});
  ASSERT_EQ(w.opens.size(), 1U);
  w.open(w.opens[0].conn);
  w.datagram(answer_to(w.last(), 200));
  w.stream(w.opens[0].conn, answer_to(w.last(), 200));
  w.forget();
  w.report_sends = false;
  auto second = ours();
  second.cseq = "2";
  const auto dead = w.sends.size();
  w.request(second, {tcp_a});
  ASSERT_EQ(w.sends.size(), dead + 1);
  // The proxy had closed it; the kernel takes nothing for it any more.
  w.handle(io::send_failed{w.sends.back().what.tok, io::fail::reset});
  ASSERT_EQ(w.opens.size(), 1U) << "a new stream";
  w.report_sends = true;
  w.open(w.opens[0].conn);
  w.stream(w.opens[0].conn, answer_to(w.last(), 200));
  EXPECT_EQ(only_status(w), 200);
  // Once: a server that takes no stream has failed.
  w.forget();
  w.report_sends = false;
  auto third = ours();
  third.cseq = "3";
  w.request(third, {tcp_a});
  w.handle(io::send_failed{w.sends.back().what.tok, io::fail::reset});
  ASSERT_EQ(w.opens.size(), 1U);
  w.handle(io::closed{w.opens[0].conn, io::fail::refused});
  EXPECT_EQ(only_failure(w).why, failure::transport);
  EXPECT_FALSE(only_failure(w).may_have_arrived);
}

TEST(failover, ignores_a_late_503_of_a_target_that_was_left) {
  sip_world w;
  w.request(ours(), {a, b});
  const std::string late = answer_to(w.last(), 503);
  w.advance(6s);
  w.datagram(late);
  EXPECT_THAT(w.events, IsEmpty());
  w.datagram(answer_to(w.last(), 503));
  EXPECT_EQ(only_status(w), 503);  // both said that they did not do it
}

/// 503 with that Retry-After to the last request sent.
std::string pause_asked(const sip_world& w, const std::string& retry_after) {
  std::string text = answer_to(w.last(), 503);
  return text.insert(text.find("Content-Length"), "Retry-After: " + retry_after + "\r\n");
}

TEST(pause, keeps_requests_from_a_target_for_the_time_that_it_named) {
  sip_world w;
  w.request(ours(), {a});
  w.datagram(pause_asked(w, "10 (too much);duration=3600"));
  EXPECT_EQ(only_status(w), 503);
  w.advance(9999ms);
  w.forget();
  w.request(ours(), {a});
  w.request(ours(), {tcp_a});  // the same server
  EXPECT_THAT(w.sends, IsEmpty());
  EXPECT_THAT(w.opens, IsEmpty());
  const auto failures = w.all<sip::request_failed>();
  ASSERT_EQ(failures.size(), 2U);
  for (const auto& f : failures) {
    EXPECT_EQ(f.why, failure::held_back);
    EXPECT_FALSE(f.may_have_arrived);
    EXPECT_EQ(f.detail, "127.0.0.1:5071 asked for a pause");
  }
  w.forget();
  w.request(ours(), {b});  // another server
  EXPECT_EQ(w.sends.size(), 1U);
  w.datagram(answer_to(w.last(), 200));
  w.advance(1ms);
  w.forget();
  w.request(ours(), {a});
  EXPECT_EQ(w.sends.size(), 1U);
  w.datagram(answer_to(w.last(), 200));
  expect_nothing_left(w);
}

TEST(pause, is_not_longer_than_a_minute_nor_shortened_by_what_was_under_way) {
  sip_world w;
  w.request(ours(), {a});
  const std::string longer = pause_asked(w, "4294967295");
  w.request(ours(), {a});
  const std::string shorter = pause_asked(w, "1");
  w.datagram(longer);
  w.datagram(shorter);
  EXPECT_EQ(w.all<sip::response_received>().size(), 2U);
  w.advance(59999ms);
  w.forget();
  w.request(ours(), {a});
  EXPECT_THAT(w.sends, IsEmpty());
  w.advance(1ms);
  w.request(ours(), {a});
  EXPECT_EQ(w.sends.size(), 1U);
}

TEST(pause, is_not_asked_for_by_other_answers) {
  for (const char* value : {"", "0", "soon", "-1", "Thu, 01 Jan 2099 00:00:00 GMT"}) {
    sip_world w;
    w.request(ours(), {a});
    w.datagram(*value == '\0' ? answer_to(w.last(), 503) : pause_asked(w, value));
    EXPECT_EQ(only_status(w), 503);
    w.request(ours(), {a});
    EXPECT_EQ(w.sends.size(), 2U) << value;
  }
  sip_world w;
  w.request(ours(), {a});
  std::string busy = answer_to(w.last(), 480);  // the user's, not the server's
  w.datagram(busy.insert(busy.find("Content-Length"), "Retry-After: 10\r\n"));
  EXPECT_EQ(only_status(w), 480);
  w.request(ours(), {a});
  EXPECT_EQ(w.sends.size(), 2U);
  // Nor by a 503 to something that we never sent.
  std::string stray = pause_asked(w, "10");
  w.datagram(stray.replace(stray.find("z9hG4bK"), 9, "z9hG4bK-9"));
  w.forget();
  w.request(ours(), {a});
  EXPECT_EQ(w.sends.size(), 1U);
}

TEST(pause, leaves_the_next_target_in_charge) {
  sip_world w;
  w.request(ours(), {a, b});
  w.datagram(pause_asked(w, "10"));
  EXPECT_EQ(w.sends.back().what.to, b.to);
  w.datagram(answer_to(w.last(), 200));
  w.forget();
  w.request(ours(), {a, b});
  ASSERT_EQ(w.sends.size(), 1U);
  EXPECT_EQ(w.last().find("127.0.0.1:5071"), std::string::npos);
  EXPECT_EQ(w.sends[0].what.to, b.to);
  w.datagram(pause_asked(w, "10"));  // nobody is left: its own answer counts
  EXPECT_EQ(only_status(w), 503);
  w.forget();
  w.request(ours(), {a, b});
  EXPECT_EQ(only_failure(w).why, failure::held_back);
  EXPECT_THAT(w.sends, IsEmpty());
  expect_nothing_left(w);
}

TEST(pause, does_not_stop_what_was_sent_before) {
  sip_world w;
  w.request(ours(), {a});
  const std::string first = pause_asked(w, "10");
  w.request(ours(), {a});
  w.datagram(first);
  w.forget();
  w.advance(500ms);
  EXPECT_EQ(w.sends.size(), 1U);
  w.datagram(answer_to(w.last(), 200));
  EXPECT_EQ(only_status(w), 200);
}

TEST(failover, waits_for_a_target_that_said_100) {
  sip_world w;
  w.request(ours(), {a, b});
  w.advance(3600ms);
  w.datagram(answer_to(w.last(), 100));
  w.advance(28s);
  for (const auto& s : w.sends) EXPECT_EQ(s.what.to, a.to);
  w.advance(1s);
  EXPECT_EQ(only_failure(w).why, failure::timed_out);
}

TEST(failover, passes_on_any_other_failure) {
  for (const int code : {400, 404, 408, 480, 500, 600}) {
    sip_world w;
    w.request(ours(), {a, b});
    w.datagram(answer_to(w.last(), code));
    EXPECT_EQ(only_status(w), code);
    EXPECT_EQ(w.sends.size(), 1U);
  }
}

TEST(failover, follows_broken_transports_of_every_kind) {
  sip_world udp;
  udp.fail_send = 1;
  udp.request(ours(), {a, b});
  ASSERT_EQ(udp.sends.size(), 2U);
  EXPECT_EQ(udp.sends[1].what.to, b.to);

  sip_world refused;
  refused.request(ours(), {tcp_a, tcp_b});
  refused.handle(io::closed{refused.opens.at(0).conn, io::fail::refused});
  ASSERT_EQ(refused.opens.size(), 2U);
  refused.open(refused.opens[1].conn);
  refused.stream(refused.opens[1].conn, answer_to(refused.last(), 202));
  EXPECT_EQ(only_status(refused), 202);

  sip_world lost;
  lost.request(ours(), {tcp_a, b});
  lost.open(lost.opens.at(0).conn);
  lost.handle(io::closed{lost.opens[0].conn, io::fail::peer_closed});
  ASSERT_EQ(lost.sends.size(), 2U);
  lost.datagram(answer_to(lost.last(), 482));
  EXPECT_EQ(only_failure(lost).why, failure::timed_out);
  EXPECT_TRUE(only_failure(lost).may_have_arrived);
  expect_nothing_left(lost);
}

TEST(failover, survives_the_failure_of_any_single_send) {
  for (const auto& targets :
       {std::vector{a}, std::vector{a, b}, std::vector{tcp_a, b}, std::vector{a, tcp_b}}) {
    for (int n = 1; n <= 12; ++n) {
      for (const io::fail why : {io::fail::unreachable, io::fail::overflow, io::fail::reset}) {
        sip_world w;
        w.fail_send = n;
        w.fail_why = why;
        w.request(ours(), targets);
        for (std::size_t i = 0; i < w.opens.size(); ++i) w.open(w.opens[i].conn);
        w.advance(6s);
        for (std::size_t i = 0; i < w.opens.size(); ++i) w.open(w.opens[i].conn);
        w.advance(40s);
        EXPECT_EQ(w.all<sip::request_failed>().size(), 1U) << "send " << n;
        expect_nothing_left(w);
      }
    }
  }
}

}  // namespace
}  // namespace stox::test
