#pragma once

#include <memory>
#include <string>
#include <utility>

#include "admin/admin.hpp"

namespace stox::admin {

struct control_state;

/// The control socket. Lives on the loop; after stop() its handlers do nothing.
class control_door {
 public:
  static result<std::unique_ptr<control_door>> open(boost::asio::io_context& context, const std::string& path,
                                                    const hooks& h, duration idle_limit);
  ~control_door();
  control_door(const control_door&) = delete;
  control_door& operator=(const control_door&) = delete;
  void stop();

 private:
  explicit control_door(std::shared_ptr<control_state> s) : state_(std::move(s)) {}
  std::shared_ptr<control_state> state_;  ///< shared with the handlers that wait in the loop
};

}  // namespace stox::admin
