#include "dns/resolver.hpp"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::dns;
using namespace std::chrono_literals;
using io::lookup_status;
using io::record_type;

const question www{record_type::a, "www.example"};
const std::string localhost("\x7f\0\0\1", 4);

struct fixture : testing::Test {
  deadline_index deadlines;
  byte_account memory{1 << 20};
  io_port port;
  resolver_options options;
  std::optional<resolver> made;
  instant now{steady_time{} + 1h, {}};

  resolver& r() {
    if (!made) made.emplace(options, deadlines, memory, port);
    return *made;
  }
  void advance(duration d) {
    now.steady += d;
    while (const auto key = deadlines.pop_due(now.steady)) {
      EXPECT_EQ(key->owner, timer_owner::dns);
      r().handle_timeout(key->id, now);
    }
  }
  // What the rim was asked since the last call.
  std::vector<io::lookup> asked() {
    std::vector<io::lookup> out;
    for (auto& a : port.actions())
      if (const auto* l = std::get_if<io::lookup>(&a)) out.push_back(*l);
    port.actions().clear();
    return out;
  }
  io::lookup ask_anew(const question& q) {
    EXPECT_EQ(r().ask(q, now), std::nullopt);
    const auto all = asked();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? io::lookup{} : all.front();
  }
};
using dns_resolver = fixture;

TEST_F(dns_resolver, asks_once_however_many_wait) {
  const auto l = ask_anew(www);
  EXPECT_EQ(l.name, "www.example");
  EXPECT_EQ(l.type, record_type::a);
  EXPECT_EQ(r().ask(www, now), std::nullopt);
  EXPECT_TRUE(asked().empty());
  r().handle(io::looked_up{l.id, lookup_status::found, 60, {localhost}}, now);
  const auto a = r().poll();
  ASSERT_TRUE(a);
  EXPECT_EQ(a->question, www);
  EXPECT_EQ(a->answer.all<ip_address>(), std::vector{*ip_address::parse("127.0.0.1")});
  EXPECT_FALSE(r().poll());
}

TEST_F(dns_resolver, keeps_an_answer_for_its_ttl) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {localhost}}, now);
  advance(59s);
  EXPECT_TRUE(r().ask(www, now));
  advance(1s);
  EXPECT_FALSE(r().ask(www, now));
  EXPECT_EQ(asked().size(), 1U);
}

TEST_F(dns_resolver, keeps_nothing_with_a_ttl_of_zero) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 0, {localhost}}, now);
  EXPECT_TRUE(r().poll());
  EXPECT_FALSE(r().ask(www, now));
  EXPECT_EQ(memory.used(), 0U);
}

TEST_F(dns_resolver, keeps_no_such_name_for_five_minutes_at_most) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::no_name, 86'400, {}}, now);
  advance(299s);
  EXPECT_EQ(r().ask(www, now)->status, lookup_status::no_name);
  advance(1s);
  EXPECT_FALSE(r().ask(www, now));
}

TEST_F(dns_resolver, fails_after_its_timeout_and_ignores_the_late_answer) {
  const auto l = ask_anew(www);
  advance(5s);
  ASSERT_EQ(port.actions().size(), 1U);
  EXPECT_EQ(std::get<io::cancel_lookup>(port.actions().front()).id, l.id);
  EXPECT_EQ(r().poll()->answer.status, lookup_status::failed);
  r().handle(io::looked_up{l.id, lookup_status::found, 60, {localhost}}, now);
  EXPECT_FALSE(r().poll());
  EXPECT_EQ(r().stats().timed_out, 1U);
}

TEST_F(dns_resolver, asks_again_soon_after_a_failure) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::failed, 0, {}}, now);
  EXPECT_EQ(r().ask(www, now)->status, lookup_status::failed);
  advance(5s);
  EXPECT_FALSE(r().ask(www, now));
}

TEST_F(dns_resolver, leaves_out_records_that_cannot_be_read) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {"bad", localhost}}, now);
  EXPECT_EQ(r().poll()->answer.records.size(), 1U);
  EXPECT_EQ(r().stats().bad_records, 1U);
  const question v6{record_type::aaaa, "www.example"};
  r().handle(io::looked_up{ask_anew(v6).id, lookup_status::found, 60, {"bad"}}, now);
  EXPECT_EQ(r().poll()->answer.status, lookup_status::failed);
}

TEST_F(dns_resolver, forgets_what_was_not_used_for_longest) {
  options.cache_entries = 2;
  for (const char* name : {"a", "b"})
    r().handle(io::looked_up{ask_anew({record_type::a, name}).id, lookup_status::found, 60, {localhost}},
               now);
  EXPECT_TRUE(r().ask({record_type::a, "a"}, now));
  r().handle(io::looked_up{ask_anew({record_type::a, "c"}).id, lookup_status::found, 60, {localhost}}, now);
  EXPECT_TRUE(r().ask({record_type::a, "a"}, now));
  EXPECT_FALSE(r().ask({record_type::a, "b"}, now));
}

TEST_F(dns_resolver, keeps_nothing_when_the_memory_is_used_up) {
  memory.take(1 << 20);
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {localhost}}, now);
  EXPECT_TRUE(r().poll());
  EXPECT_EQ(memory.used(), std::size_t{1} << 20);
  EXPECT_FALSE(r().ask(www, now));
}

TEST_F(dns_resolver, keeps_of_a_long_answer_what_is_to_be_tried_first) {
  const question services{record_type::srv, "_sip._udp.example"};
  std::vector<std::string> data;
  for (int i = 0; i < 1000; ++i)
    data.push_back(
        std::string{static_cast<char>((999 - i) >> 8), static_cast<char>(999 - i), 0, 0, 0, 1, 1, 'h', 0});
  r().handle(io::looked_up{ask_anew(services).id, lookup_status::found, 60, data}, now);
  const auto all = r().ask(services, now)->all<srv_record>();
  ASSERT_EQ(all.size(), most_records);
  EXPECT_EQ(all.front().priority, 0);
  EXPECT_EQ(all.back().priority, most_records - 1);
}

TEST_F(dns_resolver, takes_a_quarter_of_the_memory_at_most) {
  for (int i = 0; i < 4000; ++i) {
    const question q{record_type::a, "host" + std::to_string(i) + ".example"};
    r().handle(io::looked_up{ask_anew(q).id, lookup_status::found, 60, {localhost}}, now);
    EXPECT_TRUE(r().ask(q, now));
  }
  EXPECT_LE(memory.used(), memory.limit() / 4);
  EXPECT_GT(memory.used(), memory.limit() / 8);
}

TEST_F(dns_resolver, gives_back_what_is_out_of_date) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {localhost}}, now);
  advance(59s);
  r().tidy(now);
  EXPECT_GT(memory.used(), 0U);
  advance(1s);
  r().tidy(now);
  EXPECT_EQ(memory.used(), 0U);
  EXPECT_FALSE(r().ask(www, now));
}

TEST_F(dns_resolver, forgets_what_other_servers_said) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {localhost}}, now);
  r().clear();
  EXPECT_EQ(memory.used(), 0U);
  EXPECT_FALSE(r().ask(www, now));
}

TEST_F(dns_resolver, refuses_more_questions_than_may_be_open) {
  options.open_questions = 1;
  ask_anew(www);
  EXPECT_EQ(r().ask({record_type::a, "other.example"}, now)->status, lookup_status::failed);
  EXPECT_EQ(r().stats().refused, 1U);
  EXPECT_TRUE(asked().empty());
}

TEST_F(dns_resolver, gives_its_deadlines_and_memory_back) {
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {localhost}}, now);
  ask_anew({record_type::a, "other.example"});
  made.reset();
  EXPECT_EQ(deadlines.size(), 0U);
  EXPECT_EQ(memory.used(), 0U);
}

// What the log says, as "event question".
std::vector<std::string> lines(resolver& r) {
  std::vector<std::string> out;
  for (const auto& l : r.take_log()) out.push_back(std::string(l.event) + " " + l.fields.at(0).second);
  return out;
}

TEST_F(dns_resolver, warns_of_a_name_that_fails_once_a_minute) {
  const auto fail = [&] {
    r().handle(io::looked_up{ask_anew(www).id, lookup_status::failed, 0, {}}, now);
    advance(options.failure);
  };
  const auto answer = [&] {
    r().handle(io::looked_up{ask_anew({record_type::a, "other.example"}).id, lookup_status::no_name, 0, {}},
               now);
  };
  fail();
  EXPECT_EQ(lines(r()), std::vector<std::string>{"dns.no_answer A www.example"});
  for (int i = 0; i < 8; ++i) {
    answer();
    fail();
  }
  EXPECT_EQ(lines(r()), std::vector<std::string>{}) << "other names work, and the minute is not over";
  advance(1min);
  answer();
  fail();
  const auto last = r().take_log();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].fields.at(2), (std::pair<std::string_view, std::string>("failures", "9")));
}

TEST_F(dns_resolver, tells_the_begin_of_an_outage_at_once_and_its_end) {
  for (int i = 0; i < 5; ++i) {
    ask_anew({record_type::srv, "d" + std::to_string(i) + ".example"});
    advance(options.timeout);
  }
  EXPECT_EQ(lines(r()),
            (std::vector<std::string>{"dns.no_answer SRV d0.example", "dns.outage SRV d2.example"}));
  r().handle(io::looked_up{ask_anew(www).id, lookup_status::found, 60, {localhost}}, now);
  EXPECT_EQ(lines(r()), std::vector<std::string>{"dns.answers_again A www.example"});
  r().handle(io::looked_up{ask_anew({record_type::a, "x.example"}).id, lookup_status::found, 60, {localhost}},
             now);
  EXPECT_EQ(lines(r()), std::vector<std::string>{});
}

}  // namespace
