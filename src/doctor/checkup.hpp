#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "doctor/facts.hpp"
#include "doctor/sip_probe.hpp"
#include "doctor/xmpp_probe.hpp"

namespace stox::doctor {

/// The examination of one domain: asks the DNS as long as answers lead to more questions, then visits every
/// server that it names, all at once. No step takes longer than subject::patience. Drain poll() after every
/// call; is_done() says when found() is complete.
class checkup {
 public:
  checkup(subject who, id_source& ids);
  checkup(const checkup&) = delete;
  checkup& operator=(const checkup&) = delete;

  /// After the UDP listeners were told (io::listening): one for each family that there is.
  void start(instant now);
  void handle(const io::event& e, instant now);
  void handle_timeout(instant now);
  std::optional<io::action> poll();
  std::optional<steady_time> next_deadline() const;
  bool is_done() const;
  const subject& who() const { return who_; }
  facts found() const;

 private:
  struct open_question {
    dns::question what;
    steady_time until;
  };
  struct listener {
    conn_id conn{};
    std::uint16_t port = 0;
  };
  template <class Probe>
  struct visitor {
    std::unique_ptr<Probe> probe;
    steady_time until;  ///< of the step that it is in
    stage in = stage::connecting;
  };

  void ask_on(instant now);
  std::vector<dns::question> questions();
  void learn(const io::looked_up& l, instant now);
  void visit_all(instant now);
  void listen(const io::listening& l);
  template <class Probe>
  void renew(visitor<Probe>& v, instant now);
  void tell(conn_id conn, const io::event& e, instant now);

  subject who_;
  id_source& ids_;
  io_port port_;
  std::size_t taken_ = 0;  ///< of port_'s actions
  std::map<io::lookup_id, open_question> open_;
  std::uint64_t last_lookup_ = 0;
  dns_answers known_;
  bool by_address_ = false;
  bool visiting_ = false;
  std::optional<listener> v4_, v6_;
  std::vector<visitor<xmpp_probe>> xmpp_;
  std::vector<visitor<sip_probe>> sip_;
};

}  // namespace stox::doctor
