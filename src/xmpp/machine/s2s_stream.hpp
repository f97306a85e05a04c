#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/byte_account.hpp"
#include "base/ids.hpp"
#include "base/instant.hpp"
#include "base/io.hpp"
#include "base/peer_identity.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"
#include "xmpp/machine/dialback_key.hpp"
#include "xmpp/machine/fence.hpp"
#include "xmpp/machine/outbox.hpp"
#include "xmpp/machine/s2s_options.hpp"
#include "xmpp/wire/s2s.hpp"

namespace stox::xmpp {

enum class s2s_id : std::uint64_t { none = 0 };

/// What a stream makes us hold while nothing crosses it, TLS and the reader included: measured with 2,000
/// idle ones.
inline constexpr std::size_t s2s_stream_cost = std::size_t{44} * 1024;

/// A stanza that was written and not confirmed.
struct unconfirmed {
  std::uint64_t lane = 0;  ///< as send() was given it
  stanza_ref ref{};
  std::string text;     ///< only where it may be needed again
  bool written = true;  ///< false: it certainly never left
  bool again = false;   ///< it was lost once before
};

/// What outlives the connection of a stream that can be resumed (XEP-0198 §5).
struct s2s_session {
  std::string id;
  domain_pair pair;
  std::uint32_t handled = 0;       ///< of the peer's stanzas, by us
  std::uint32_t acknowledged = 0;  ///< of ours, by the peer
  std::deque<unconfirmed> waiting;
  steady_time until{};
  charge memory;
};

// ---- what a stream tells its federation ----

/// Stanzas of the pair can be written from now on.
struct pair_sends {
  domain_pair pair;
};
/// The peer refuses to take stanzas of the pair; `condition` is a stanza error's, where it said one.
struct pair_refused {
  domain_pair pair;
  std::string condition;
};
/// The peer has proved its domain: stanzas of the pair are taken.
struct pair_receives {
  domain_pair pair;
  proof how{};
};
/// The peer offers a dialback key: s2s_stream::answer_key is to be called.
struct key_offered {
  domain_pair pair;
  std::string stream, key;
};
/// What the domain's own server says to a key that verify() asked about.
struct key_answered {
  domain_pair pair;
  std::string stream;
  dialback_type type{};
};
struct pair_stanza {
  domain_pair pair;
  xml::element value;
};
/// One above the limits of the reader.
struct pair_stanza_refused {
  domain_pair pair;
  xml::element head;
  error why;
};
/// The peer wants to go on where an earlier stream of it broke: s2s_stream::resume is to be called.
struct resume_asked {
  domain_pair pair;
  std::string id;
  std::uint32_t handled = 0;
};
/// The peer forgot the session that was to go on: what became of these is not known.
struct session_lost {
  std::vector<unconfirmed> lost;
};
/// The stream is over. What was not confirmed is told here, unless it waits in `session`.
struct stream_ended {
  std::string why;        ///< for the log
  bool refused = false;   ///< by a rule of ours or the peer's: another address of it will say the same
  std::string condition;  ///< a stream error's, of whoever said it; empty: none
  std::vector<unconfirmed> lost;
  std::optional<s2s_session> session;
};
using s2s_event = std::variant<pair_sends, pair_refused, pair_receives, key_offered, key_answered,
                               pair_stanza, pair_stanza_refused, stanza_sent, stanza_confirmed, resume_asked,
                               session_lost, stream_ended>;

/// One connection between two servers, from its stream header to its end, in either role. Sans-I/O. It knows
/// one stream only; which streams there are, and why, is the federation's business.
///
/// Opened by us it authenticates us for the pairs that are wanted: by SASL EXTERNAL where that is offered,
/// else by dialback. Opened by the peer it finds out whom the peer may speak for. With XEP-0288 either can
/// carry both directions.
class s2s_stream {
 public:
  struct context {
    const federation_options& options;
    const dialback_keys& keys;
    id_source& ids;
    byte_account& memory;
    io_port& io;
    std::unordered_map<token, s2s_id>& tokens;  ///< whose tokens are out
  };

  /// The peer connected to us.
  s2s_stream(s2s_id id, context c, conn_id conn, const socket_address& peer, std::optional<peer_identity> who,
             instant now);
  /// We connected for that pair; `dane`: what the DNS promises about the server's certificate is for `who`
  /// to keep.
  s2s_stream(s2s_id id, context c, conn_id conn, const socket_address& peer, std::optional<peer_identity> who,
             domain_pair pair, std::string host, std::vector<std::string> tlsa, instant now);
  ~s2s_stream();
  s2s_stream(const s2s_stream&) = delete;
  s2s_stream& operator=(const s2s_stream&) = delete;

  // ---- events of its connection ----
  void received(std::string_view bytes, instant now);
  void secured(const peer_identity& who, instant now);
  void closed(io::fail why, const std::string& detail, instant now);
  void sent(token t);
  void blocked(bool is) { blocked_ = is; }
  void timeout(instant now);
  std::optional<steady_time> deadline() const;

  // ---- what the federation asks for ----
  /// To send stanzas of the pair. Answered by pair_sends, pair_refused or the end.
  void want(const domain_pair& pair);
  /// Asks the peer, who is to be the authority for pair.remote, about a key that was offered for the pair on
  /// another stream.
  void verify(const domain_pair& pair, const std::string& stream, const std::string& key);
  /// `type`: what came of key_offered.
  void answer_key(const domain_pair& pair, dialback_type type, std::string_view condition, instant now);
  /// An earlier stream's session is to go on here, once the peer agrees; before the pair can send.
  void resume(s2s_session session);
  /// Answers resume_asked; nullopt: there is no such session.
  void take_up(std::optional<s2s_session> session, std::uint32_t handled, instant now);
  /// One stanza of a pair that can send; it is told again if it is lost, with `keep` also its text.
  void send(unconfirmed stanza, bool keep, instant now);
  /// An iq result or error of that id came from the peer, on whatever stream.
  bool pinged_back(std::string_view id) {
    if (!fence_.answered(id)) return false;
    settle_fates();
    return true;
  }
  /// Closes the stream in good order.
  void end(instant now);
  /// Closes it with an error.
  void fail(std::string_view condition, std::string why, instant now);
  /// Ends it without waiting for anything.
  void give_up(std::string why, instant now);
  /// Ends it because its peer goes on elsewhere; what can go on. nullopt: there is no such session here.
  std::optional<s2s_session> hand_over(instant now);

  std::optional<s2s_event> poll();

  // ---- for the federation's decisions and for people ----
  s2s_id id() const { return id_; }
  conn_id conn() const { return conn_; }
  bool incoming() const { return incoming_; }
  const socket_address& peer() const { return peer_; }
  const domain_pair& pair() const { return pair_; }  ///< of the stream header; empty: not known yet
  bool sends(const domain_pair& p) const { return sends_.count(p) != 0; }
  bool receives(const domain_pair& p) const { return receives_.count(p) != 0; }
  domain_pair shown_pair() const;   ///< one that is proved, else what the header says
  bool keeps_to_the_rules() const;  ///< as they are now: each pair is served, and proved well enough
  bool proved_nothing() const { return receives_.empty() && sends_.empty(); }
  /// Whether more pairs may be wanted of it (XEP-0220 §2.6.3).
  bool takes_more(const domain_pair& p) const;
  bool takes_questions() const { return !incoming_ && phase_ != phase::closing && phase_ != phase::over; }
  bool is_blocked() const { return blocked_; }
  bool is_over() const { return phase_ == phase::over; }
  bool is_closing() const { return phase_ == phase::closing || phase_ == phase::over; }
  bool is_secured() const { return identity_.has_value(); }
  bool is_bidi() const { return bidi_; }
  bool is_managed() const { return managed_; }
  /// Under which it can be resumed; empty: it cannot.
  const std::string& session() const { return resume_id_; }
  bool went_on() const { return went_on_; }                ///< with an earlier stream's session
  bool by_certificate() const { return by_certificate_; }  ///< SASL EXTERNAL, not dialback
  std::size_t waiting() const { return fence_.size(); }
  instant since() const { return since_; }
  std::uint64_t stanzas_in() const { return stanzas_in_; }
  std::uint64_t stanzas_out() const { return stanzas_out_; }

 private:
  enum class phase : std::uint8_t {
    header,    ///< the peer's header is awaited
    features,  ///< ours: the features are awaited
    proceed,   ///< ours: STARTTLS is asked for
    securing,  ///< the TLS handshake
    sasl,      ///< ours: the verdict on our certificate is awaited
    resuming,  ///< ours: whether the session goes on
    open,      ///< everything else can be said
    closing,   ///< our closing tag is out
    over,
  };

  void new_reader();
  void dispatch(xml::read_event& event, instant now);
  void header(const xml::element& root, instant now);
  void child(xml::element& e, instant now);
  // s2s_outgoing.cpp
  void out_header(const server_header& h, instant now);
  void out_features(const xml::element& e, instant now);
  void out_child(const xml::element& e, instant now);
  void send_header();
  bool peer_is_good(instant now);
  void negotiated(instant now);
  void login();
  void ask_questions();
  void send_inverse(const domain_pair& p);
  void ask_by_dialback(const domain_pair& p);
  void dialback_answer(const dialback& d, instant now);
  void grant(const domain_pair& p, instant now);
  // s2s_incoming.cpp
  void in_header(const server_header& h, instant now);
  void in_child(const xml::element& e, instant now);
  void start_tls(instant now);
  void external(const xml::element& auth, instant now);
  void offered_key(const dialback& d, instant now);
  void verify_for_peer(const dialback& d, instant now);
  void accept(const domain_pair& p, proof how, instant now);
  server_features offer() const;
  // s2s_sessions.cpp
  void enable_management();
  void managed_child(const xml::element& e, instant now);
  void peer_counted(const xml::element& e, instant now);
  void settle_session(std::uint32_t handled, instant now);
  void lied(s2s_session& session, instant now);
  void settle_fates();
  s2s_session take_session(instant now);
  void last_count();
  void lose_session();

  std::optional<proof> proof_of(std::string_view domain) const;
  void stanza(xml::element& e, instant now);
  void stanza_refused(xml::refused_stanza& r, instant now);
  std::optional<domain_pair> addressed(const xml::element& e, instant now);
  void open_up();
  void put(std::string_view bytes) { outbox_.put(conn_, bytes, false); }
  token put_told(std::string_view bytes);
  /// How much of ours the peer has confirmed, as the fence numbers it, but nothing before it counted.
  std::uint64_t counted() const { return std::max(fence_.added() - fence_.size(), base_); }
  std::uint32_t acknowledged() const { return before_ + static_cast<std::uint32_t>(counted() - base_); }
  bool holds_too_much();
  bool can_go_on() const;
  void over(std::string why, bool refused, std::string condition, bool all_told, instant now);
  void settle(instant now);
  bool can_ping() const { return phase_ == phase::open && !sends_.empty(); }

  const s2s_id id_;
  context c_;
  const conn_id conn_;
  const socket_address peer_;
  const bool incoming_;
  const std::string host_;               ///< ours: the server's name by the DNS
  const std::vector<std::string> tlsa_;  ///< ours: what its certificate's hashes may be, "0:..." or "1:..."
  std::optional<peer_identity> identity_;
  phase phase_ = phase::header;
  domain_pair pair_;
  std::string stream_;  ///< the stream's id
  std::optional<xml::reader> reader_;
  std::size_t early_ = 0;  ///< bytes before anything was proved
  bool header_sent_ = false;
  bool version_1_ = true;
  bool authenticated_ = false;  ///< SASL is done
  bool by_certificate_ = false;
  bool external_refused_ = false;
  bool negotiated_ = false;
  bool clean_ = false;  ///< the peer closed the stream in good order
  bool bidi_ = false, bidi_asked_ = false;
  bool blocked_ = false;
  server_features features_;
  bool dialback_offered_ = false, errors_offered_ = false;

  std::set<domain_pair> wanted_, sends_;
  std::set<domain_pair> asked_;     ///< by dialback, and not answered
  std::set<domain_pair> checking_;  ///< keys of the peer that are being verified
  std::map<domain_pair, proof> receives_;
  struct question {
    domain_pair pair;
    std::string stream, key;
  };
  std::vector<question> questions_;  ///< until they can be asked
  struct seen_addresses {
    std::string from, to;
    domain_pair pair;
  };
  std::optional<seen_addresses> last_seen_;  ///< most stanzas of a stream repeat their domains

  // stream management
  bool went_on_ = false;
  bool managed_ = false;   ///< the peer counts ours
  bool counting_ = false;  ///< we count the peer's
  bool sm_asked_ = false;
  bool sm_refused_ = false, resume_tried_ = false;  ///< the peer's requests
  std::string resume_id_;                           ///< under which the peer, or we, may resume
  std::uint32_t handled_ = 0;
  std::uint64_t base_ = 0;    ///< of ours, added to the fence before counting began
  std::uint32_t before_ = 0;  ///< acknowledged on earlier streams of the session
  std::optional<s2s_session> resuming_;

  token last_token_ = token::none;
  std::deque<component_event> fates_;
  std::deque<unconfirmed> texts_;  ///< one for each stanza that the fence holds
  fence fence_;
  outbox outbox_;

  charge held_;
  steady_time deadline_{};  ///< of login and closing
  steady_time stanza_at_{};
  instant since_;
  std::uint64_t stanzas_in_ = 0, stanzas_out_ = 0;
  std::deque<s2s_event> events_;
};

}  // namespace stox::xmpp
