#include "translate/xmpp_uri.hpp"

#include "base/text.hpp"

namespace stox::translate {

namespace {

constexpr std::size_t max_uri = 3 * 3 * 1023 + 16;  ///< three parts of 1023 bytes, all escaped

bool is_unreserved(char c) {
  return text::is_alnum(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}
bool is_node_char(char c) {
  return is_unreserved(c) || std::string_view("!$()*+,;=").find(c) != std::string_view::npos;
}
bool is_resource_char(char c) {
  return is_node_char(c) || std::string_view("&':").find(c) != std::string_view::npos;
}
bool is_host_char(char c) {
  return is_unreserved(c) || std::string_view("[]:").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<xmpp::jid> parse_xmpp_uri(std::string_view s) {
  s = text::trim(s);
  if (s.size() > max_uri || !text::istarts_with(s, "xmpp:")) return std::nullopt;
  s.remove_prefix(5);
  // RFC 5122 §2.3: "//" names the account to speak as, which is the reader's matter and never the peer's.
  if (s.substr(0, 2) == "//") return std::nullopt;
  s = s.substr(0, s.find_first_of("?#"));

  const auto slash = s.find('/');
  const auto bare = s.substr(0, slash);
  const auto at = bare.find('@');
  if (at == 0 || slash == s.size() - 1) return std::nullopt;
  const auto local =
      text::percent_decode(at == std::string_view::npos ? std::string_view{} : bare.substr(0, at));
  const auto domain = text::percent_decode(at == std::string_view::npos ? bare : bare.substr(at + 1));
  const auto resource =
      text::percent_decode(slash == std::string_view::npos ? std::string_view{} : s.substr(slash + 1));
  if (!local || !domain || !resource) return std::nullopt;
  if (!text::is_utf8(*local) || !text::is_utf8(*domain) || !text::is_utf8(*resource)) return std::nullopt;
  auto jid = xmpp::jid::make(*local, *domain, *resource);
  if (!jid) return std::nullopt;
  return *std::move(jid);
}

std::string write_xmpp_uri(const xmpp::jid& j) {
  std::string out = "xmpp:";
  if (!j.local.empty()) {
    text::percent_encode(out, j.local, is_node_char);
    out += '@';
  }
  text::percent_encode(out, j.domain, is_host_char);
  if (!j.resource.empty()) {
    out += '/';
    text::percent_encode(out, j.resource, is_resource_char);
  }
  return out;
}

}  // namespace stox::translate
