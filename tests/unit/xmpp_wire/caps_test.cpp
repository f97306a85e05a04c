#include "xmpp/wire/xep/caps.hpp"

#include <gtest/gtest.h>

#include <string>

#include "xml/reader.hpp"
#include "xmpp/wire/stream.hpp"

namespace {

using namespace stox;
using namespace stox::xmpp;

disco::info read(const std::string& text) {
  const auto e = xml::parse(text, {}, component_ns);
  EXPECT_TRUE(e) << text;
  const auto info = e ? disco::parse_info(*e) : std::nullopt;
  EXPECT_TRUE(info) << text;
  return info.value_or(disco::info{});
}

std::string query(const std::string& content) {
  return "<query xmlns='http://jabber.org/protocol/disco#info'>" + content + "</query>";
}

std::string features(std::initializer_list<const char*> vars) {
  std::string out;
  for (const auto* var : vars) out += "<feature var='" + std::string(var) + "'/>";
  return out;
}

std::string field(const std::string& var, std::initializer_list<const char*> values) {
  std::string out = "<field var='" + var + "'" + (var == "FORM_TYPE" ? " type='hidden'>" : ">");
  for (const auto* value : values) out += "<value>" + std::string(value) + "</value>";
  return out + "</field>";
}

std::string form(const std::string& fields) {
  return "<x xmlns='jabber:x:data' type='result'>" + field("FORM_TYPE", {"urn:xmpp:dataforms:softwareinfo"}) +
         fields + "</x>";
}

// XEP-0115 §5.2 and §5.3.
const std::string exodus =
    query("<identity category='client' type='pc' name='Exodus 0.9.1'/>" +
          features({"http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#info",
                    "http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/caps"}));
const std::string psi = query(
    "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
    "<identity xml:lang='el' category='client' name='\xCE\xA8 0.11' type='pc'/>" +
    features({"http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info",
              "http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/muc"}) +
    form(field("software_version", {"0.11"}) + field("ip_version", {"ipv6", "ipv4"}) + field("os", {"Mac"}) +
         field("os_version", {"10.5.1"}) + field("software", {"Psi"})));

// XEP-0390 §4.5.1 and §4.5.2.
const std::string bombus =
    query("<identity category='client' name='BombusMod' type='mobile'/>" +
          features({"http://jabber.org/protocol/si", "http://jabber.org/protocol/bytestreams",
                    "http://jabber.org/protocol/chatstates", "http://jabber.org/protocol/disco#info",
                    "http://jabber.org/protocol/disco#items", "urn:xmpp:ping", "jabber:iq:time",
                    "jabber:iq:privacy", "jabber:iq:version", "http://jabber.org/protocol/rosterx",
                    "urn:xmpp:time", "jabber:x:oob", "http://jabber.org/protocol/ibb",
                    "http://jabber.org/protocol/si/profile/file-transfer", "urn:xmpp:receipts",
                    "jabber:iq:roster", "jabber:iq:last"}));
const std::string tkabber = query(
    "<identity category='client' name='Tkabber' type='pc' xml:lang='en'/><identity category='client' "
    "name='\xD0\xA2\xD0\xBA\xD0\xB0\xD0\xB1\xD0\xB1\xD0\xB5\xD1\x80' type='pc' xml:lang='ru'/>" +
    features({"games:board",
              "http://jabber.org/protocol/activity",
              "http://jabber.org/protocol/activity+notify",
              "http://jabber.org/protocol/bytestreams",
              "http://jabber.org/protocol/chatstates",
              "http://jabber.org/protocol/commands",
              "http://jabber.org/protocol/disco#info",
              "http://jabber.org/protocol/disco#items",
              "http://jabber.org/protocol/evil",
              "http://jabber.org/protocol/feature-neg",
              "http://jabber.org/protocol/geoloc",
              "http://jabber.org/protocol/geoloc+notify",
              "http://jabber.org/protocol/ibb",
              "http://jabber.org/protocol/iqibb",
              "http://jabber.org/protocol/mood",
              "http://jabber.org/protocol/mood+notify",
              "http://jabber.org/protocol/rosterx",
              "http://jabber.org/protocol/si",
              "http://jabber.org/protocol/si/profile/file-transfer",
              "http://jabber.org/protocol/tune",
              "http://www.facebook.com/xmpp/messages",
              "http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify",
              "jabber:iq:avatar",
              "jabber:iq:browse",
              "jabber:iq:dtcp",
              "jabber:iq:filexfer",
              "jabber:iq:ibb",
              "jabber:iq:inband",
              "jabber:iq:jidlink",
              "jabber:iq:last",
              "jabber:iq:oob",
              "jabber:iq:privacy",
              "jabber:iq:roster",
              "jabber:iq:time",
              "jabber:iq:version",
              "jabber:x:data",
              "jabber:x:event",
              "jabber:x:oob",
              "urn:xmpp:avatar:metadata+notify",
              "urn:xmpp:ping",
              "urn:xmpp:receipts",
              "urn:xmpp:time"}) +
    form(field("software", {"Tkabber"}) +
         field("software_version", {"0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)"}) + field("os", {"Windows"}) +
         field("os_version", {"XP"})));

std::string hash_of(const disco::info& i, std::string_view algorithm) {
  for (const auto& e : caps::write(i)) {
    for (const auto* hash : e.elements()) {
      if (*hash->attr("algo") == algorithm) return hash->text();
    }
  }
  return {};
}

TEST(caps, verification_text_is_that_of_the_xep_examples) {
  EXPECT_EQ(caps::verification_text(read(exodus)),
            "client/pc//Exodus 0.9.1<http://jabber.org/protocol/caps<http://jabber.org/protocol/disco#info<"
            "http://jabber.org/protocol/disco#items<http://jabber.org/protocol/muc<");
  EXPECT_EQ(caps::verification(read(exodus)), "QgayPKawpkPSDYmwT/WM94uAlu0=");
  EXPECT_EQ(caps::verification_text(read(psi)),
            "client/pc/el/\xCE\xA8 0.11<client/pc/en/Psi 0.11<http://jabber.org/protocol/caps<"
            "http://jabber.org/protocol/disco#info<http://jabber.org/protocol/disco#items<"
            "http://jabber.org/protocol/muc<urn:xmpp:dataforms:softwareinfo<ip_version<ipv4<ipv6<os<Mac<"
            "os_version<10.5.1<software<Psi<software_version<0.11<");
  EXPECT_EQ(caps::verification(read(psi)), "q07IKJEyjvHSyhy//CH0CxmKi8w=");
}

TEST(caps, hashes_of_0390_are_those_of_the_xep_examples) {
  EXPECT_EQ(hash_of(read(bombus), "sha-256"), "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=");
  EXPECT_EQ(hash_of(read(bombus), "sha3-256"), "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q=");
  EXPECT_EQ(hash_of(read(tkabber), "sha-256"), "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=");
  EXPECT_EQ(hash_of(read(tkabber), "sha3-256"), "XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg=");
  EXPECT_EQ(caps::hash_input(read(bombus)).size(), 0x1d9U);
}

TEST(caps, a_description_is_found_under_its_own_hashes_only) {
  const auto info = read(tkabber);
  EXPECT_TRUE(caps::is_node_of(std::string(caps::software) + "#" + caps::verification(info), info));
  EXPECT_TRUE(caps::is_node_of("urn:xmpp:caps#sha-256.u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=", info));
  EXPECT_TRUE(caps::is_node_of("urn:xmpp:caps#sha3-256.XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg=", info));
  for (const auto* node :
       {"", "urn:xmpp:caps", "urn:xmpp:caps#sha-256.", "urn:x-stox:gateway#q07IKJEyjvHSyhy//CH0CxmKi8w=",
        "urn:xmpp:caps#sha-256.kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
        "urn:xmpp:caps#sha3-256.u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY="}) {
    EXPECT_FALSE(caps::is_node_of(node, info)) << node;
  }
}

TEST(caps, disco_info_with_forms_and_languages_is_written_as_it_was_read) {
  for (const auto& text : {exodus, psi, bombus, tkabber}) {
    EXPECT_EQ(xml::canonical(disco::write(read(text))), xml::canonical(*xml::parse(text, {}, component_ns)));
  }
}

}  // namespace
