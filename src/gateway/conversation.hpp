#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_account.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "gateway/recent_map.hpp"

namespace stox::gateway {

/// What is known of one XMPP user (bare JID) and one SIP user (AOR) who talk to each other. Both sides'
/// addresses make the key, so nobody can reach into another pair's state.
struct pair_state {
  std::string name;           ///< conversation id of log lines
  std::string sip_user;       ///< the SIP user part as its owner writes it; the localpart is case-folded
  std::string xmpp_resource;  ///< that the XMPP user spoke from last
  std::string sip_gr;         ///< the GRUU that the SIP user showed last, RFC 7572 §5
  // Loop guard: identical bodies in a short time, per direction.
  struct repeat {
    std::size_t body_hash = 0;
    unsigned count = 0;
    steady_time since;
  } repeats[2];
  charge memory;
};

/// One thread between the two: the identity of the MESSAGEs that we send for the XMPP user.
struct thread_state {
  std::string call_id;
  std::string
      from_tag;  ///< random per conversation: a thread that two senders share never becomes one dialog
  std::uint32_t cseq = 0;     ///< of the last MESSAGE; counted up, RFC 3261 §8.1.1.5
  std::string xmpp_resource;  ///< that spoke last in this thread
  charge memory;
};

/// Bounded memory of who talks to whom. Entries not used for an hour, or the stalest beyond the capacity, are
/// forgotten; the next message begins anew with a fresh Call-ID and tag, which no peer takes amiss.
class conversations {
 public:
  conversations();

  pair_state& pair(const std::string& jid, const std::string& aor, steady_time now, byte_account& memory);
  pair_state* find_pair(const std::string& jid, const std::string& aor, steady_time now);
  /// Keyed by the Call-ID that the thread maps to (bounded, whatever the thread is); empty: no thread, which
  /// gets a fresh Call-ID.
  thread_state& thread(const std::string& jid, const std::string& aor, const std::string& call_id,
                       steady_time now, id_source& ids, byte_account& memory);
  thread_state* find_thread(const std::string& jid, const std::string& aor, const std::string& call_id,
                            steady_time now);
  void expire(steady_time now);
  std::size_t size() const { return pairs_.size() + threads_.size(); }

 private:
  recent_map<pair_state> pairs_;
  recent_map<thread_state> threads_;
  std::uint64_t named_ = 0;
};

/// Counts a body against the loop guard; true when it is one too many (more than 20 identical ones within 10
/// s).
bool repeats_too_often(pair_state::repeat& r, std::string_view body, steady_time now);

}  // namespace stox::gateway
