#include "translate/address.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "translate/typed_address.hpp"
#include "translate/xmpp_uri.hpp"

// What the mapping of addresses promises for any text: what is mapped can be written and read, and comes
// home; a mapped address is nobody else's.
namespace {

using namespace stox;

void require(bool holds) {
  if (!holds) std::abort();
}

const translate::address_map& addresses() {
  static const translate::address_map map({{"example.com", "sip.example.com"},
                                           {"xmpp.example.com", "example.com"},
                                           {"a.b", "bücher.example"},
                                           {"same", "same"}});
  return map;
}

void check_sip(std::string_view text) {
  const auto uri = sip::parse_uri(text);
  if (!uri) return;
  const auto jid = addresses().to_jid(*uri);
  if (!jid) return;
  const auto read = xmpp::jid::parse(jid->to_string());
  require(read.has_value() && *read == *jid);
  const auto home = addresses().to_sip(*jid, true);
  require(home.has_value());
  const auto again = addresses().to_jid(*home);
  require(again.has_value() && *again == *jid);
  require(translate::parse_xmpp_uri(translate::write_xmpp_uri(*jid)) == *jid);
}

// Whatever people type: a JID that can be reached, or a refusal in words.
void check_typed(std::string_view text) {
  for (const std::string_view home : {"sip.example.com", "same"}) {
    const auto jid = translate::typed_address(text, home, addresses());
    if (!jid) {
      require(!jid.error().text.empty());
      continue;
    }
    require(jid->is_bare() && !jid->local.empty());
    require(addresses().to_sip(*jid, false).has_value());
  }
}

void check_jid(std::string_view text) {
  const auto jid = xmpp::jid::parse(text);
  if (!jid) return;
  const auto uri = addresses().to_sip(*jid, true);
  if (!uri) return;
  const auto written = sip::write(*uri);
  require(written.find_first_of("<>\"\r\n ") == std::string::npos);
  const auto read = sip::parse_uri(written);
  require(read.has_value() && *read == *uri);
  const auto home = addresses().to_jid(*read);
  require(home.has_value() && *home == *jid);
  if (const auto im = addresses().to_im(*jid)) {
    const auto back = addresses().to_jid(*im);
    require(back.has_value() && *back == jid->bare());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_sip(text);
  check_sip("sip:" + std::string(text) + "@example.com");
  check_jid(text);
  check_typed(text);
  if (const auto jid = translate::parse_xmpp_uri(text)) {
    require(translate::parse_xmpp_uri(translate::write_xmpp_uri(*jid)) == *jid);
  }
  return 0;
}
