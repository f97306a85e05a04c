#pragma once

#include <string>
#include <string_view>

#include "base/io.hpp"
#include "doctor/facts.hpp"
#include "xml/reader.hpp"

namespace stox::doctor {

/// One s2s stream (RFC 6120 §4, §5; XEP-0368) as far as a stranger gets: STARTTLS or direct TLS, then the
/// features that the server offers. It authenticates nothing and sends no stanza.
class xmpp_probe {
 public:
  /// `who` must outlive it.
  xmpp_probe(const subject& who, xmpp_target to, io_port& port);

  conn_id conn() const { return conn_; }
  void start();
  /// Only events of its connection.
  void handle(const io::event& e);
  /// Its time is up.
  void give_up();
  bool is_done() const { return done_; }
  const xmpp_visit& visit() const { return visit_; }

 private:
  void on_opened(const io::opened& o);
  void on_bytes(std::string_view bytes);
  void on_read(const xml::read_event& e);
  void on_stanza(const xml::element& e);
  void on_features(const xml::element& e);
  void on_secured(const peer_identity& identity);
  void send_header();
  void finish();
  void fail(std::string detail);

  const subject& who_;
  io_port& port_;
  conn_id conn_{};
  xml::reader reader_;
  xmpp_visit visit_;
  bool done_ = false;
};

}  // namespace stox::doctor
