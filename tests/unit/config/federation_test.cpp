#include <fstream>
#include <sstream>

#include "support/certificates.hpp"
#include "unit/config/config_file.hpp"

namespace stox::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Configurations beside the files of one certificate.
class federation : public config_file {
 protected:
  federation() {
    const auto made = root.issue({"sip.example", "DNS:sip.example"});
    write("chain.pem", made.chain);
    write("key.pem", made.key);
  }

  static std::string gateway(const std::string& more = {}) {
    return "[gateway]\nsip_domains = [\"sip.example\"]\n" + more +
           "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\ntrusted_peers = [\"127.0.0.0/8\"]\n";
  }
  static std::string certificate(const std::string& names = "\"sip.example\"") {
    return "[[tls.certificate]]\ndomains = [" + names + "]\nchain = \"chain.pem\"\nkey = \"key.pem\"\n";
  }
  static std::string component(const std::string& more = {}, const std::string& domain = "sip.example") {
    return "[[xmpp.component]]\ndomain = \"" + domain +
           "\"\nserver = \"127.0.0.1:5347\"\nsecret = \"hunter2\"\n" + more;
  }

  outcome read(const std::string& toml) const { return parse(toml, folder_ + "/stox.toml"); }
  settings::all good_one(const std::string& toml) const {
    const auto r = read(toml);
    EXPECT_TRUE(r.has_value()) << testing::PrintToString(r.error());
    return r ? r->settings : settings::all{};
  }
  /// Both without the folder, so that they can be compared.
  texts errors(const std::string& toml) const {
    const auto r = read(toml);
    return r ? texts{} : shown(r.error());
  }
  texts warnings(const std::string& toml) const {
    const auto r = read(toml);
    EXPECT_TRUE(r.has_value()) << testing::PrintToString(r.error());
    return r ? shown(r->warnings) : texts{};
  }
  texts shown(texts lines) const {
    for (auto& line : lines) {
      for (auto at = line.find(folder_); at != std::string::npos; at = line.find(folder_))
        line.erase(at, folder_.size() + 1);
    }
    return lines;
  }

  test::authority root;
};

std::vector<settings::listener> at(transport via, std::string_view address) {
  return {{via, *socket_address::parse(address)}};
}

TEST_F(federation, needs_nothing_but_a_domain_and_its_certificate) {
  const auto r = read(gateway() + certificate());
  ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
  EXPECT_THAT(r->warnings, IsEmpty());
  const auto& s2s = r->settings.s2s;
  EXPECT_TRUE(s2s.enabled);
  EXPECT_EQ(s2s.listen, at(transport::tcp, "[::]:5269"));
  EXPECT_EQ(s2s.tls_listen, at(transport::tls, "[::]:5270"));
  EXPECT_EQ(s2s.tls, settings::tls_policy::required);
  EXPECT_EQ(s2s.auth, settings::s2s_auth::dialback);
}

TEST_F(federation, is_off_beside_a_component_until_its_table_stands_there) {
  const auto off = good_one(gateway() + certificate() + component());
  EXPECT_EQ(off.s2s, settings::s2s{}) << "no listener either";
  const auto two = "sip_domains = [\"sip.example\", \"two.example\"]\n";
  const auto both = "[gateway]\n" + std::string(two) + "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n" +
                    certificate("\"two.example\"") + component();
  EXPECT_THAT(errors(both), ElementsAre(HasSubstr("\"two.example\" has no [[xmpp.component]]")));
  const auto on = good_one(both + "[xmpp.s2s]\n");
  EXPECT_TRUE(on.s2s.enabled);
  EXPECT_EQ(on.s2s.listen, at(transport::tcp, "[::]:5269"));
  EXPECT_TRUE(good_one(both + "[[xmpp.s2s.peer]]\ndomain = \"x.example\"\ntls = \"required\"\n").s2s.enabled);
}

TEST_F(federation, is_turned_on_by_a_flag_or_a_variable_too) {
  const auto path = write("stox.toml", gateway() + component());
  EXPECT_FALSE(load({"--config", path}, no_environment)->settings.s2s.enabled);
  EXPECT_TRUE(load({"--config", path, "--xmpp.s2s.auth=pkix"}, no_environment)->settings.s2s.enabled);
  const auto by_variable = load({"--config", path}, [](std::string_view name) {
    return name == "STOX_XMPP_S2S_LISTEN" ? std::optional<std::string>("tcp:[::1]:5269") : std::nullopt;
  });
  ASSERT_TRUE(by_variable.has_value());
  EXPECT_EQ(by_variable->settings.s2s.listen, at(transport::tcp, "[::1]:5269"));
}

TEST_F(federation, listens_nowhere_where_the_list_is_empty) {
  const auto toml = gateway() + certificate() + "[xmpp.s2s]\nlisten = []\n";
  const auto s = good_one(toml);
  EXPECT_THAT(s.s2s.listen, IsEmpty());
  EXPECT_EQ(s.s2s.tls_listen, at(transport::tls, "[::]:5270"));
  EXPECT_THAT(warnings(toml), IsEmpty());
  EXPECT_THAT(warnings(toml + "tls_listen = []\n"),
              ElementsAre("stox.toml:11: xmpp.s2s.listen: no listener; other servers can neither write to us "
                          "nor ask us whether we are who we say (dialback)"));
}

TEST_F(federation, without_a_certificate_says_how_to_get_one) {
  EXPECT_THAT(
      errors(gateway()),
      ElementsAre(
          "stox.toml:2: gateway.sip_domains: \"sip.example\" has no certificate, which federation needs; get "
          "one (certbot certonly --standalone -d sip.example) and name its files in a [[tls.certificate]] "
          "with domains = [\"sip.example\"], or add a [[xmpp.component]] if an XMPP server is to carry it"));
  EXPECT_THAT(errors(gateway() + certificate("\"other.example\"") + "[xmpp.s2s]\n"),
              ElementsAre(testing::EndsWith("with domains = [\"sip.example\"]")))
      << "who wrote the table wants no component";
}

TEST_F(federation, wants_the_certificate_for_the_xmpp_name) {
  const auto toml =
      "[[gateway.domain]]\nsip = \"example.com\"\nxmpp = \"m\u00FCnchen.example\"\n[sip]\nlisten = "
      "[\"udp:127.0.0.1:5060\"]\n";
  EXPECT_THAT(
      errors(toml + certificate("\"example.com\"")),
      ElementsAre(testing::AllOf(
          testing::StartsWith("stox.toml:1: gateway.domain: \"m\u00FCnchen.example\" has no certificate"),
          HasSubstr("certbot certonly --standalone -d xn--mnchen-3ya.example)"))));
  EXPECT_THAT(errors(toml + certificate("\"xn--mnchen-3ya.example\"")), IsEmpty());
}

TEST_F(federation, warns_of_a_certificate_for_something_else) {
  const auto toml = gateway() + certificate();
  const auto wrong =
      "stox.toml:7: tls.certificate.domains: \"chain.pem\" is not for \"sip.example\"; other XMPP servers "
      "will "
      "go by dialback, or refuse it";
  const auto with_names = [&](const std::string& names) {
    const auto made = root.issue({"machine", names});
    write("chain.pem", made.chain);
    write("key.pem", made.key);
    return warnings(toml);
  };
  EXPECT_THAT(with_names("DNS:gw.sip.example"), ElementsAre(wrong));
  EXPECT_THAT(with_names("URI:sip:sip.example"), ElementsAre(wrong)) << "that proves it to SIP";
  EXPECT_THAT(with_names("DNS:gw.example,DNS:sip.example"), IsEmpty());
  EXPECT_THAT(with_names("otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.sip.example"), IsEmpty());
  with_names("DNS:gw.sip.example");
  EXPECT_THAT(warnings(toml + component()), IsEmpty()) << "no XMPP server sees it";
}

TEST_F(federation, says_nothing_of_certificates_that_have_an_error_of_their_own) {
  EXPECT_THAT(errors(gateway() + certificate("7")),
              ElementsAre(HasSubstr("tls.certificate.domains: is an integer")));
}

TEST_F(federation, of_a_component_that_failed_is_not_what_was_meant) {
  EXPECT_THAT(errors(gateway() + "[xmpp.component]\ndomain = \"sip.example\"\n"),
              ElementsAre(HasSubstr("xmpp.component: is a list of tables")));
}

TEST_F(federation, goes_where_the_component_does_not_reach) {
  const auto reaching = gateway() + component("reaches = [\"Example.com\", \"chat.example.com\"]\n");
  const auto s = good_one(reaching + certificate() + "[xmpp.s2s]\n");
  EXPECT_EQ(s.components.at(0).reaches, (texts{"example.com", "chat.example.com"}));
  EXPECT_THAT(errors(reaching + "[xmpp.s2s]\n"),
              ElementsAre(HasSubstr("gateway.sip_domains: \"sip.example\" has no certificate")));
  EXPECT_THAT(
      errors(reaching),
      ElementsAre("stox.toml:10: xmpp.component.reaches: federation is off, so all other domains would "
                  "be out of reach; add an [xmpp.s2s] table, or leave reaches out"));
  EXPECT_THAT(
      errors(gateway() + component("reaches = [\"sip.example\"]\n") + certificate() + "[xmpp.s2s]\n"),
      ElementsAre("stox.toml:10: xmpp.component.reaches: \"sip.example\" is a served domain; its users "
                  "live on SIP, take it out"));
}

TEST_F(federation, that_has_nothing_to_do_is_warned_of) {
  EXPECT_THAT(warnings(gateway() + component() + "[xmpp.s2s]\n"),
              ElementsAre("stox.toml:10: xmpp.s2s: federation has nothing to do, because each domain has an "
                          "[[xmpp.component]] for everything; say in its reaches what it is the way to, or "
                          "leave the table out"));
}

TEST_F(federation, in_clear_is_warned_of) {
  const std::string table = "[xmpp.s2s]\ntls = \"preferred\"\n";
  EXPECT_THAT(
      warnings(gateway() + certificate() + table),
      ElementsAre("stox.toml:11: xmpp.s2s.tls: \"preferred\" lets stanzas cross in clear, where others "
                  "read and forge them; write \"required\", and the exceptions as [[xmpp.s2s.peer]]"));
  EXPECT_THAT(
      warnings(gateway() + certificate() +
               "[[xmpp.s2s.peer]]\ndomain = \"old.example\"\ntls = \"preferred\"\n"),
      ElementsAre("stox.toml:12: xmpp.s2s.peer.tls: \"preferred\" lets stanzas with \"old.example\" cross in "
                  "clear, where others read and forge them; write \"required\" as soon as it has TLS"));
  // Without any certificate there is no TLS at all, nor a port for it.
  EXPECT_THAT(
      warnings(gateway() + table),
      ElementsAre(HasSubstr("xmpp.s2s.tls: \"preferred\""),
                  "stox.toml:2: gateway.sip_domains: \"sip.example\" has no certificate, so nobody has "
                  "TLS with it; add a [[tls.certificate]] with domains = [\"sip.example\"]"));
  EXPECT_THAT(good_one(gateway() + table).s2s.tls_listen, IsEmpty());
  EXPECT_THAT(
      errors(gateway() + table + "tls_listen = [\"tcp:[::]:5270\"]\n"),
      ElementsAre("stox.toml:8: xmpp.s2s.tls_listen: \"tcp:[::]:5270\" has no certificate to show; add "
                  "a [[tls.certificate]] with domains, chain and key"));
}

TEST_F(federation, proof_by_certificate_needs_tls) {
  const auto own = gateway() + certificate();
  EXPECT_THAT(
      errors(own + "[xmpp.s2s]\ntls = \"preferred\"\nauth = \"pkix\"\n"),
      ElementsAre("stox.toml:12: xmpp.s2s.auth: \"pkix\" wants a certificate, and tls = \"preferred\" "
                  "does without TLS; write tls = \"required\""));
  const auto peer = [&](const std::string& all, const std::string& one) {
    return errors(own + "[xmpp.s2s]\n" + all + "[[xmpp.s2s.peer]]\ndomain = \"x.example\"\n" + one);
  };
  EXPECT_THAT(peer("tls = \"preferred\"\n", "auth = \"dane\"\n"),
              ElementsAre(HasSubstr("xmpp.s2s.peer.auth: \"dane\" wants a certificate")));
  EXPECT_THAT(peer("auth = \"pkix\"\n", "tls = \"preferred\"\n"),
              ElementsAre(HasSubstr("xmpp.s2s.peer.tls: \"pkix\" wants a certificate")));
  EXPECT_THAT(peer("tls = \"preferred\"\n", "tls = \"required\"\nauth = \"dane\"\n"), IsEmpty());
}

TEST_F(federation, peers_are_others_and_stand_once) {
  const auto own = gateway() + certificate();
  const auto peer = [](const std::string& domain, const std::string& rule = "auth = \"pkix\"\n") {
    return "[[xmpp.s2s.peer]]\ndomain = \"" + domain + "\"\n" + rule;
  };
  const auto s = good_one(own + peer("Bank.example") + peer("old.example", "tls = \"preferred\"\n"));
  EXPECT_EQ(s.s2s.peers, (std::vector<settings::s2s_peer>{
                             {"bank.example", std::nullopt, settings::s2s_auth::pkix},
                             {"old.example", settings::tls_policy::preferred, std::nullopt}}));
  EXPECT_THAT(errors(own + peer("a.example") + peer("A.example")),
              ElementsAre("stox.toml:14: xmpp.s2s.peer.domain: \"a.example\" stands in two tables; write its "
                          "rules into one"));
  EXPECT_THAT(
      errors(own + peer("sip.example")),
      ElementsAre("stox.toml:11: xmpp.s2s.peer.domain: \"sip.example\" is a served domain; name another "
                  "server's"));
  EXPECT_THAT(errors(own + "[[xmpp.s2s.peer]]\nauth = \"pkix\"\n"),
              ElementsAre("stox.toml:10: xmpp.s2s.peer.domain: missing; name the other server's domain"));
  EXPECT_THAT(warnings(own + peer("a.example", "")),
              ElementsAre("stox.toml:10: xmpp.s2s.peer: \"a.example\" has no rule of its own; write tls or "
                          "auth, or take the table out"));
}

TEST_F(federation, a_port_has_tls_from_its_first_byte_or_not) {
  EXPECT_THAT(
      errors(gateway() + certificate() + "[xmpp.s2s]\ntls_listen = [\"tcp:[::]:5269\"]\n"),
      ElementsAre("stox.toml:11: xmpp.s2s.tls_listen: \"tcp:[::]:5269\" stands in listen too; a port has TLS "
                  "from its first byte or it has not"));
  EXPECT_THAT(errors(gateway() + certificate() +
                     "[xmpp.s2s]\nlisten = [\"tcp:127.0.0.1:0\"]\ntls_listen = [\"tcp:127.0.0.1:0\"]\n"),
              IsEmpty());
}

TEST_F(federation, its_tables_are_told_apart_from_others) {
  const auto own = gateway() + certificate();
  EXPECT_THAT(errors(own + "[[xmpp.s2s]]\n"),
              ElementsAre("stox.toml:10: xmpp.s2s: is a section; write [xmpp.s2s]"));
  EXPECT_THAT(errors(own + "[xmpp.s2s.peer]\ndomain = \"x.example\"\n"),
              ElementsAre("stox.toml:10: xmpp.s2s.peer: is a list of tables; write [[xmpp.s2s.peer]]"));
  EXPECT_THAT(errors(own + "[xmpp.s2]\n"),
              ElementsAre("stox.toml:10: xmpp.s2: unknown key; did you mean xmpp.s2s?"));
  EXPECT_THAT(errors(own + "[s2s]\n"), ElementsAre("stox.toml:10: s2s: unknown key; did you mean xmpp.s2s?"));
  EXPECT_THAT(errors(own + "[[xmpp.s2s.peer]]\ndomain = \"x.example\"\nauht = \"pkix\"\n"),
              ElementsAre("stox.toml:12: xmpp.s2s.peer.auht: unknown key; did you mean xmpp.s2s.peer.auth?"));
}

TEST_F(federation, is_printed_so_that_it_reads_back) {
  const std::string tables = R"(
[[xmpp.s2s.peer]]
domain = "bank.example"
tls = "required"
auth = "pkix"

[[xmpp.s2s.peer]]
domain = "old.example"
auth = "dane"
)";
  const auto reaching = component("reaches = [\"example.com\"]\n");
  for (const auto& toml : {gateway() + certificate(), gateway() + certificate() + reaching + tables,
                           gateway() + certificate() + component()}) {
    const auto path = write("stox.toml", toml);
    const auto r = load({"--config", path, "--print-config"}, no_environment);
    ASSERT_TRUE(r.has_value()) << testing::PrintToString(r.error());
    auto expected = r->settings;
    for (auto& c : expected.components) c.secret = redacted("...");
    EXPECT_EQ(good_one(r->text), expected) << r->text;
    if (toml.find("s2s.peer") != std::string::npos) {
      EXPECT_THAT(r->text, HasSubstr(tables));
      EXPECT_THAT(r->text, HasSubstr("\nreaches = [\"example.com\"]\n"));
    }
  }
}

texts keys(const std::vector<changed_key>& changes) {
  texts out;
  for (const auto& c : changes) {
    auto line = c.key;
    for (const auto& name : c.added) line += " +" + name;
    for (const auto& name : c.removed) line += " -" + name;
    if (!c.before.empty() || !c.after.empty()) line += " " + c.before + " -> " + c.after;
    out.push_back(line);
  }
  return out;
}

TEST_F(federation, takes_over_all_but_its_listeners_while_it_runs) {
  const auto base = gateway() + certificate();
  const auto path = write("stox.toml", base + "[[xmpp.s2s.peer]]\ndomain = \"a.example\"\nauth = \"pkix\"\n");
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value()) << testing::PrintToString(running.error());
  write("stox.toml", base +
                         "[xmpp.s2s]\nlisten = [\"tcp:127.0.0.1:5269\"]\nmax_streams = 7\n"
                         "[[xmpp.s2s.peer]]\ndomain = \"a.example\"\nauth = \"dane\"\n"
                         "[[xmpp.s2s.peer]]\ndomain = \"b.example\"\ntls = \"required\"\n");
  const auto next = reload(running->settings, args, no_environment);
  ASSERT_TRUE(next.has_value()) << testing::PrintToString(next.error());
  EXPECT_EQ(keys(next->waiting), (texts{"xmpp.s2s.listen +tcp:127.0.0.1:5269 -tcp:[::]:5269"}));
  EXPECT_EQ(keys(next->changed), (texts{"xmpp.s2s.max_streams 10000 -> 7", "xmpp.s2s.peer +b.example",
                                        "xmpp.s2s.peer[a.example].auth pkix -> dane"}));
  EXPECT_EQ(next->settings.s2s.listen, at(transport::tcp, "[::]:5269"));
}

TEST_F(federation, that_is_turned_on_while_running_listens_after_the_restart) {
  const auto base = gateway() + certificate();
  const auto path = write("stox.toml", base + component());
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value());
  write("stox.toml", base + component("reaches = [\"example.com\"]\n") + "[xmpp.s2s]\n");
  const auto next = reload(running->settings, args, no_environment);
  ASSERT_TRUE(next.has_value()) << testing::PrintToString(next.error());
  EXPECT_EQ(keys(next->waiting),
            (texts{"xmpp.s2s.listen +tcp:[::]:5269", "xmpp.s2s.tls_listen +tcp:[::]:5270"}));
  EXPECT_EQ(keys(next->changed),
            (texts{"xmpp.s2s off -> on", "xmpp.component[sip.example].reaches  -> example.com"}));
  EXPECT_TRUE(next->settings.s2s.enabled);
  EXPECT_THAT(next->settings.s2s.listen, IsEmpty());
}

TEST_F(federation, that_is_turned_off_while_running_is_bound_until_the_restart) {
  const auto path = write("stox.toml", gateway() + certificate());
  const texts args{"--config", path};
  const auto running = load(args, no_environment);
  ASSERT_TRUE(running.has_value());
  write("stox.toml", gateway() + certificate() + component());
  const auto next = reload(running->settings, args, no_environment);
  ASSERT_TRUE(next.has_value()) << testing::PrintToString(next.error());
  EXPECT_EQ(keys(next->waiting),
            (texts{"xmpp.s2s.listen -tcp:[::]:5269", "xmpp.s2s.tls_listen -tcp:[::]:5270"}));
  EXPECT_EQ(keys(next->changed), (texts{"xmpp.s2s on -> off", "xmpp.component +sip.example"}));
  EXPECT_FALSE(next->settings.s2s.enabled);
  EXPECT_EQ(next->settings.s2s.listen, at(transport::tcp, "[::]:5269"));
}

TEST_F(federation, recipe_is_sound_as_it_stands) {
  std::ifstream page(std::string(STOX_SOURCE_DIR) + "/docs/howto/federation.md", std::ios::binary);
  std::ostringstream text;
  text << page.rdbuf();
  const auto block = [&](std::string_view first_line) {
    const auto whole = text.str();
    const auto at_line = whole.find("```toml\n" + std::string(first_line));
    if (at_line == std::string::npos) return std::string();
    const auto begin = at_line + 8;
    auto out = whole.substr(begin, whole.find("```", begin) - begin);
    for (const auto* file : {"chain", "key"}) {
      const auto name = "/etc/stox/sip.example." + std::string(file) + ".pem";
      if (const auto found = out.find(name); found != std::string::npos)
        out.replace(found, name.size(), std::string(file) + ".pem");
    }
    return out;
  };
  const auto least = block("[gateway]");
  const auto s = good_one(least);
  EXPECT_TRUE(s.s2s.enabled);
  EXPECT_FALSE(good_one(least + block("[[xmpp.s2s.peer]]")).s2s.peers.empty());
  write("component.secret", "hunter2");
  const auto beside = good_one(least + block("[[xmpp.component]]"));
  EXPECT_TRUE(beside.s2s.enabled);
  ASSERT_EQ(beside.components.size(), 1U);
  EXPECT_FALSE(beside.components[0].reaches.empty());
}

}  // namespace
}  // namespace stox::config
