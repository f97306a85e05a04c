#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "engine/sandbox.hpp"
#include "gateway/report_queue.hpp"

/// How many reports are kept for SIP users who do not take them now.
namespace stox::engine {
namespace {

using gateway::report_queue;

stored_row asked(const std::string& user, const std::string& id, instant now) {
  receipt_row r;
  r.key = {false, "ana@xmpp.example", user + "@sip.example", id};
  r.delivered = true;
  r.original_id = "m1";
  r.reply_to = "sip:" + user + "@sip.example";
  r.domain = "sip.example";
  r.expiry = now.wall + std::chrono::hours(24);
  return r;
}

class reports : public testing::Test {
 protected:
  void wait_for(std::vector<stored_row> rows) { box.handle(restored{std::move(rows)}); }
  void receipt(const std::string& user, const std::string& id) {
    box.xmpp("<message from='ana@xmpp.example/desk' to='" + user +
             "@sip.example' id='r'><received xmlns='urn:xmpp:receipts' id='" + id + "'/></message>");
  }
  std::vector<std::string> sent() {
    std::vector<std::string> out;
    for (auto& o : box.take())
      if (o.where == sandbox::output::side::sip) out.push_back(std::move(o.text));
    return out;
  }
  void answer(const std::string& request, const std::string& status) {
    std::string out = "SIP/2.0 " + status + "\r\n";
    for (std::size_t at = request.find("\r\n") + 2, end; (end = request.find("\r\n", at)) != at;
         at = end + 2) {
      const auto line = request.substr(at, end - at);
      for (const auto* name : {"Via:", "From:", "To:", "Call-ID:", "CSeq:"})
        if (line.starts_with(name)) out += line + (line.starts_with("To:") ? ";tag=b\r\n" : "\r\n");
    }
    box.sip(out + "Content-Length: 0\r\n\r\n");
  }
  double count(std::string_view name) {
    for (const auto& s : box.core().samples())
      if (s.name == name) return s.value;
    return -1;
  }

  sandbox box{sandbox::sample_settings()};
};

TEST_F(reports, are_lost_where_too_many_stand_in_line_for_one_address) {
  std::vector<stored_row> rows;
  for (std::size_t i = 0; i <= report_queue::most_in_line; ++i)
    rows.push_back(asked("bo", "x" + std::to_string(i), box.now()));
  wait_for(rows);
  box.xmpp("<message from='ana@xmpp.example/desk' to='bo@sip.example' id='m'><body>hi</body></message>");
  auto last = sent();
  ASSERT_EQ(last.size(), 1u);
  for (std::size_t i = 0; i <= report_queue::most_in_line; ++i) receipt("bo", "x" + std::to_string(i));
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(count("reports_lost_total"), 1);
  for (std::size_t i = 0; i < report_queue::most_in_line; ++i) {
    answer(last.front(), "200 OK");
    last = sent();
    ASSERT_EQ(last.size(), 1u) << i;
  }
  answer(last.front(), "200 OK");
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(count("reports_sent_total"), report_queue::most_in_line);
}

TEST_F(reports, are_tried_once_where_too_many_wait_for_another_try) {
  const auto name = [](std::size_t i) { return "u" + std::to_string(i); };
  std::vector<stored_row> rows;
  for (std::size_t i = 0; i <= report_queue::most_paused; ++i) rows.push_back(asked(name(i), "x", box.now()));
  wait_for(rows);
  for (std::size_t i = 0; i <= report_queue::most_paused; ++i) {
    receipt(name(i), "x");
    const auto last = sent();
    ASSERT_EQ(last.size(), 1u) << i;
    answer(last.front(), "480 Temporarily Unavailable");
  }
  EXPECT_EQ(count("reports_lost_total"), 1);
  box.advance(std::chrono::seconds(30));
  EXPECT_EQ(sent().size(), report_queue::most_paused);
}

TEST_F(reports, of_one_user_who_is_away_do_not_take_the_place_of_all) {
  wait_for({asked("cy", "y", box.now())});
  const auto refused = [this](const std::string& user, const std::string& id) {
    receipt(user, id);
    const auto last = sent();
    ASSERT_EQ(last.size(), 1u) << id;
    answer(last.front(), "480 Temporarily Unavailable");
  };
  for (std::size_t i = 0; i <= report_queue::most_paused_of_one; ++i) {
    const auto id = "x" + std::to_string(i);
    wait_for({asked("bo", id, box.now())});
    refused("bo", id);
  }
  EXPECT_EQ(count("reports_lost_total"), 1);
  refused("cy", "y");
  EXPECT_EQ(count("reports_lost_total"), 1);
  // Who was taken from the paused ones leaves room for the next.
  box.advance(std::chrono::seconds(30));
  auto again = sent();
  EXPECT_EQ(again.size(), 2u);
  while (!again.empty()) {
    for (const auto& request : again) answer(request, "200 OK");
    again = sent();
  }
  wait_for({asked("bo", "z", box.now())});
  refused("bo", "z");
  EXPECT_EQ(count("reports_lost_total"), 1);
}

}  // namespace
}  // namespace stox::engine
