#include "sip/machine/response_builder.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "base/net_address.hpp"
#include "base/text.hpp"

namespace stox::sip {

namespace {

constexpr std::size_t max_reason = 200;

/// RFC 3261 §8.2.6.2: what a response has from its request.
bool is_repeated(header h) {
  return h == header::via || h == header::from || h == header::to || h == header::call_id ||
         h == header::cseq;
}

/// The element's text cut at the semicolons outside quotes.
std::vector<std::string_view> cut_params(std::string_view element) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < element.size(); ++i) {
    if (element[i] == '\\' && quoted) {
      ++i;
    } else if (element[i] == '"') {
      quoted = !quoted;
    } else if (element[i] == ';' && !quoted) {
      parts.push_back(element.substr(from, i - from));
      from = i + 1;
    }
  }
  parts.push_back(element.substr(from));
  return parts;
}

/// The top Via's text with our values of received and rport; all else stays as it was written.
std::string stamped(std::string_view element, const std::string& received,
                    const std::optional<std::string>& rport) {
  std::string out;
  bool first = true;
  for (const std::string_view part : cut_params(element)) {
    const std::string_view name = text::trim(part.substr(0, part.find('=')));
    if (!first && (text::iequals(name, "received") || (rport && text::iequals(name, "rport")))) continue;
    if (!first) out += ';';
    out += first ? text::trim(part) : part;
    first = false;
  }
  if (rport) out += ";rport=" + *rport;
  out += ";received=" + received;
  return out;
}

}  // namespace

void stamp_via(request& r, via& top, const socket_address& source) {
  const auto sent_by_ip = ip_address::parse(top.host);
  const bool asked = find_param(top.params, "rport") != nullptr;
  const bool lied = find_param(top.params, "received") != nullptr;
  if (!asked && !lied && sent_by_ip == source.ip) return;
  const std::string received = source.ip.to_string();
  std::optional<std::string> rport;
  if (asked) rport = std::to_string(source.port);
  for (header_field& field : r.headers.fields()) {
    if (field.id != header::via) continue;
    header_list one;
    one.add(header::via, field.value);
    const std::string& value = *one.find(header::via);
    const auto elements = one.elements(header::via);
    if (elements.empty()) continue;  // a line of commas or blanks names no hop
    std::string text = stamped(elements.front(), received, rport);
    // What stands behind the first element in the same line stays.
    const auto end =
        static_cast<std::size_t>(elements.front().data() + elements.front().size() - value.data());
    text += std::string_view(value).substr(end);
    field.value = std::move(text);
    break;
  }
  top.set_param("received", received);
  if (rport) top.set_param("rport", *rport);
}

reply_route route_reply(const via& top, const peer_info& peer) {
  const bool secure = peer.via == transport::tls;
  const auto port = top.port.value_or(secure ? std::uint16_t{5061} : std::uint16_t{5060});
  reply_route route{peer.via, peer.conn, {peer.remote.ip, port}};
  // RFC 3581 §4: back to where it came from, through the same socket.
  if (peer.via == transport::udp && find_param(top.params, "rport") != nullptr) route.to = peer.remote;
  return route;
}

response response_head(const request& r, std::string_view tag) {
  response out;
  out.headers.fields().reserve(8);
  for (const header_field& field : r.headers.fields()) {
    if (!is_repeated(field.id) && field.id != header::timestamp) continue;
    out.headers.add(field.id, field.value);
    if (field.id != header::to || tag.empty()) continue;
    const auto to = parse_name_addr(field.value);
    if (!to || to->tag().empty()) out.headers.fields().back().value += ";tag=" + std::string(tag);
  }
  return out;
}

response build_response(response head, const reply& answer, std::string_view product) {
  response out = std::move(head);
  out.status = answer.status >= 100 && answer.status <= 699 ? answer.status : std::uint16_t{500};
  out.reason =
      answer.reason.empty() ? std::string(default_reason(out.status)) : clean_text(answer.reason, max_reason);
  if (out.status != 100) out.headers.remove(header::timestamp);  // §8.2.6.1
  for (const header_field& field : answer.headers.fields()) out.headers.fields().push_back(field);
  if (!product.empty() && answer.headers.find(header::server) == nullptr) {
    out.headers.add(header::server, std::string(product));
  }
  out.body = answer.body;
  return out;
}

response minimal_response(response full) {
  response out;
  out.status = full.status;
  out.reason = std::string(default_reason(full.status));
  for (header_field& field : full.headers.fields()) {
    if (is_repeated(field.id)) out.headers.fields().push_back(std::move(field));
  }
  return out;
}

reply plain_reply(std::uint16_t status, std::string reason) { return {status, std::move(reason), {}, {}}; }

}  // namespace stox::sip
