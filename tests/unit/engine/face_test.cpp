#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sandbox.hpp"
#include "engine/trace.hpp"

using namespace stox;
using engine::sandbox;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string message_to(const std::string& user) {
  return "<message type='chat' id='m' from='ana@xmpp.test/desk' to='" + user +
         "@sip.example'><body>hi</body></message>";
}

std::string options_request(int number) {
  return "OPTIONS sip:gw.sip.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-" +
         std::to_string(number) +
         "\r\nMax-Forwards: 70\r\nFrom: <sip:p@192.0.2.1>;tag=1\r\nTo: <sip:gw.sip.example>\r\nCall-ID: o\r\n"
         "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
}

/// The answer that the SIP side gives to the request that left last.
std::string answer_to(const std::vector<sandbox::output>& left, const std::string& status) {
  std::string out = "SIP/2.0 " + status + "\r\n";
  const auto& request = left.back().text;
  for (const auto* name : {"Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "}) {
    const auto at = request.find(std::string("\r\n") + name) + 2;
    const auto line = request.substr(at, request.find("\r\n", at) - at);
    out += line + (line.starts_with("To: ") ? ";tag=peer\r\n" : "\r\n");
  }
  return out + "Content-Length: 0\r\n\r\n";
}

/// What one iq about a user is answered, with his name taken out.
std::string asked(sandbox& box, const std::string& user, const std::string& type, const std::string& payload,
                  const std::string& resource) {
  box.take();
  box.xmpp("<iq type='" + type + "' id='q' from='ana@xmpp.test/desk' to='" + user + "@sip.example" +
           resource + "'>" + payload + "</iq>");
  std::string out;
  for (const auto& o : box.take()) {
    if (o.where != sandbox::output::side::log) out += o.text + "\n";
  }
  return replaced(out, user, "USER");
}

TEST(privacy, nothing_that_is_asked_tells_whether_a_user_exists) {
  sandbox box(sandbox::sample_settings());
  // One who answers, one who is away, one whom the SIP side does not know, one never heard of.
  for (const auto& [user, status] :
       {std::pair{"here", "200 OK"}, std::pair{"away", "480 Temporarily Unavailable"},
        std::pair{"gone", "404 Not Found"}}) {
    box.take();
    box.xmpp(message_to(user));
    auto left = box.take();
    std::erase_if(left, [](const auto& o) { return o.where != sandbox::output::side::sip; });
    ASSERT_FALSE(left.empty());
    box.sip(answer_to(left, status));
    box.advance(std::chrono::seconds(1));
  }
  const std::vector<std::string> payloads = {
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
      "<query xmlns='http://jabber.org/protocol/disco#info' node='http://jabber.org/protocol/shim'/>",
      "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>",
      "<query xmlns='http://jabber.org/protocol/disco#items'/>",
      "<query xmlns='http://jabber.org/protocol/disco#items' node='x'/>",
      "<ping xmlns='urn:xmpp:ping'/>",
      "<query xmlns='jabber:iq:version'/>",
      "<query xmlns='jabber:iq:last'/>",
      "<vCard xmlns='vcard-temp'/>",
      "<query xmlns='jabber:iq:register'/>",
  };
  for (const auto* type : {"get", "set"}) {
    for (const auto& payload : payloads) {
      for (const auto* resource : {"", "/device"}) {
        const auto known = asked(box, "here", type, payload, resource);
        EXPECT_NE(known, "") << payload;
        for (const auto* user : {"away", "gone", "never"})
          EXPECT_EQ(asked(box, user, type, payload, resource), known) << user << " " << payload;
      }
    }
  }
}

TEST(readiness, is_not_there_before_the_start_nor_before_the_first_link) {
  const auto settings = sandbox::sample_settings();
  const instant now{steady_time(std::chrono::hours(1)), wall_time(std::chrono::hours(1))};
  const auto local = *socket_address::parse("192.0.2.20:5060");
  const auto peer = *socket_address::parse("192.0.2.1:5060");
  counting_ids ids;
  engine::engine core(settings, ids);
  const auto asked = [&](int number) {
    core.handle(io::event(io::received{conn_id{1}, peer, options_request(number)}), now);
    std::string answer;
    while (auto a = core.poll()) {
      const auto* action = std::get_if<io::action>(&*a);
      const auto* send = action == nullptr ? nullptr : std::get_if<io::send>(action);
      if (send != nullptr && send->to == peer) answer = send->bytes.substr(0, 11);
    }
    return answer;
  };
  core.handle(io::event(io::listening{conn_id{1}, transport::udp, local}), now);
  EXPECT_FALSE(core.readiness().ready);
  EXPECT_EQ(core.readiness().why, "starting");
  EXPECT_EQ(asked(1), "SIP/2.0 503");
  core.start(now);
  EXPECT_FALSE(core.readiness().ready);
  EXPECT_EQ(core.readiness().why, "XMPP component link down: sip.example");
  EXPECT_EQ(asked(2), "SIP/2.0 503");

  sandbox box(settings);
  EXPECT_TRUE(box.core().readiness().ready);
  EXPECT_EQ(box.core().readiness().why, "");
}

TEST(readiness, names_the_links_that_are_down) {
  auto settings = sandbox::sample_settings();
  auto second = settings.components.front();
  second.domain = "tel.example";
  settings.components.push_back(second);
  settings.gateway.sip_domains.emplace_back("tel.example");
  sandbox box(settings);
  EXPECT_TRUE(box.core().readiness().ready);
  box.link_down("tel.example");
  EXPECT_TRUE(box.core().readiness().ready) << "the other tenant is served";
  EXPECT_EQ(box.core().readiness().why, "XMPP component link down: tel.example");

  // The other tenant's messages still go, so a dispatcher must not leave us.
  box.take();
  box.sip(options_request(1));
  EXPECT_TRUE(box.take().at(0).text.starts_with("SIP/2.0 200 "));
  box.link_down();
  EXPECT_EQ(box.core().readiness().why, "XMPP component link down: sip.example, tel.example");
  box.take();
  box.sip(options_request(2));
  EXPECT_TRUE(box.take().at(0).text.starts_with("SIP/2.0 503 "));
}

TEST(links, name_an_ipv6_server_in_brackets) {
  auto settings = sandbox::sample_settings();
  settings.components.front().host = "2001:db8::30";
  sandbox box(settings);
  EXPECT_EQ(box.core().links().at(0).server, "[2001:db8::30]:5347");
  box.link_down();
  bool told = false;
  for (const auto& o : box.take())
    told |= o.text.find("component.down domain=sip.example server=[2001:db8::30]:5347 ") == 0;
  EXPECT_TRUE(told);
}

TEST(route_header, is_added_for_a_loose_proxy_only_where_it_is_the_only_one) {
  const settings::sip_route loose{"sip:192.0.2.1:5060;lr", "192.0.2.1", 5060, transport::udp};
  const settings::sip_route strict{"sip:192.0.2.1:5060", "192.0.2.1", 5060, transport::udp};
  const settings::sip_route second{"sip:192.0.2.2:5060;lr", "192.0.2.2", 5060, transport::udp};
  const auto route_with = [](const std::vector<settings::sip_route>& proxies) {
    auto settings = sandbox::sample_settings();
    settings.sip.outbound_proxy = proxies;
    sandbox box(settings);
    box.xmpp(message_to("bo"));
    for (const auto& o : box.take()) {
      if (o.where != sandbox::output::side::sip) continue;
      EXPECT_TRUE(o.text.starts_with("MESSAGE sip:bo@sip.example SIP/2.0\r\n")) << o.text;
      const auto at = o.text.find("\r\nRoute: ");
      if (at == std::string::npos) return std::string("none");
      return o.text.substr(at + 2, o.text.find("\r\n", at + 2) - at - 2);
    }
    return std::string("nothing left");
  };
  EXPECT_EQ(route_with({loose}), "Route: <sip:192.0.2.1:5060;lr>");
  EXPECT_EQ(route_with({strict}), "none");
  EXPECT_EQ(route_with({loose, second}), "none");
}

TEST(memory, what_a_message_keeps_is_charged_with_its_names) {
  const auto used_by = [](const std::string& user, const std::string& id) {
    sandbox box(sandbox::sample_settings());
    const auto before = box.core().memory_used();
    const std::string message =
        "<message type='chat' id='ID' from='USER@xmpp.test/USER' "
        "to='USER@sip.example'><body>hi</body></message>";
    for (int i = 0; i < 2; ++i) box.xmpp(replaced(replaced(message, "USER", user), "ID", id));
    return box.core().memory_used() - before;
  };
  // The names stand in the JIDs of both messages, in two keys of the lane, in the sender's count, in the keys
  // of the pair and the thread, and in the requests.
  const auto few = used_by("a", "i");
  EXPECT_GT(used_by(std::string(50, 'a'), "i"), few + 49 * 20);
  EXPECT_GE(used_by("a", std::string(1000, 'i')), few + 2 * 999);
}

TEST(memory, a_message_that_is_refused_leaves_nothing) {
  auto settings = sandbox::sample_settings();
  settings.limits.memory = sandbox(settings).core().memory_used() + 3000;
  sandbox box(settings);
  const auto before = box.core().memory_used();
  const std::string name(600, 'n');
  box.xmpp("<message type='chat' id='m' from='" + name + "@xmpp.test/desk' to='" + name +
           "@sip.example'><body>hi</body></message>");
  bool refused = false;
  for (const auto& o : box.take()) refused |= o.text.find("<resource-constraint") != std::string::npos;
  EXPECT_TRUE(refused);
  box.advance(std::chrono::seconds(1));
  EXPECT_EQ(box.core().memory_used(), before);
}

TEST(incidents, are_raised_whatever_the_level_of_the_log_and_stand_in_the_trace) {
  auto settings = sandbox::sample_settings();
  settings.log.level = log_level::error;
  sandbox box(settings);
  std::vector<std::string> lines;
  engine::trace_writer writer([&](std::string_view l) { lines.emplace_back(l); }, false);
  box.core().set_tap(&writer);
  box.xmpp(message_to("bo"));
  box.advance(std::chrono::seconds(32));
  const std::string names = " from=\"ana@xmpp.test/desk\" to=\"bo@sip.example\" cause=timeout";
  bool traced = false;
  for (const auto& l : lines)
    traced |= l.find("incident kind=message.to_sip.in_doubt domain=\"sip.example\"") != std::string::npos &&
              l.find("call_id=\"c-1\" stanza_id=\"m\"" + names) != std::string::npos;
  EXPECT_TRUE(traced);
  unsigned raised = 0;
  for (const auto& o : box.take()) {
    EXPECT_NE(o.where, sandbox::output::side::log) << o.text;
    if (o.where == sandbox::output::side::incident) ++raised;
  }
  EXPECT_EQ(raised, 1U);
  box.core().set_tap(nullptr);
}

}  // namespace
