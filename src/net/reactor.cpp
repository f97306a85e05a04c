#include "net/reactor.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace stox::net {

// The hint says that one thread runs the loop; post() from other threads stays legal.
reactor::reactor() : context_(std::make_unique<boost::asio::io_context>(1)) {}
reactor::~reactor() = default;

void reactor::run() {
  const auto work = boost::asio::make_work_guard(*context_);
  context_->restart();
  context_->run();
}

void reactor::stop() { context_->stop(); }

void reactor::post(std::function<void()> f) { boost::asio::post(*context_, std::move(f)); }

bool reactor::run_until(const std::function<bool()>& done, duration limit) {
  const auto work = boost::asio::make_work_guard(*context_);
  const auto end = std::chrono::steady_clock::now() + limit;
  context_->restart();
  while (!done()) {
    if (context_->run_one_until(end) == 0) return done();
  }
  return true;
}

}  // namespace stox::net
