#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/byte_account.hpp"
#include "base/deadline_index.hpp"
#include "gateway/context.hpp"
#include "gateway/open_message.hpp"
#include "gateway/typing_places.hpp"
#include "payload/is_composing.hpp"
#include "xmpp/wire/jid.hpp"

namespace stox::gateway {

/// Typing notices (RFC 3994) -> chat states. Who types is remembered until he stops, sends his text or does
/// not refresh his notice in time (§3.3), so that <composing/> never stands for ever, and each state is sent
/// once (XEP-0085 §5.3).
class typing_to_xmpp {
 public:
  /// `to`: the resource that is to see it; `thread`: of the conversation; `hop_mark`: with us in it. Whether
  /// anything came of it.
  bool handle(const payload::is_composing& notice, const xmpp::jid& from, const xmpp::jid& to,
              const std::string& thread, const std::string& hop_mark, context& c);
  /// A text of `from` goes to `to` and says as much as <paused/> does there; another resource is told so.
  void text_sent(const xmpp::jid& from, const xmpp::jid& to, context& c);
  void timed_out(std::uint64_t number, context& c);
  void abandon(const work_end& why, context& c);
  std::size_t size() const { return typists_.size(); }

 private:
  /// One SIP user of whom an XMPP user sees that he types.
  struct typist {
    xmpp::jid from, to;
    std::string thread, hop_mark;
    std::uint64_t number = 0;
    timer_handle timer;
    charge memory;
  };
  using typist_map = std::unordered_map<std::string, typist>;
  using place = typist_map::value_type;

  static void send(const typist& t, const payload::is_composing& notice, context& c);
  void stop(place& at, context& c);
  void erase(place& at, context& c);

  typist_map typists_;
  typing_places places_;
  std::unordered_map<std::uint64_t, place*> by_number_;
  std::uint64_t last_number_ = 0;
};

}  // namespace stox::gateway
