#include "admin/control.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>
#include <string_view>

#include "admin/json.hpp"

namespace stox::admin {

namespace {

namespace asio = boost::asio;
using local = asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t max_line = 4096;  // a bare JID takes up to 2 kB
constexpr std::size_t max_connections = 16;
constexpr std::chrono::seconds accept_pause(1);

}  // namespace

struct control_state : std::enable_shared_from_this<control_state> {
  control_state(asio::io_context& context, const hooks& h, duration limit)
      : acceptor(context), pause(context), calls(h), idle_limit(limit) {}

  void accept();
  void stop();

  local::acceptor acceptor;
  asio::steady_timer pause;
  hooks calls;
  duration idle_limit;
  std::set<local::socket*> open;
  std::string path;
  struct stat made {};  ///< the socket file as it was made: only that one is ours to remove
  bool stopped = false;
};

namespace {

/// One client: a line in, a line out, until it closes or says nothing for too long. Owned by its pending
/// handlers.
class control_session : public std::enable_shared_from_this<control_session> {
 public:
  control_session(local::socket socket, std::shared_ptr<control_state> door)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), door_(std::move(door)) {
    door_->open.insert(&socket_);
  }
  control_session(const control_session&) = delete;
  control_session& operator=(const control_session&) = delete;
  ~control_session() { door_->open.erase(&socket_); }

  void read() {
    arm();
    asio::async_read_until(
        socket_, asio::dynamic_buffer(in_, max_line), '\n',
        [self = shared_from_this()](error_code failed, std::size_t n) { self->on_read(failed, n); });
  }

 private:
  // One limit over reading the line and writing its answer, so that a client that stops reading goes too.
  void arm() {
    timer_.expires_after(door_->idle_limit);
    timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
      if (cancelled) return;
      if (const auto self = weak.lock()) self->close();
    });
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

  void on_read(error_code failed, std::size_t n) {
    if (door_->stopped) return;
    const bool too_long = failed == asio::error::not_found;
    if (failed && !too_long) return close();
    if (too_long) return write(error_answer("line longer than 4 kB"), false);
    const auto line = in_.substr(0, n);
    in_.erase(0, n);
    answer_command(line, door_->calls, [self = shared_from_this()](std::string answer) {
      if (!self->door_->stopped) self->write(std::move(answer), true);
    });
  }

  void write(std::string answer, bool more) {
    out_ = std::move(answer) + '\n';
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), more](error_code broken, std::size_t) {
                        if (broken || !more || self->door_->stopped) return self->close();
                        self->read();
                      });
  }

  local::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<control_state> door_;
  std::string in_, out_;
};

/// Makes way for our socket file: removes the one of a daemon that died. A path that is anything else is left
/// alone.
result<> clear_path(asio::io_context& context, const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0) return {};
  if (!S_ISSOCK(about.st_mode)) return error(errc::cannot_control, path + " exists and is no socket");
  // Past Asio, whose connect() waits even on a non-blocking socket.
  error_code failed;
  local::socket probe(context, local());
  probe.native_non_blocking(true, failed);
  const local::endpoint there(path);
  const bool answered =
      ::connect(probe.native_handle(), there.data(), static_cast<socklen_t>(there.size())) == 0;
  // EAGAIN: somebody listens, but his backlog is full; he may never wake up.
  if (answered || errno == EAGAIN) return error(errc::control_in_use, path + " belongs to a running daemon");
  if (errno != ECONNREFUSED) return error(errc::cannot_control, path + ": " + std::strerror(errno));
  ::unlink(path.c_str());
  return {};
}

}  // namespace

void control_state::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code failed, local::socket socket) {
    if (self->stopped) return;
    if (!failed) {
      // Beyond the limit the socket is simply closed.
      if (self->open.size() < max_connections)
        std::make_shared<control_session>(std::move(socket), self)->read();
      return self->accept();
    }
    // Out of descriptors, mostly: trying again at once would spin.
    self->pause.expires_after(accept_pause);
    self->pause.async_wait([self](error_code) {
      if (!self->stopped) self->accept();
    });
  });
}

void control_state::stop() {
  if (std::exchange(stopped, true)) return;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (auto* socket : open) socket->close(ignored);
  struct stat now {};
  if (::lstat(path.c_str(), &now) == 0 && now.st_ino == made.st_ino && now.st_dev == made.st_dev)
    ::unlink(path.c_str());
}

result<std::unique_ptr<control_door>> control_door::open(asio::io_context& context, const std::string& path,
                                                         const hooks& h, duration idle_limit) {
  if (auto cleared = clear_path(context, path); !cleared) return cleared.error();
  auto state = std::make_shared<control_state>(context, h, idle_limit);
  state->path = path;
  error_code failed;
  const auto at = [&](const char* step) {
    return error(errc::cannot_control, path + ": " + step + ": " + failed.message());
  };
  state->acceptor.open(local(), failed);
  if (failed) return at("socket");
  // Before bind, so that the file never has another mode.
  if (::fchmod(state->acceptor.native_handle(), 0600) != 0) {
    return error(errc::cannot_control, path + ": mode: " + std::strerror(errno));
  }
  state->acceptor.bind(local::endpoint(path), failed);
  if (failed) return at("bind");
  ::lstat(path.c_str(), &state->made);
  state->acceptor.listen(static_cast<int>(max_connections), failed);
  if (failed) {
    state->stop();
    return at("listen");
  }
  state->accept();
  return std::unique_ptr<control_door>(new control_door(std::move(state)));
}

control_door::~control_door() { stop(); }
void control_door::stop() { state_->stop(); }

}  // namespace stox::admin
