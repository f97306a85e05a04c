#include "engine/trace.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sandbox.hpp"

using namespace stox;

namespace {

constexpr conn_id udp{1};
constexpr conn_id component{first_core_conn | std::uint64_t{1} << 56 | 1};
using direction = engine::redactor::direction;

const std::string message =
    "MESSAGE sip:ana@xmpp.test SIP/2.0\r\nSubject: the secret plan\r\ns: again\r\n  "
    "folded\r\nContent-Length: 5\r\n\r\nHello";
const std::string message_shown =
    "MESSAGE sip:ana@xmpp.test SIP/2.0\r\nSubject: xxx xxxxxx xxxx\r\ns: xxxxx\r\n  "
    "xxxxxx\r\nContent-Length: 5\r\n\r\nxxxxx";

TEST(redactor, hides_subject_and_body_of_a_datagram) {
  engine::redactor r;
  EXPECT_EQ(r(udp, direction::in, false, message), message_shown);
}

TEST(redactor, hides_bodies_of_a_stream_wherever_a_read_ends) {
  const std::string all = message + "\r\n\r\n" + message;
  const std::string shown = message_shown + "\r\n\r\n" + message_shown;
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    engine::redactor r;
    const auto head = r(conn_id{7}, direction::in, true, all.substr(0, cut));
    EXPECT_EQ(head + r(conn_id{7}, direction::in, true, all.substr(cut)), shown) << cut;
  }
}

TEST(redactor, hides_all_text_of_xml_wherever_a_read_ends) {
  const std::string all = "<handshake>abc</handshake><message to='a>b'><body>Hello</body></message>";
  const std::string shown = "<handshake>xxx</handshake><message to='a>b'><body>xxxxx</body></message>";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    engine::redactor r;
    const auto head = r(component, direction::out, true, all.substr(0, cut));
    EXPECT_EQ(head + r(component, direction::out, true, all.substr(cut)), shown) << cut;
  }
}

TEST(redactor, hides_cdata_wherever_a_read_ends) {
  const std::string all = "<body><![CDATA[it's <b> ]] X]]></body><body>plain</body>";
  const std::string shown = "<body><![CDATA[xxxxxxxxx]]xx]]></body><body>xxxxx</body>";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    engine::redactor r;
    const auto head = r(component, direction::out, true, all.substr(0, cut));
    EXPECT_EQ(head + r(component, direction::out, true, all.substr(cut)), shown) << cut;
  }
}

TEST(redactor, hides_texts_and_dialback_keys_of_streams_with_other_servers) {
  const conn_id server{mark_of(conn_use::s2s) | 1};
  const std::string all =
      "<db:result from='a' to='b'>key</db:result><message to='c'><body>Hello</body></message>";
  engine::redactor r;
  EXPECT_EQ(r(server, direction::in, true, all),
            "<db:result from='a' to='b'>xxx</db:result><message to='c'><body>xxxxx</body></message>");
  engine::redactor with_bodies(engine::redactor::scope::secrets);
  EXPECT_EQ(with_bodies(server, direction::in, true, all),
            "<db:result from='a' to='b'>xxx</db:result><message to='c'><body>Hello</body></message>");
}

TEST(redactor, takes_all_for_body_where_a_stream_gives_no_length) {
  engine::redactor r;
  EXPECT_EQ(r(conn_id{7}, direction::in, true, "MESSAGE a SIP/2.0\r\nTo: b\r\n\r\nsecret"),
            "MESSAGE a SIP/2.0\r\nTo: b\r\n\r\nxxxxxx");
}

TEST(redactor, keeps_directions_apart) {
  engine::redactor r;
  EXPECT_EQ(r(component, direction::out, true, "<body"), "<body");
  EXPECT_EQ(r(component, direction::in, true, "secret"), "xxxxxx");
}

const std::string digests =
    "SIP/2.0 200 OK\r\nSubject: plan\r\nAuthentication-Info: rspauth=\"6629fae4\",\r\n cnonce=\"a\\\"b, c\", "
    "nc=00000001,qop=auth, nextnonce=\"n, rspauth=1\", RspAuth = 12\r\n"
    "Proxy-Authorization: Digest username=\"gw\",\r\n\tresponse=\"77\"\r\nVia: rspauth=1\r\n"
    "authorization: Digest response=\"88\"\r\nContent-Length: 5\r\n\r\nHello";
const std::string digests_shown =
    "SIP/2.0 200 OK\r\nSubject: plan\r\nAuthentication-Info: rspauth=\"xxxxxxxx\",\r\n cnonce=\"xxxxx x\", "
    "nc=00000001,qop=auth, nextnonce=\"n, rspauth=1\", RspAuth = xx\r\n"
    "Proxy-Authorization: xxxxxx xxxxxxxxxxxxxx\r\n\txxxxxxxxxxxxx\r\nVia: rspauth=1\r\n"
    "authorization: xxxxxx xxxxxxxxxxxxx\r\nContent-Length: 5\r\n\r\nHello";

TEST(redactor, of_secrets_hides_digests_alone_wherever_a_read_ends) {
  const std::string all = digests + digests, shown = digests_shown + digests_shown;
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    engine::redactor r(engine::redactor::scope::secrets);
    const auto head = r(conn_id{7}, direction::in, true, all.substr(0, cut));
    EXPECT_EQ(head + r(conn_id{7}, direction::in, true, all.substr(cut)), shown) << cut;
  }
}

TEST(redactor, of_secrets_hides_the_handshake_alone_wherever_a_read_ends) {
  const std::string all =
      "<stream:stream id='3'>\n<handshake>0aff</handshake><handshake id='>'>1</handshake><message><body>Hello"
      "<![CDATA[you]]></body><handshaker>b</handshaker><x><handshake/>c</x></message>";
  const std::string shown =
      "<stream:stream id='3'>\n<handshake>xxxx</handshake><handshake id='>'>x</handshake><message><body>Hello"
      "<![CDATA[you]]></body><handshaker>b</handshaker><x><handshake/>c</x></message>";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    engine::redactor r(engine::redactor::scope::secrets);
    const auto head = r(component, direction::out, true, all.substr(0, cut));
    EXPECT_EQ(head + r(component, direction::out, true, all.substr(cut)), shown) << cut;
  }
}

TEST(trace, with_bodies_has_no_secrets) {
  for (const bool with_bodies : {false, true}) {
    std::string all;
    engine::trace_writer writer([&](std::string_view l) { all.append(l).append("\n"); }, with_bodies);
    const auto at = *socket_address::parse("192.0.2.1:5060");
    writer.on_event(io::event(io::listening{udp, transport::udp, at}), {});
    writer.on_event(io::event(io::received{udp, at, digests}), {});
    writer.on_action(io::action(io::send{component, {}, {}, "<handshake>0aff77</handshake>"}), {});
    for (const auto* secret : {"6629fae4", "response=\\\"77", "response=\\\"88", "0aff77"})
      EXPECT_EQ(all.find(secret), std::string::npos) << secret;
    EXPECT_EQ(all.find("Hello") != std::string::npos, with_bodies);
  }
}

TEST(trace, an_event_line_reads_back) {
  std::vector<std::string> lines;
  engine::trace_writer writer([&](std::string_view l) { lines.emplace_back(l); }, true);
  const io::received e{udp, *socket_address::parse("[2001:db8::1]:5060"), "a\r\n\"b\" \\ \x01\xff c"};
  const instant now{steady_time(std::chrono::seconds(5)), wall_time(std::chrono::seconds(6))};
  writer.on_event(io::event(e), now);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], engine::trace_header);
  std::string storage;
  const auto back = engine::parse_trace_event(lines[1], storage);
  ASSERT_TRUE(back);
  const auto& got = std::get<io::received>(std::get<io::event>(back->event));
  EXPECT_EQ(got.conn, e.conn);
  EXPECT_EQ(got.from, e.from);
  EXPECT_EQ(got.bytes, e.bytes);
  EXPECT_EQ(back->at.steady, now.steady);
  EXPECT_EQ(back->at.wall, now.wall);

  peer_identity who;
  who.why_not = "self-signed certificate";
  who.has_san = true;
  who.san_dns = {"a.example", "b\n.example"};
  who.san_uri = {"sip:c.example"};
  who.san_srv = {"_sips.c.example"};
  who.san_xmpp = {"d.example"};
  who.common_name = "A person's name";
  who.fingerprint = "0a";
  who.sni = "gw.example";
  const auto at = *socket_address::parse("192.0.2.1:5061");
  for (const auto& identity :
       {std::optional<peer_identity>(), std::optional(peer_identity{}), std::optional(who)}) {
    writer.on_event(io::event(io::accepted{udp, conn_use::sip, transport::tls, at, at, identity}), now);
    const auto in = engine::parse_trace_event(lines.back(), storage);
    ASSERT_TRUE(in) << lines.back();
    EXPECT_EQ(std::get<io::accepted>(std::get<io::event>(in->event)).identity, identity);
    writer.on_event(io::event(io::opened{component, at, at, identity}), now);
    const auto out = engine::parse_trace_event(lines.back(), storage);
    ASSERT_TRUE(out) << lines.back();
    EXPECT_EQ(std::get<io::opened>(std::get<io::event>(out->event)).identity, identity);
  }
  writer.on_event(io::event(io::closed{udp, io::fail::tls, "wrong version number"}), now);
  const auto end = engine::parse_trace_event(lines.back(), storage);
  ASSERT_TRUE(end);
  EXPECT_EQ(std::get<io::closed>(std::get<io::event>(end->event)).why, io::fail::tls);
  EXPECT_EQ(std::get<io::closed>(std::get<io::event>(end->event)).detail, "wrong version number");

  writer.on_event(engine::write_queues{70'000}, now);
  const auto queues = engine::parse_trace_event(lines.back(), storage);
  ASSERT_TRUE(queues);
  EXPECT_EQ(std::get<engine::write_queues>(queues->event).bytes, 70'000U);
}

TEST(trace, malformed_lines_are_errors) {
  std::string storage;
  for (const auto* line :
       {"", "> 1 2 3", "> 1 x 3 timeout", "> 1 2 3 nonsense", "> 1 2 3 received conn=1 from=x bytes=\"\"",
        "> 1 2 3 received conn=1 from=1.2.3.4:5 bytes=\"\\", "> 1 2 3 closed conn=1 why=99", "> 1 2 3 block",
        "> 1 2 3 block time=x what=a", "> 1 2 3 block time=0", "> 1 2 3 unblock", "> 1 2 3 unblock what=%"}) {
    EXPECT_FALSE(engine::parse_trace_event(line, storage)) << line;
  }
}

TEST(trace, replay_gives_the_same_lines) {
  const auto settings = engine::sandbox::sample_settings();
  counting_ids ids;
  std::vector<std::string> lines;
  const auto sink = [&](std::string_view l) { lines.emplace_back(l); };
  engine::trace_writer writer(sink, true);
  engine::recording_ids recorded(ids, sink);
  engine::engine e(settings, recorded);
  e.set_tap(&writer);
  instant now{steady_time(std::chrono::seconds(100)), wall_time(std::chrono::seconds(1'577'836'800))};
  const auto drain = [&] {
    while (e.poll()) {
    }
  };
  e.handle(io::event(io::listening{udp, transport::udp, *socket_address::parse("192.0.2.20:5060")}), now);
  drain();
  e.start(now);
  drain();
  const std::string options =
      "OPTIONS sip:gw.sip.example SIP/2.0\r\nVia: SIP/2.0/UDP "
      "192.0.2.1:5060;branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n"
      "From: <sip:p@192.0.2.1>;tag=1\r\nTo: <sip:gw.sip.example>\r\nCall-ID: o\r\nCSeq: 1 "
      "OPTIONS\r\nContent-Length: 0\r\n\r\n";
  e.handle(io::event(io::received{udp, *socket_address::parse("192.0.2.1:5060"), options}), now);
  drain();
  // The operator blocks the peer, for a time, and somebody else.
  e.handle(engine::blocked{"192.0.2.0/24", std::chrono::seconds(30)}, now);
  e.handle(engine::blocked{"b\xC3\xBC"
                           "ch@xmpp.test",
                           {}},
           now);
  e.handle(io::event(io::received{udp, *socket_address::parse("192.0.2.1:5060"), options}), now);
  drain();
  now = now + std::chrono::seconds(40);
  e.handle(engine::timeout{}, now);
  drain();
  e.handle(engine::unblocked{"b\xC3\xBC"
                             "ch@xmpp.test"},
           now);
  e.handle(io::event(io::received{udp, *socket_address::parse("192.0.2.1:5060"), options}), now);
  drain();
  EXPECT_TRUE(e.blocks().empty());
  engine::replayed_ids drawn;
  for (const auto& l : lines) {
    const bool drew = l.starts_with("= ");
    ASSERT_TRUE(!drew || drawn.add(l)) << l;
  }
  std::vector<std::string> again;
  engine::trace_writer second([&](std::string_view l) { again.emplace_back(l); }, true);
  engine::engine other(settings, drawn);
  other.set_tap(&second);
  std::string storage;
  for (const auto& l : lines) {
    if (!l.starts_with("> ")) continue;
    const auto read = engine::parse_trace_event(l, storage);
    ASSERT_TRUE(read) << l;
    other.handle(read->event, read->at);
    while (other.poll()) {
    }
  }
  std::vector<std::string> without_ids;
  for (const auto& l : lines) {
    if (l.substr(0, 2) != "= ") without_ids.push_back(l);
  }
  EXPECT_EQ(again, without_ids);
  EXPECT_GT(without_ids.size(), 6U);
}

}  // namespace
