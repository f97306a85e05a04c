#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_account.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "xmpp/machine/component.hpp"

namespace stox::xmpp {

/// Knows what was sent on one link and not confirmed yet, in order, and when the next ping is due. It writes
/// nothing itself; it appends what becomes of the stanzas to the events of its link.
class fence {
 public:
  using events = std::deque<component_event>;

  struct rules {
    unsigned most = 64;  ///< a ping at the latest after so many stanzas
    duration age{};      ///< or after the oldest unconfirmed one is this old
    duration timeout{};  ///< a ping unanswered for so long: the link is dead
  };
  fence(rules r, byte_account& memory, events& out)
      : most_(r.most), age_(r.age), timeout_(r.timeout), memory_(memory), out_(out) {}
  ~fence();
  fence(const fence&) = delete;
  fence& operator=(const fence&) = delete;

  /// `ref` was written with `tok`; tokens grow.
  void add(stanza_ref ref, token tok, steady_time now);
  /// The kernel took the bytes of `tok`.
  void sent(token tok);
  /// The rim refused the bytes of `tok`, all of them: its stanzas are lost, its ping will not come back.
  void refused(token tok);

  bool ping_due(steady_time now) const;
  bool pinging() const { return ping_.has_value(); }
  /// A ping with that id was written with `tok`, after everything added so far.
  void pinged(std::string id, token tok, steady_time now);
  /// The ping came back, if it is ours: what was written before it is confirmed.
  bool answered(std::string_view id);
  /// The peer counts (XEP-0198 §4): of everything that was ever added the first `n` are confirmed. Where that
  /// is not all, it is asked again after the age; where it is nothing new, the ping stays unanswered, so that
  /// a peer that never takes anything is found out. False: so many were not added.
  bool counted(std::uint64_t n, steady_time now);
  /// The ping will not be answered: what it should have confirmed is asked for again after the age.
  void again(steady_time now);
  std::uint64_t added() const { return last_number_; }
  bool overdue(steady_time now) const { return ping_ && now >= ping_->since + timeout_; }

  /// The link is gone; everything unconfirmed is lost. With `all_told` the rim has reported each token, so
  /// what lies behind the first batch that was not taken never left.
  void lose(bool all_told);

  std::optional<steady_time> deadline() const;
  std::size_t size() const { return waiting_.size(); }

 private:
  struct entry {
    std::uint64_t number;
    stanza_ref ref;
    token tok;
    bool sent;
  };
  struct ping {
    std::string id;
    token tok;
    std::uint64_t last;  ///< number of the last stanza written before it
    steady_time since;
  };
  using place = std::deque<entry>::iterator;
  std::pair<place, place> batch(token tok);  ///< the stanzas that were written with it
  void tell_sent(entry& e);
  void confirm(std::uint64_t last);

  unsigned most_;
  duration age_, timeout_;
  byte_account& memory_;
  events& out_;
  std::deque<entry> waiting_;
  std::uint64_t last_number_ = 0;
  std::uint64_t fenced_ = 0;  ///< stanzas up to this number had a ping after them
  steady_time oldest_unfenced_{};
  std::optional<ping> ping_;
};

}  // namespace stox::xmpp
