#include "gateway/peer_lessons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stox::gateway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto said = learned_by::accept;

/// Of a MESSAGE with that type of body.
lessons lessons_of_sent(const std::string& content_type, const std::string& accept = {}) {
  sip::request r;
  r.method = sip::method::message;
  if (!accept.empty()) r.headers.add(sip::header::accept, accept);
  return lessons_of(r, payload::parse_content_type(content_type).value());
}

sip::response answer(std::uint16_t status, const std::string& accept = {}, const std::string& allow = {}) {
  sip::response r;
  r.status = status;
  if (!accept.empty()) r.headers.add(sip::header::accept, accept);
  if (!allow.empty()) r.headers.add(sip::header::allow, allow);
  return r;
}

/// "cpim yes accept" of each fact.
std::vector<std::string> facts(const lessons& l) {
  std::vector<std::string> out;
  for (const auto& f : l.facts)
    out.push_back(std::string(to_string(f.what)) + (f.yes ? " yes " : " no ") +
                  std::string(to_string(f.how)));
  return out;
}

const std::vector<feature> cpim_with_imdn = {feature::cpim, feature::imdn};
const std::vector<feature> plain;

TEST(lessons, of_a_request_are_what_its_accept_names_and_its_own_form) {
  const auto l = lessons_of_sent("message/CPIM", "text/plain, Message/cpim;q=0.5, text/html;q=0");
  EXPECT_THAT(facts(l), ElementsAre("cpim yes received"));
  EXPECT_THAT(l.accepts, ElementsAre("text/plain", "message/cpim"));
  EXPECT_THAT(facts(lessons_of_sent("application/im-iscomposing+xml")),
              ElementsAre("is_composing yes received"));
  EXPECT_THAT(facts(lessons_of_sent("text/plain", "message/imdn+xml,text/html")),
              ElementsAre("imdn yes accept", "html yes accept"));
  EXPECT_TRUE(lessons_of_sent("text/plain;charset=utf-8").empty());
  EXPECT_TRUE(lessons_of_sent("text/plain", "no range; q=7").empty());
}

TEST(lessons, of_a_wildcard_promise_nothing_and_rule_nothing_out) {
  EXPECT_THAT(facts(lessons_of_sent("text/plain", "*/*, message/*")), IsEmpty());
  EXPECT_THAT(facts(lessons_of(answer(415, "text/*"), plain)),
              ElementsAre("cpim no accept", "imdn no accept", "is_composing no accept"));
}

TEST(lessons, of_a_415_are_what_its_accept_names_and_what_it_leaves_out) {
  const auto l = lessons_of(answer(415, "text/plain"), cpim_with_imdn);
  EXPECT_THAT(facts(l),
              ElementsAre("cpim no accept", "imdn no accept", "is_composing no accept", "html no accept"));
  EXPECT_THAT(
      facts(lessons_of(answer(415, "text/plain, message/cpim, text/html"), {{feature::is_composing}})),
      ElementsAre("cpim yes accept", "html yes accept", "is_composing no accept"));
}

TEST(lessons, of_a_refusal_without_a_list_is_about_the_outermost_form) {
  for (const auto status : std::vector<std::uint16_t>{415, 406, 488, 405, 501}) {
    EXPECT_THAT(facts(lessons_of(answer(status), cpim_with_imdn)), ElementsAre("cpim no refused")) << status;
    EXPECT_TRUE(lessons_of(answer(status), plain).empty()) << status;
  }
  EXPECT_THAT(facts(lessons_of(answer(415, "message/cpim, text/html"), cpim_with_imdn)),
              ElementsAre("html yes accept", "is_composing no accept", "cpim no refused"))
      << "it names what it has just refused";
}

TEST(lessons, of_a_method_that_is_not_allowed_are_none_about_the_form) {
  EXPECT_TRUE(lessons_of(answer(405, "", "INVITE, ACK, BYE"), cpim_with_imdn).empty());
  EXPECT_TRUE(lessons_of(answer(501, "", "INVITE"), cpim_with_imdn).empty());
  EXPECT_THAT(facts(lessons_of(answer(405, "", "INVITE, MESSAGE"), cpim_with_imdn)),
              ElementsAre("cpim no refused"));
}

TEST(lessons, of_other_answers_are_only_what_a_2xx_accepts) {
  EXPECT_THAT(facts(lessons_of(answer(202, "message/cpim"), plain)), ElementsAre("cpim yes accept"));
  for (const auto status : std::vector<std::uint16_t>{200, 403, 404, 408, 480, 486, 503, 603})
    EXPECT_TRUE(lessons_of(answer(status), cpim_with_imdn).empty()) << status;
  EXPECT_TRUE(lessons_of(answer(404, "text/plain"), cpim_with_imdn).empty());
}

TEST(refuses_form, is_what_a_plainer_form_may_mend) {
  for (const auto status : std::vector<std::uint16_t>{415, 406, 488, 405, 501})
    EXPECT_TRUE(refuses_form(answer(status)));
  for (const auto status : std::vector<std::uint16_t>{200, 202, 403, 404, 413, 480, 493, 500, 606})
    EXPECT_FALSE(refuses_form(answer(status))) << status;
  EXPECT_FALSE(refuses_form(answer(405, "", "INVITE")));
  EXPECT_TRUE(refuses_form(answer(405, "", "INVITE,MESSAGE")));
}

TEST(names, of_features_and_ways_read_back) {
  for (std::size_t i = 0; i < feature_count; ++i) {
    const auto f = static_cast<feature>(i);
    EXPECT_EQ(feature_named(to_string(f)), f);
  }
  for (const auto how : {said, learned_by::refused, learned_by::received})
    EXPECT_EQ(learned_by_named(to_string(how)), how);
  EXPECT_EQ(feature_named("accept"), std::nullopt);
  EXPECT_EQ(learned_by_named(""), std::nullopt);
}

}  // namespace
}  // namespace stox::gateway
