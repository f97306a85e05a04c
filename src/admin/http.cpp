#include "admin/http.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <set>
#include <string_view>

#include "admin/host_meta.hpp"
#include "admin/json.hpp"
#include "base/net_address.hpp"

// The only file that compiles Beast: it takes ten seconds and a gigabyte.
namespace stox::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_header = 8192;
constexpr std::size_t max_connections = 64;
constexpr std::chrono::seconds accept_pause(1);

}  // namespace

struct http_state : std::enable_shared_from_this<http_state> {
  http_state(asio::io_context& context, const hooks& h, duration limit)
      : acceptor(context), pause(context), calls(h), request_limit(limit) {}

  void accept();
  void stop();

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  hooks calls;
  duration request_limit;
  std::set<beast::tcp_stream*> open;
  bool stopped = false;
};

namespace {

using response = http::response<http::string_body>;

void fill(response& r, http::status status, std::string_view type, std::string body) {
  r.result(status);
  r.set(http::field::content_type, {type.data(), type.size()});
  r.body() = std::move(body);
}

constexpr std::string_view plain = "text/plain; charset=utf-8";

std::string store_line(const hooks& calls) {
  const auto trouble = calls.store_trouble();
  return trouble.empty() ? std::string() : "the store cannot write: " + trouble + "\n";
}

/// XEP-0487: host-meta.json only. The XRD of XEP-0156 has links for clients alone, of which we take none.
void answer_host_meta(response& r, std::string_view host, const hooks& calls) {
  auto document = host_meta(host, calls.federation());
  if (!document) return fill(r, http::status::not_found, plain, document.error().detail + "\n");
  // RFC 6415, XEP-0487 §3.1: scripts of any page may read this, and nothing else that is served here.
  fill(r, http::status::ok, "application/json", std::move(*document));
  r.set(http::field::access_control_allow_origin, "*");
}

response answer(const http::request<http::empty_body>& request, const hooks& calls) {
  response r;
  r.version(request.version());
  const auto whole = request.target();
  const auto path = whole.substr(0, whole.find('?'));
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    r.set(http::field::allow, "GET, HEAD");
    fill(r, http::status::method_not_allowed, plain, "only GET and HEAD\n");
  } else if (path == "/metrics") {
    fill(r, http::status::ok, "text/plain; version=0.0.4; charset=utf-8", render_metrics(calls.samples()));
  } else if (path == "/status") {
    fill(r, http::status::ok, "application/json", status_answer(calls) + "\n");
  } else if (path == "/healthz") {
    fill(r, http::status::ok, plain, "alive\n");
  } else if (path == "/readyz") {
    const auto state = calls.readiness();
    fill(r, state.ready ? http::status::ok : http::status::service_unavailable, plain,
         (state.ready ? "ready" : state.why) + "\n" + store_line(calls));
  } else if (path == "/.well-known/host-meta.json") {
    const auto host = request[http::field::host];
    answer_host_meta(r, {host.data(), host.size()}, calls);
  } else {
    fill(r, http::status::not_found, plain,
         "here are /metrics, /status, /healthz, /readyz and /.well-known/host-meta.json\n");
  }
  return r;
}

/// One client, request after request. Owned by its pending handlers.
class http_session : public std::enable_shared_from_this<http_session> {
 public:
  http_session(tcp::socket socket, std::shared_ptr<http_state> door)
      : stream_(std::move(socket)), door_(std::move(door)) {
    door_->open.insert(&stream_);
  }
  http_session(const http_session&) = delete;
  http_session& operator=(const http_session&) = delete;
  ~http_session() { door_->open.erase(&stream_); }

  void read() {
    parser_.emplace();
    parser_->header_limit(max_header);
    stream_.expires_after(door_->request_limit);  // from the first byte awaited to the last one written
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code failed, std::size_t) { self->on_read(failed); });
  }

 private:
  void on_read(error_code failed) {
    if (door_->stopped) return;
    response_ = {};
    bool more = false;
    if (failed == http::error::header_limit) {
      fill(response_, http::status::request_header_fields_too_large, plain, "header above 8 kB\n");
    } else if (failed && failed.category() == http::make_error_code(http::error::bad_method).category() &&
               failed != http::error::end_of_stream && failed != http::error::partial_message) {
      fill(response_, http::status::bad_request, plain, "not HTTP\n");
    } else if (failed) {
      return close();
    } else {
      response_ = answer(parser_->get(), door_->calls);
      // A body is not read, hence nothing after it can be.
      more = parser_->is_done() && parser_->get().keep_alive();
    }
    const bool head = !failed && parser_->get().method() == http::verb::head;
    response_.keep_alive(more);
    response_.prepare_payload();
    if (head) response_.body().clear();  // Content-Length stays what GET would say
    http::async_write(stream_, response_, [self = shared_from_this(), more](error_code broken, std::size_t) {
      if (broken || !more || self->door_->stopped) return self->close();
      self->read();
    });
  }

  void close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{max_header + 1024};
  std::optional<http::request_parser<http::empty_body>> parser_;
  response response_;
  std::shared_ptr<http_state> door_;
};

}  // namespace

void http_state::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code failed, tcp::socket socket) {
    if (self->stopped) return;
    if (!failed) {
      // Beyond the limit the socket is simply closed.
      if (self->open.size() < max_connections)
        std::make_shared<http_session>(std::move(socket), self)->read();
      return self->accept();
    }
    // Out of descriptors, mostly: trying again at once would spin.
    self->pause.expires_after(accept_pause);
    self->pause.async_wait([self](error_code) {
      if (!self->stopped) self->accept();
    });
  });
}

void http_state::stop() {
  if (std::exchange(stopped, true)) return;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (auto* stream : open) stream->socket().close(ignored);
}

result<std::unique_ptr<http_door>> http_door::open(asio::io_context& context, const std::string& listen,
                                                   const hooks& h, duration request_limit) {
  const auto where = socket_address::parse(listen);
  if (!where) return error(errc::bad_address, listen);
  error_code failed;
  const auto address = asio::ip::make_address(where->ip.to_string(), failed);
  if (failed) return error(errc::bad_address, listen);
  const tcp::endpoint endpoint(address, where->port);
  auto state = std::make_shared<http_state>(context, h, request_limit);
  const auto at = [&](const char* step) {
    return error(errc::cannot_listen, listen + ": " + step + ": " + failed.message());
  };
  state->acceptor.open(endpoint.protocol(), failed);
  if (failed) return at("socket");
  state->acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  state->acceptor.bind(endpoint, failed);
  if (failed) return at("bind");
  state->acceptor.listen(static_cast<int>(max_connections), failed);
  if (failed) return at("listen");
  state->accept();
  return std::unique_ptr<http_door>(new http_door(std::move(state)));
}

http_door::~http_door() { stop(); }
void http_door::stop() { state_->stop(); }

std::uint16_t http_door::port() const {
  error_code ignored;
  return state_->acceptor.local_endpoint(ignored).port();
}

}  // namespace stox::admin
