#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "admin/admin.hpp"

namespace stox::admin {

struct http_state;

/// The HTTP listener. Lives on the loop; after stop() its handlers do nothing.
class http_door {
 public:
  static result<std::unique_ptr<http_door>> open(boost::asio::io_context& context, const std::string& listen,
                                                 const hooks& h, duration request_limit);
  ~http_door();
  http_door(const http_door&) = delete;
  http_door& operator=(const http_door&) = delete;
  void stop();
  std::uint16_t port() const;

 private:
  explicit http_door(std::shared_ptr<http_state> s) : state_(std::move(s)) {}
  std::shared_ptr<http_state> state_;  ///< shared with the handlers that wait in the loop
};

}  // namespace stox::admin
