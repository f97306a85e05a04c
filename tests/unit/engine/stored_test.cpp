#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/row_text.hpp"
#include "engine/sandbox.hpp"
#include "engine/trace.hpp"

/// Rows at the engine's edge: what is saved leaves as an action, what the store holds comes in as an event,
/// and a trace has both.
namespace stox::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const wall_time noon{std::chrono::seconds(1'577'836'800)};
const capability_row capability{
    "sip:b,o%20@sip.example",     "accept", "text/plain message/cpim", "accept", noon, "sip.example", 3,
    noon + std::chrono::hours(24)};

receipt_row receipt() {
  receipt_row r;
  r.key = {true, "ana@xmpp.example", "bo@sip.example", "imdn 1\n"};
  r.delivered = r.displayed = true;
  r.original_id = "m,1";
  r.reply_to = "ana@xmpp.example/\xC3\xA4 desk";
  r.call_id = "";
  r.domain = "sip.example";
  r.expiry = noon + std::chrono::hours(24);
  return r;
}

std::vector<std::string> rows_of(sandbox& box) {
  std::vector<std::string> out;
  for (const auto& o : box.take()) {
    if (o.where == sandbox::output::side::row) out.push_back(o.text);
  }
  return out;
}

std::string message_accepting(const std::string& types) {
  return "MESSAGE sip:ana@xmpp.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-a\r\n"
         "Max-Forwards: 70\r\nFrom: <sip:Bo@sip.example>;tag=1\r\nTo: <sip:ana@xmpp.example>\r\n"
         "Call-ID: a\r\nCSeq: 1 MESSAGE\r\nAccept: " +
         types + "\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
}

TEST(row_text, reads_back_whatever_stands_in_the_row) {
  for (const auto& row : {stored_row(capability), stored_row(receipt()), stored_row(receipt_row())}) {
    const auto text = row_text(row);
    EXPECT_EQ(text.find(' '), std::string::npos) << text;
    EXPECT_EQ(parse_row(text), row) << text;
  }
  EXPECT_EQ(row_text(capability),
            "capability=sip:b%2Co%2520@sip.example,accept,text/plain%20message/cpim,accept,1577836800,"
            "sip.example,3,1577923200");
  for (const auto* bad :
       {"", "row=1", "capability=", "capability=a,b,c,d,1,e,2", "capability=a,b,c,d,1,e,2,3,4",
        "capability=a,b,c,d,x,e,2,3", "capability=a%,b,c,d,1,e,2,3", "receipt=2,a,b,c",
        "capability=a,b,c,d,9000000001,e,2,3"}) {
    EXPECT_EQ(parse_row(bad), std::nullopt) << bad;
  }
}

TEST(stored, events_and_actions_stand_in_a_trace_and_read_back) {
  std::vector<std::string> lines;
  trace_writer writer([&](std::string_view l) { lines.emplace_back(l); }, false);
  const instant now{steady_time(std::chrono::seconds(5)), noon};
  std::string storage;
  writer.on_event(restored{{capability, receipt()}}, now);
  auto back = parse_trace_event(lines.back(), storage);
  ASSERT_TRUE(back) << lines.back();
  EXPECT_THAT(std::get<restored>(back->event).rows,
              ElementsAre(stored_row(capability), stored_row(receipt())));
  writer.on_event(restored{}, now);
  back = parse_trace_event(lines.back(), storage);
  ASSERT_TRUE(back);
  EXPECT_THAT(std::get<restored>(back->event).rows, IsEmpty());
  writer.on_event(peer_forgotten{"sip:bo@sip.example"}, now);
  back = parse_trace_event(lines.back(), storage);
  ASSERT_TRUE(back);
  EXPECT_EQ(std::get<peer_forgotten>(back->event).name, "sip:bo@sip.example");
  EXPECT_FALSE(parse_trace_event("> 1 5 6 restored capability=a,b", storage));

  writer.on_action(row_saved{receipt()}, now);
  EXPECT_THAT(lines.back(),
              HasSubstr(" save receipt=1,ana@xmpp.example,bo@sip.example,imdn%201%0A,1,0,1,m%2C1,"));
  writer.on_action(row_removed{receipt().key}, now);
  EXPECT_THAT(lines.back(), HasSubstr(" remove receipt=1,ana@xmpp.example,bo@sip.example,imdn%201%0A"));
  writer.on_action(row_removed{capability_key{"a b"}}, now);
  EXPECT_THAT(lines.back(), HasSubstr(" remove capability=a%20b"));
}

TEST(stored, rows_leave_come_back_and_are_forgotten) {
  sandbox box(sandbox::sample_settings());
  box.sip(message_accepting("message/cpim"));
  const auto left = rows_of(box);
  ASSERT_EQ(left.size(), 2U);
  EXPECT_THAT(left[0], HasSubstr("save capability=sip:bo@sip.example,cpim,yes,accept,"));
  EXPECT_THAT(left[1], HasSubstr("save capability=sip:bo@sip.example,accept,message/cpim,accept,"));
  const auto known = box.core().peer("sip:BO@sip.example", box.now());
  ASSERT_TRUE(known);
  ASSERT_EQ(known->facts.size(), 2U);

  sandbox::options how;
  how.stored = box.stored();
  how.stored.emplace_back(receipt());
  sandbox next(sandbox::sample_settings(), how);
  const auto again = next.core().peer("bo@sip.example", next.now());
  ASSERT_TRUE(again);
  ASSERT_EQ(again->facts.size(), 2U);
  EXPECT_EQ(again->facts[0].feature, "cpim");
  EXPECT_EQ(again->facts[0].value, "yes");
  EXPECT_EQ(again->facts[0].how, "accept");
  EXPECT_EQ(again->facts[0].learned, known->facts[0].learned);
  EXPECT_EQ(again->facts[0].expires, known->facts[0].learned + std::chrono::hours(24 * 30));
  const auto samples = next.core().samples();
  EXPECT_TRUE(std::any_of(samples.begin(), samples.end(),
                          [](const sample& s) { return s.name == "open_receipts" && s.value == 1; }));

  next.handle(peer_forgotten{again->name});
  EXPECT_THAT(rows_of(next), ElementsAre("remove capability=sip:bo@sip.example"));
  EXPECT_THAT(next.core().peer("bo@sip.example", next.now())->facts, IsEmpty());
  ASSERT_EQ(next.stored().size(), 1U);
  EXPECT_EQ(next.stored()[0], stored_row(receipt()));
  next.restart();
  EXPECT_THAT(next.core().peer("bo@sip.example", next.now())->facts, IsEmpty());
}

TEST(stored, nothing_is_learned_from_who_is_not_trusted) {
  sandbox box(sandbox::sample_settings());
  box.sip_from({*ip_address::parse("198.51.100.7"), 5060}, message_accepting("message/cpim"));
  EXPECT_THAT(rows_of(box), IsEmpty());
  EXPECT_THAT(box.core().peer("sip:bo@sip.example", box.now())->facts, IsEmpty());
  EXPECT_EQ(box.core().peer("sip.example", box.now()), std::nullopt);
}

TEST(stored, what_has_expired_is_not_shown) {
  sandbox box(sandbox::sample_settings());
  box.sip(message_accepting("message/cpim"));
  box.advance(std::chrono::hours(24 * 30));
  EXPECT_THAT(box.core().peer("sip:bo@sip.example", box.now())->facts, IsEmpty());
}

}  // namespace
}  // namespace stox::engine
