#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xmpp/machine/backoff.hpp"
#include "xmpp/machine/component.hpp"
#include "xmpp/machine/fence.hpp"
#include "xmpp/machine/outbox.hpp"

namespace stox::xmpp {

/// The states of one component link. component.cpp brings the events in; component_link.cpp is what happens
/// then.
struct component::impl {
  enum class state {
    idle,         ///< not started, or stopped: nothing happens
    held,         ///< to be started later: stanzas are kept
    waiting,      ///< for the next attempt, at deadline_
    connecting,   ///< a connection is asked for
    opening,      ///< our stream header is out, the server's is awaited
    handshaking,  ///< our handshake is out, the server's verdict is awaited
    up,           ///< stanzas go both ways
    closing,      ///< stopped: our closing tag is out, the server's and the end of the connection are awaited
  };

  impl(link_id id, component_options options, deadline_index& deadlines, id_source& ids, byte_account& memory,
       io_port& io)
      : id_(id),
        options_(std::move(options)),
        deadlines_(deadlines),
        ids_(ids),
        memory_(memory),
        io_(io),
        domain_(prepared(options_.domain)),
        backoff_(options_.backoff_min, options_.backoff_max),
        fence_({options_.fence_stanzas, options_.fence_age, options_.fence_timeout}, memory, events_),
        outbox_(conn_use::component, options_.queue_bytes, memory, io) {}
  ~impl() {
    deadlines_.set(timer_, {}, std::nullopt);
    for (const auto& [ref, text] : tracked_) memory_.give(text.size());
  }
  impl(const impl&) = delete;
  impl& operator=(const impl&) = delete;

  // One function per state for what the server says, and per kind of other event.
  void in_opening(const xml::read_event& event, instant now);
  void in_handshaking(const xml::read_event& event, instant now);
  void in_up(xml::read_event& event, instant now);
  void in_closing(xml::read_event& event);
  void dispatch(xml::read_event& event, instant now);
  void received(std::string_view bytes, instant now);
  void closed(io::fail why, instant now);
  void timeout(instant now);

  void connect();
  void opened(instant now);
  void came_up(instant now);
  void stop(instant now);
  /// The stream has ended on both sides, or is not waited for: closes the connection.
  void end_stream();
  /// Ends the connection from our side with `last_words`, after which the link is down.
  void hang_up(std::string_view last_words, std::string why, std::string_view hint, instant now);
  void stream_error(const xml::element& e, instant now);
  /// The connection is gone or given up: tells everybody, and plans the next attempt unless stopped.
  void down(std::string why, std::string_view hint, bool all_told, instant now);
  /// What stop() asked for is done.
  void stopped();
  void log_down(const std::string& why, std::string_view hint);

  token put(std::string_view bytes, bool want_token) { return outbox_.put(conn_, bytes, want_token); }
  void write_queue(instant now);
  /// A stanza of the queue, or one that could go at once, was written: it is kept until the server confirms.
  void track(outbox::written w, instant now);
  /// What became of a tracked stanza; false: the event is for the flows.
  bool settle_tracked(component_event& event);
  void settle_end(link_down& event);
  static std::string prepared(const std::string& domain);
  bool is_own_ping(const xml::element& e);
  bool is_us(const std::string& address) const { return address == domain_ || address == options_.domain; }
  /// After every event: sends a ping if one is due, and keeps the deadline.
  void settle(instant now);
  std::optional<steady_time> next_deadline() const;

  const link_id id_;
  const component_options options_;
  deadline_index& deadlines_;
  id_source& ids_;
  byte_account& memory_;
  io_port& io_;
  const std::string domain_;  ///< as the server will write it

  state state_ = state::idle;
  conn_id conn_ = conn_id::none;
  std::optional<xml::reader> reader_;
  bool blocked_ = false;
  bool close_asked_ = false;
  steady_time deadline_{};  ///< of waiting, opening, handshaking and closing
  steady_time heard_{};
  instant since_{};  ///< up, or not up
  backoff backoff_;

  /// Stanzas of send_or_queue that are written and not confirmed, by their own refs; `again_`: lost ones, on
  /// their way back into the queue.
  static constexpr std::uint64_t first_own_ref = std::uint64_t{1} << 63;
  std::map<stanza_ref, std::string> tracked_;
  std::vector<std::string> again_;
  std::uint64_t last_own_ref_ = first_own_ref;

  std::deque<component_event> events_;
  fence fence_;
  outbox outbox_;

  timer_handle timer_;
  std::optional<steady_time> armed_;
  std::vector<log_record> log_;
  std::string last_failure_;  ///< already logged; empty while up
  component_stats stats_;
};

}  // namespace stox::xmpp
