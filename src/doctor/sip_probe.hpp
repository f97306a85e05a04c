#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/io.hpp"
#include "doctor/facts.hpp"
#include "sip/machine/next_hop.hpp"
#include "sip/machine/stream_framer.hpp"

namespace stox::doctor {

/// One OPTIONS to one server (RFC 3261 §11): whoever answers it, whatever he answers, is there.
class sip_probe {
 public:
  /// `who` must outlive it. `listener`, `local`: over UDP the socket that sends and its port.
  sip_probe(const subject& who, const sip::target& to, io_port& port, id_source& ids,
            conn_id listener = conn_id::none, std::uint16_t local = 0);

  conn_id conn() const { return conn_; }
  void start(instant now);
  /// Only events of its connection; over UDP also those of others on the same listener, and of their tokens.
  void handle(const io::event& e);
  /// Over UDP: the time to ask again, RFC 3261 §17.1.2.2.
  std::optional<steady_time> next_deadline() const;
  void handle_timeout(instant now);
  /// Its time is up.
  void give_up();
  bool is_done() const { return done_; }
  const sip_visit& visit() const { return visit_; }

 private:
  void send(std::string_view sent_by);
  void on_bytes(const io::received& r);
  void on_message(std::string_view text, sip::framing how);
  void finish();
  bool by_datagram() const { return visit_.via == transport::udp; }

  const subject& who_;
  io_port& port_;
  conn_id conn_{};
  token token_{};  ///< over UDP: nothing else tells that there is no way to the server
  std::string branch_, tag_, call_id_, domain_;
  std::uint16_t local_ = 0;
  std::string request_;
  sip::stream_framer framer_;
  std::optional<steady_time> again_;
  duration wait_{};
  sip_visit visit_;
  bool done_ = false;
};

}  // namespace stox::doctor
