#include "sip/machine/response_builder.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/net_address.hpp"
#include "base/text.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

constexpr std::size_t max_reason = 200;

/// RFC 3261 §8.2.6.2: what a response has from its request.
constexpr header repeated[] = {header::via, header::from, header::to, header::call_id, header::cseq};

/// Takes the text up to the next semicolon outside quotes off the front of `element`, with the semicolon.
std::string_view take_param(std::string_view& element) {
  if (element.find('"') == std::string_view::npos) {
    const auto part = element.substr(0, element.find(';'));
    element.remove_prefix(std::min(part.size() + 1, element.size()));
    return part;
  }
  bool quoted = false;
  for (std::size_t i = 0; i < element.size(); ++i) {
    if (element[i] == '\\' && quoted) {
      ++i;
    } else if (element[i] == '"') {
      quoted = !quoted;
    } else if (element[i] == ';' && !quoted) {
      const auto part = element.substr(0, i);
      element.remove_prefix(i + 1);
      return part;
    }
  }
  return std::exchange(element, {});
}

/// The top Via's text with our values of received and rport; all else stays as it was written.
void append_stamped(std::string& out, std::string_view element, const std::string& received,
                    const std::optional<std::string>& rport) {
  out += text::trim(take_param(element));
  while (!element.empty()) {
    const std::string_view part = take_param(element);
    const std::string_view name = text::trim(part.substr(0, part.find('=')));
    if (text::iequals(name, "received") || (rport && text::iequals(name, "rport"))) continue;
    out += ';';
    out += part;
  }
  if (rport) out.append(";rport=").append(*rport);
  out.append(";received=").append(received);
}

std::string_view first_element(std::string_view list) {
  std::string_view first;
  for_each_element(list, [&first](std::string_view element) {
    if (first.empty()) first = element;
  });
  return first;
}

}  // namespace

void stamp_via(request& r, via& top, const socket_address& source) {
  const bool asked = find_param(top.params, "rport") != nullptr;
  const bool lied = find_param(top.params, "received") != nullptr;
  if (!asked && !lied && ip_address::parse(top.host) == source.ip) return;
  const std::string received = source.ip.to_string();
  std::optional<std::string> rport;
  if (asked) rport = std::to_string(source.port);
  for (std::size_t i = 0; i < r.headers.size(); ++i) {
    if (r.headers[i].id != header::via) continue;
    const auto value = r.headers[i].value;
    const auto element = first_element(value);
    if (element.empty()) continue;  // a line of commas or blanks names no hop
    std::string text;
    text.reserve(value.size() + 64);
    append_stamped(text, element, received, rport);
    // What stands behind the first element in the same line stays.
    text += value.substr(static_cast<std::size_t>(element.data() + element.size() - value.data()));
    r.headers.replace(i, text);
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

response_head head_for(const request& r, std::string_view tag) {
  response_head out;
  std::size_t size = tag.size() + 8;
  for (const header id : repeated)
    r.headers.for_each(id, [&size](std::string_view value) { size += value.size() + 12; });
  out.lines.reserve(size);
  for (const header id : repeated) {
    r.headers.for_each(id, [&](std::string_view value) {
      write_line(out.lines, id, value);
      if (id != header::to || tag.empty()) return;
      // A tag is a parameter, so a value without a semicolon need not be read again.
      const auto to = value.find(';') == std::string_view::npos ? result<name_addr>(errc::bad_header)
                                                                : parse_name_addr(value);
      if (to && !to->tag().empty()) return;
      out.lines.resize(out.lines.size() - 2);
      out.lines.append(";tag=").append(tag).append("\r\n");
    });
  }
  r.headers.for_each(header::timestamp,
                     [&out](std::string_view value) { write_line(out.timestamp, header::timestamp, value); });
  return out;
}

std::uint16_t status_of(const reply& answer) {
  return answer.status >= 100 && answer.status <= 699 ? answer.status : std::uint16_t{500};
}

std::string write_response(const response_head& head, const reply& answer, std::string_view product) {
  const std::uint16_t status = status_of(answer);
  std::string out;
  out.reserve(128 + head.lines.size() + product.size() + answer.body.size());
  out.append("SIP/2.0 ").append(std::to_string(status)) += ' ';
  out += answer.reason.empty() ? default_reason(status) : clean_text(answer.reason, max_reason);
  out.append("\r\n").append(head.lines);
  if (status == 100) out += head.timestamp;
  const bool named = product.empty() || answer.headers.find(header::server).has_value();
  if (named || answer.headers.empty()) {
    // Most have no more than this one.
    if (!named) write_line(out, header::server, product);
    write_rest(out, answer.headers, answer.body);
    return out;
  }
  header_list rest = answer.headers;
  rest.add(header::server, product);
  write_rest(out, rest, answer.body);
  return out;
}

reply plain_reply(std::uint16_t status, std::string reason) { return {status, std::move(reason), {}, {}}; }

}  // namespace stox::sip
