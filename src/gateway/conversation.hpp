#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_account.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "gateway/recent_map.hpp"
#include "gateway/recent_texts.hpp"

namespace stox::gateway {

/// How long a conversation stays with the device that spoke last, while that says no word.
inline constexpr auto lock_lasts = std::chrono::minutes(15);

/// The resource that a conversation is held with, RFC 6121 §5.1.
class resource_lock {
 public:
  void speaks(const std::string& resource, steady_time now) {
    resource_ = resource;
    spoke_ = now;
  }
  void end() { resource_.clear(); }
  /// Empty: none, so the bare JID is meant.
  std::string at(steady_time now) const { return now - spoke_ < lock_lasts ? resource_ : std::string(); }
  std::size_t size() const { return resource_.size(); }

 private:
  std::string resource_;
  steady_time spoke_;
};

/// What is known of one XMPP user (bare JID) and one SIP user (AOR) who talk to each other. Both sides'
/// addresses make the key, so nobody can reach into another pair's state.
struct pair_state {
  std::string name;      ///< conversation id of log lines
  std::string sip_user;  ///< the SIP user part as its owner writes it; the localpart is case-folded
  resource_lock locked;  ///< the resource that the XMPP user spoke from last
  std::string sip_gr;    ///< the GRUU that the SIP user showed last, RFC 7572 §5
  std::optional<steady_time> device_spoke;  ///< when he spoke last, if he showed that GRUU then
  std::string thread;                       ///< of the message that went last, as XMPP has it; for notices
  std::optional<steady_time> noticed = {};  ///< when the SIP user was last told of a late failure
  /// Whether the XMPP user's last text came with a chat state, XEP-0085 §5.1; nullopt: he wrote none yet.
  std::optional<bool> chat_states;
  // Loop guard: identical bodies in a short time, per direction.
  struct repeat {
    std::size_t body_hash = 0;
    unsigned count = 0;
    steady_time since;
  } repeats[2];
  recent_texts texts;                         ///< filled by conversations::note
  std::optional<steady_time> without_thread;  ///< when the XMPP user last wrote a message that names none
  std::size_t shown_name = 0;  ///< hash of the SIP user's display name that the XMPP user was told last
  std::size_t fixed = 0;       ///< bytes charged beside the texts
  charge memory;
  /// To be called when a text has changed.
  void weigh() {
    memory.resize(fixed + sip_user.size() + locked.size() + sip_gr.size() + thread.size() +
                  texts.memory_used());
  }
};

/// One thread between the two: the identity of the MESSAGEs that we send for the XMPP user.
struct thread_state {
  std::string call_id;
  std::string
      from_tag;  ///< random per conversation: a thread that two senders share never becomes one dialog
  resource_lock locked;   ///< the resource that spoke last in this thread
  std::size_t fixed = 0;  ///< bytes charged beside the resource
  charge memory;
  void weigh() { memory.resize(fixed + locked.size()); }
};

/// Bounded memory of who talks to whom. Entries not used for an hour, or the stalest beyond the capacity or
/// beyond a quarter of the byte account, are forgotten; the next message begins anew with a fresh Call-ID and
/// tag, which no peer takes amiss. An entry is made only for a message that was accepted.
class conversations {
 public:
  static constexpr auto forget_after = std::chrono::hours(1);

  /// `memory` outlives it.
  conversations(byte_account& memory, id_source& ids);

  /// Bytes that a pair and a thread with these addresses are charged at most, without what they learn later.
  static std::size_t cost(const std::string& jid, const std::string& aor);

  pair_state& pair(const std::string& jid, const std::string& aor, steady_time now);
  pair_state* find_pair(const std::string& jid, const std::string& aor, steady_time now);

  /// A thread for one MESSAGE, not kept yet. `call_id`: that the thread maps to (bounded, whatever the thread
  /// is); empty: no thread, which gets a fresh Call-ID and is not kept.
  static thread_state new_thread(const std::string& call_id, id_source& ids);
  /// Keeps it under the Call-ID that the thread maps to.
  thread_state& keep_thread(const std::string& jid, const std::string& aor, const std::string& call_id,
                            thread_state made, steady_time now);
  thread_state* find_thread(const std::string& jid, const std::string& aor, const std::string& call_id,
                            steady_time now);
  /// Remembers a message of the pair, see recent_texts::add; others may be forgotten for it.
  void note(pair_state& pair, direction way, std::initializer_list<recent_texts::message_id> ids,
            std::string_view text, steady_time now, bool owed = false);
  /// Remembers the thread of a message that goes (nullptr: it has none).
  static void set_thread(pair_state& pair, const std::string* thread);
  void expire(steady_time now);
  std::size_t size() const { return pairs_.size() + threads_.size(); }
  std::size_t memory_used() const { return share_.used(); }

 private:
  void trim(std::size_t coming);
  /// Valid until the next call.
  const std::string& key_of(std::string_view jid, std::string_view aor, std::string_view thread);

  const byte_account& memory_;
  byte_account share_;  ///< of memory_; the entries' charges end before it
  recent_map<pair_state> pairs_;
  recent_map<thread_state> threads_;
  std::string prefix_;  ///< random, so that names do not come again after a restart
  std::uint64_t named_ = 0;
  std::string key_;  ///< what key_of made last: a message asks several times
};

/// Counts a body against the loop guard; true when it is one too many (more than 20 identical ones within 10
/// s).
bool repeats_too_often(pair_state::repeat& r, std::string_view body, steady_time now);

}  // namespace stox::gateway
