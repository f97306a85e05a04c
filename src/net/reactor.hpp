#pragma once

#include <functional>
#include <memory>

#include "base/instant.hpp"
#include "base/io.hpp"

namespace boost::asio {
class io_context;
}

namespace stox::net {

/// Where the sockets' events go.
///
/// on_event() must not call back into the object that calls it; on_batch_end() may, and is where answers are
/// drained: it is the last thing that a socket's handler does, after one or many events.
class event_sink {
 public:
  event_sink() = default;
  event_sink(const event_sink&) = delete;
  event_sink& operator=(const event_sink&) = delete;
  virtual ~event_sink() = default;
  virtual void on_event(const io::event& e) = 0;
  virtual void on_batch_end() = 0;
};

/// Numbers what the rim opens: listeners and accepted connections.
class rim_numbers {
 public:
  conn_id next(conn_use use) { return conn_id{mark_of(use) | ++last_}; }

 private:
  std::uint64_t last_ = 0;
};

/// One event loop, so that headers need no Asio. It must outlive every object that was given it; they must
/// outlive its last run.
class reactor {
 public:
  reactor();
  ~reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  boost::asio::io_context& context() { return *context_; }
  void run();                          ///< until stop()
  void stop();                         ///< from any thread
  void post(std::function<void()> f);  ///< runs f in the loop; from any thread
  /// Runs until done() holds after some handler, or until `limit` has passed; returns done().
  bool run_until(const std::function<bool()>& done, duration limit);

 private:
  std::unique_ptr<boost::asio::io_context> context_;
};

}  // namespace stox::net
