#include "admin/admin.hpp"

#include "admin/control.hpp"
#include "admin/http.hpp"

namespace stox::admin {

namespace {

error of_key(const char* key, error e) {
  e.detail = std::string(key) + ": " + e.detail;
  return e;
}

}  // namespace

struct server::impl {
  std::unique_ptr<http_door> http;
  std::unique_ptr<control_door> control;
};

result<std::unique_ptr<server>> server::start(boost::asio::io_context& context, const settings::admin& where,
                                              const hooks& h, const time_limits& limits) {
  auto doors = std::make_unique<impl>();
  if (!where.listen.empty()) {
    auto opened = http_door::open(context, where.listen, h, limits.http);
    if (!opened) return of_key("admin.listen", opened.error());
    doors->http = std::move(*opened);
  }
  if (!where.control.empty()) {
    auto opened = control_door::open(context, where.control, h, limits.control);
    if (!opened) return of_key("admin.control", opened.error());
    doors->control = std::move(*opened);
  }
  return std::unique_ptr<server>(new server(std::move(doors)));
}

server::server(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
server::~server() = default;

void server::stop() {
  if (impl_->http) impl_->http->stop();
  if (impl_->control) impl_->control->stop();
}

std::uint16_t server::http_port() const { return impl_->http ? impl_->http->port() : std::uint16_t{0}; }

}  // namespace stox::admin
