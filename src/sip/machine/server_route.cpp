// Where the responses of server_core go when the stream that their request came on is gone.
#include <optional>
#include <utility>

#include "sip/machine/server_core.hpp"
#include "sip/machine/tx_key.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {

namespace {

result<via> top_via(std::string_view response) {
  static constexpr std::string_view name = "\r\nVia: ";
  const auto at = response.find(name);
  if (at == std::string_view::npos) return errc::missing_header;
  response.remove_prefix(at + name.size());
  header_list one;
  one.add(header::via, std::string(response.substr(0, response.find("\r\n"))));
  const auto elements = one.elements(header::via);
  if (elements.empty()) return errc::bad_header;
  return parse_via(elements.front());
}

/// Where the request came from. Over TLS whoever is there must be the host that its sender named (RFC 5922
/// §7.3).
target source_of(std::string_view response, transport by, const socket_address& at) {
  target out{by, at};
  if (by != transport::tls) return out;
  if (const auto top = top_via(response)) out.domain = normal_host(top->host);
  return out;
}

/// What the sent-by of a response's top Via names, if it is a name.
std::optional<destination> named_sender(std::string_view response, transport by) {
  const auto top = top_via(response);
  if (!top || ip_address::parse(top->host)) return std::nullopt;
  return destination{normal_host(top->host), top->port.value_or(0), by, by == transport::tls};
}

}  // namespace

/// Only requests of trusted peers become transactions: no stranger makes us connect or ask the DNS.
bool server_core::next_stream(record& rec, std::uint64_t number, instant now) {
  if (rec.by == way::arrived) {
    rec.by = way::source;
    rec.route.conn = conns_.connect(source_of(rec.fsm.response(), rec.route.via, rec.route.to), {}, now);
    if (rec.route.conn != conn_id::none) return true;
  }
  if (rec.by == way::source) {
    rec.by = way::servers;
    rec.route.conn = conn_id::none;
    auto where = named_sender(rec.fsm.response(), rec.route.via);
    if (!where) return false;
    const reach can{false, rec.route.via == transport::tcp, rec.route.via == transport::tls, true, true};
    auto found = locator_.start(number, {std::move(*where)}, can, now);
    if (!found) return false;
    servers_[number].assign(found->targets.begin(), found->targets.end());
  }
  auto& left = servers_[number];
  while (!left.empty()) {
    const target next = std::move(left.front());
    left.pop_front();
    rec.route.to = next.to;
    rec.route.conn = conns_.connect(next, {}, now);
    if (rec.route.conn != conn_id::none) return true;
  }
  return false;
}

void server_core::resolved(const dns::resolver::answered& a, instant now) {
  locator_.answered(a, now);
  while (auto out = locator_.poll()) {
    record* rec = records_.find(out->request);
    if (rec == nullptr) continue;
    servers_[out->request].assign(out->found.targets.begin(), out->found.targets.end());
    transmit(*rec, out->request, now);
  }
}

}  // namespace stox::sip
