#include "sip/machine/locator.hpp"

#include <gtest/gtest.h>

namespace {

using namespace stox;
using namespace stox::sip;
using namespace std::chrono_literals;
using io::lookup_status;
using io::record_type;

std::string v4(int last) { return {'\xC0', '\0', '\2', static_cast<char>(last)}; }

struct locator_fixture : testing::Test {
  deadline_index deadlines;
  byte_account memory{1 << 20};
  io_port port;
  counting_ids ids;
  dns::resolver dns{{}, deadlines, memory, port};
  locator find{dns, ids, memory};
  instant now{steady_time{} + 1h, {}};
  const reach v4_only{true, true, false, true, false};

  std::optional<located> start(std::uint64_t request, std::vector<std::string> uris) {
    std::vector<destination> hops;
    for (const auto& u : uris) hops.push_back(*destination_of(*parse_uri(u)));
    return find.start(request, std::move(hops), v4_only, now);
  }
  std::vector<io::lookup> asked() {
    std::vector<io::lookup> out;
    for (auto& a : port.actions())
      if (auto* l = std::get_if<io::lookup>(&a)) out.push_back(*l);
    port.actions().clear();
    return out;
  }
  void answer(const io::lookup& l, lookup_status status, std::vector<std::string> data = {},
              std::uint32_t ttl = 60) {
    dns.handle(io::looked_up{l.id, status, ttl, std::move(data)}, now);
    while (auto a = dns.poll()) find.answered(*a, now);
  }
  static std::string targets(const located& l) {
    std::string out;
    for (const auto& t : l.targets) out += (out.empty() ? "" : ", ") + t.to.to_string();
    return out;
  }
};
using sip_locator = locator_fixture;

TEST_F(sip_locator, an_address_is_there_at_once) {
  const auto found = start(1, {"sip:192.0.2.1"});
  ASSERT_TRUE(found);
  EXPECT_EQ(targets(*found), "192.0.2.1:5060");
  EXPECT_EQ(find.size(), 0U);
}

TEST_F(sip_locator, several_requests_wait_for_one_question) {
  EXPECT_FALSE(start(1, {"sip:a.example:5070"}));
  EXPECT_FALSE(start(2, {"sip:a.example:5080"}));
  const auto questions = asked();
  ASSERT_EQ(questions.size(), 1U);
  answer(questions[0], lookup_status::found, {v4(1)});
  const auto one = find.poll(), two = find.poll();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->request, 1U);
  EXPECT_EQ(targets(one->found), "192.0.2.1:5070");
  EXPECT_EQ(targets(two->found), "192.0.2.1:5080");
  EXPECT_TRUE(start(3, {"sip:a.example:5090"}));  // known now
}

TEST_F(sip_locator, ends_although_nothing_may_be_kept) {
  EXPECT_FALSE(start(1, {"sip:a.example;transport=udp"}));
  auto questions = asked();
  ASSERT_EQ(questions.size(), 1U);
  answer(
      questions[0], lookup_status::found,
      {std::string("\0\0\0\0\x13\xC4\1x\7example\0", 17), std::string("\0\1\0\0\x13\xC5\1y\7example\0", 17)},
      0);
  questions = asked();
  ASSERT_EQ(questions.size(), 2U);
  answer(questions[1], lookup_status::found, {v4(2)}, 0);
  EXPECT_FALSE(find.poll());
  answer(questions[0], lookup_status::found, {v4(1)}, 0);
  const auto out = find.poll();
  ASSERT_TRUE(out);
  EXPECT_EQ(targets(out->found), "192.0.2.1:5060, 192.0.2.2:5061");
  EXPECT_TRUE(asked().empty());
}

TEST_F(sip_locator, hops_follow_one_another_and_a_dead_one_is_passed_over) {
  EXPECT_FALSE(start(1, {"sip:gone.example:5060", "sip:192.0.2.9"}));
  answer(asked().at(0), lookup_status::no_name);
  const auto out = find.poll();
  ASSERT_TRUE(out);
  EXPECT_EQ(targets(out->found), "192.0.2.9:5060");
  EXPECT_EQ(out->found.why, located::reason::none);
}

TEST_F(sip_locator, two_hops_at_one_name_ask_once) {
  EXPECT_FALSE(start(1, {"sip:a.example:1", "sip:a.example:2"}));
  const auto questions = asked();
  ASSERT_EQ(questions.size(), 1U);
  answer(questions[0], lookup_status::found, {v4(1)});
  EXPECT_EQ(targets(find.poll()->found), "192.0.2.1:1, 192.0.2.1:2");
}

TEST_F(sip_locator, says_why_there_is_nothing) {
  EXPECT_FALSE(start(1, {"sip:gone.example:5060"}));
  EXPECT_FALSE(start(2, {"sip:dead.example:5060"}));
  const auto questions = asked();
  answer(questions.at(0), lookup_status::no_name);
  answer(questions.at(1), lookup_status::failed);
  EXPECT_EQ(find.poll()->found.why, located::reason::no_name);
  EXPECT_EQ(find.poll()->found.why, located::reason::no_answer);
}

TEST_F(sip_locator, one_number_may_search_again_while_its_first_question_is_open) {
  EXPECT_FALSE(start(1, {"sip:a.example:5060"}));
  find.stop(1);
  EXPECT_FALSE(start(1, {"sip:a.example:5070"}));
  answer(asked().at(0), lookup_status::found, {v4(1)});
  const auto out = find.poll();
  ASSERT_TRUE(out);
  EXPECT_EQ(targets(out->found), "192.0.2.1:5070");
  EXPECT_FALSE(find.poll());
}

TEST_F(sip_locator, a_server_that_may_be_there_outweighs_one_that_is_not) {
  EXPECT_FALSE(start(1, {"sip:gone.example:5060", "sip:dead.example:5060"}));
  const auto questions = asked();
  answer(questions.at(0), lookup_status::no_name);
  answer(questions.at(1), lookup_status::failed);
  EXPECT_EQ(find.poll()->found.why, located::reason::no_answer);
}

TEST_F(sip_locator, a_hop_that_is_known_does_not_wait_for_later_ones) {
  const auto found = start(1, {"sip:192.0.2.9", "sip:backup.example:5060"});
  ASSERT_TRUE(found);
  EXPECT_EQ(targets(*found), "192.0.2.9:5060");
  answer(asked().at(0), lookup_status::found, {v4(2)});  // for the next request
  EXPECT_FALSE(find.poll());
  EXPECT_EQ(targets(*start(2, {"sip:192.0.2.9", "sip:backup.example:5060"})),
            "192.0.2.9:5060, 192.0.2.2:5060");
}

TEST_F(sip_locator, asks_no_more_than_a_few_dozen_questions) {
  EXPECT_FALSE(start(1, {"sip:a.example"}));
  std::size_t total = 0;
  for (auto questions = asked(); !questions.empty(); questions = asked()) {
    total += questions.size();
    for (const auto& q : questions) {
      std::vector<std::string> data;
      for (char i = 'a'; i < 'z'; ++i) {
        if (q.type == record_type::naptr) {
          data.push_back(std::string("\0\1\0\1\1s\7SIP+D2U\0\1", 15) + i + std::string("\7example\0", 9));
        } else if (q.type == record_type::srv) {
          data.push_back(std::string("\0\0\0\0\x13\xC4\2", 7) + i + q.name.front() +
                         std::string("\7example\0", 9));
        }
      }
      answer(q, data.empty() ? lookup_status::no_data : lookup_status::found, data);
    }
  }
  EXPECT_GT(total, 25U);
  EXPECT_LE(total, 48U);
  ASSERT_TRUE(find.poll());
  EXPECT_EQ(find.size(), 0U);
}

TEST_F(sip_locator, a_stopped_request_hears_nothing) {
  EXPECT_FALSE(start(1, {"sip:a.example:5060"}));
  find.stop(1);
  answer(asked().at(0), lookup_status::found, {v4(1)});
  EXPECT_FALSE(find.poll());
}

}  // namespace
