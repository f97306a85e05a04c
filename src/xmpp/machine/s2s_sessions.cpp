#include <iterator>
#include <utility>

#include "xmpp/machine/s2s_stream.hpp"
#include "xmpp/wire/stream.hpp"

// XEP-0198 between servers: counts in both directions, and streams that go on after their connection broke.
namespace stox::xmpp {

void s2s_stream::enable_management() {
  sm_asked_ = true;
  base_ = fence_.added();
  put(write_sm_enable());
}

void s2s_stream::resume(s2s_session session) { resuming_ = std::move(session); }

void s2s_stream::managed_child(const xml::element& e, instant now) {
  if (e.name == "r") return put(write_sm_answer(handled_));
  if (e.name == "a") return peer_counted(e, now);
  if (e.name == "enabled" && sm_asked_ && !managed_) {
    managed_ = true;
    const auto* id = e.attr("id");
    const auto* resume = e.attr("resume");
    if (id != nullptr && resume != nullptr && (*resume == "true" || *resume == "1")) resume_id_ = *id;
    handled_ = 0;
    return;
  }
  if (e.name == "failed") {
    sm_asked_ = false;
    // XEP-0198 §5: it may still say how many it had handled.
    if (phase_ == phase::resuming)
      return settle_session(handled_count(e).value_or(resuming_->acknowledged), now);
    return fence_.again(now.steady);
  }
  if (e.name == "resumed" && phase_ == phase::resuming) {
    const auto h = handled_count(e);
    if (!h) return fail("bad-format", "a count that cannot be read", now);
    managed_ = sm_asked_ = true;
    return settle_session(*h, now);
  }
  // XEP-0198 §6: these fail alone, the first time.
  const bool request = e.name == "enable" || e.name == "resume";
  const auto refuse = [&](std::string_view condition) {
    if (std::exchange(sm_refused_, true))
      return fail("policy-violation", "stream management again and again", now);
    put(write_sm_failed(condition));
  };
  if (request && incoming_ && !receives(pair_)) return refuse("unexpected-request");
  if (!incoming_ || !receives(pair_))
    return fail("unsupported-stanza-type", "stream management where it has no place", now);
  if (e.name == "enable" && !counting_) {
    counting_ = true;
    handled_ = 0;
    const auto* resume = e.attr("resume");
    if (resume != nullptr && (*resume == "true" || *resume == "1")) resume_id_ = c_.ids.next(id_kind::stanza);
    managed_ = true;
    base_ = fence_.added();
    const auto most = std::chrono::duration_cast<std::chrono::seconds>(c_.options.resume_limit);
    return put(write_sm_enabled(resume_id_, static_cast<unsigned>(most.count())));
  }
  if (e.name == "resume" && !counting_) {
    const auto* id = e.attr("previd");
    const auto h = handled_count(e);
    if (id == nullptr || !h) return refuse("bad-request");
    // One try: each costs a search, and a peer has one session to go on with.
    if (std::exchange(resume_tried_, true))
      return fail("policy-violation", "stream management again and again", now);
    events_.push_back(resume_asked{pair_, *id, *h});
    return;
  }
  fail("unsupported-stanza-type", "stream management where it has no place", now);
}

void s2s_stream::peer_counted(const xml::element& e, instant now) {
  const auto h = handled_count(e);
  if (!h) return fail("bad-format", "a count that cannot be read", now);
  if (!managed_) return;
  // The counter has 32 bits and starts anew behind the last (XEP-0198 §4).
  const auto further = static_cast<std::uint32_t>(*h - acknowledged());
  const auto outstanding = static_cast<std::uint32_t>(fence_.added() - counted());
  if (further > outstanding) {
    put(write_sm_too_high(*h, acknowledged() + outstanding));
    c_.io.push(io::close{conn_});
    return over("the peer counts more than it was given", true, "undefined-condition", false, now);
  }
  fence_.counted(counted() + further, now.steady);
  settle_fates();
}

/// The session goes on with the peer having handled so many, or (0, not managed) it does not.
void s2s_stream::settle_session(std::uint32_t handled, instant now) {
  auto session = *std::exchange(resuming_, std::nullopt);
  phase_ = phase::open;
  std::vector<unconfirmed> lost;
  {
    auto further = static_cast<std::uint32_t>(handled - session.acknowledged);
    if (further > session.waiting.size()) return lied(session, now);
    for (; further > 0; --further) {
      events_.push_back(stanza_confirmed{session.waiting.front().ref});
      session.waiting.pop_front();
    }
  }
  if (!managed_) {
    // The peer forgot the session: what it had handled beyond that is not known.
    for (auto& w : session.waiting) lost.push_back(std::move(w));
  } else {
    went_on_ = true;
    resume_id_ = session.id;
    handled_ = session.handled;
    before_ = handled;
    base_ = fence_.added();
  }
  sends_.insert(pair_);
  if (!managed_ && features_.sm) enable_management();
  if (managed_)
    for (auto& w : session.waiting) send(std::move(w), true, now);
  if (!lost.empty()) events_.push_back(session_lost{std::move(lost)});
  events_.push_back(pair_sends{pair_});
  ask_questions();
}

/// It says that it handled what it was never given: nothing that it says of the session can be believed.
void s2s_stream::lied(s2s_session& session, instant now) {
  events_.push_back(session_lost{
      {std::make_move_iterator(session.waiting.begin()), std::make_move_iterator(session.waiting.end())}});
  fail("bad-format", "the peer counts more than it was given", now);
}

void s2s_stream::take_up(std::optional<s2s_session> session, std::uint32_t handled, instant now) {
  if (is_closing()) return;
  if (!session) return put(write_sm_failed("item-not-found"));
  managed_ = counting_ = true;
  resume_id_ = session->id;
  handled_ = session->handled;
  auto further = static_cast<std::uint32_t>(handled - session->acknowledged);
  if (further > session->waiting.size()) return lied(*session, now);
  put(write_sm_resumed(session->id, session->handled));
  for (; further > 0; --further) {
    events_.push_back(stanza_confirmed{session->waiting.front().ref});
    session->waiting.pop_front();
  }
  before_ = handled;
  base_ = fence_.added();
  for (auto& w : session->waiting) send(std::move(w), true, now);
}

/// It cannot go on here, nor anywhere else.
void s2s_stream::lose_session() {
  if (!resuming_) return;
  auto session = *std::exchange(resuming_, std::nullopt);
  events_.push_back(session_lost{
      {std::make_move_iterator(session.waiting.begin()), std::make_move_iterator(session.waiting.end())}});
}

/// XEP-0198 §4: so that the peer does not send again what was handled.
void s2s_stream::last_count() {
  if (counting_ || managed_) put(write_sm_answer(handled_));
}

/// What became of stanzas is passed on; the texts of those that are settled are no longer needed.
void s2s_stream::settle_fates() {
  while (!fates_.empty()) {
    auto& fate = fates_.front();
    if (std::holds_alternative<stanza_lost>(fate)) return;  // over() takes these
    if (const auto* sent = std::get_if<stanza_sent>(&fate)) events_.push_back(*sent);
    if (const auto* confirmed = std::get_if<stanza_confirmed>(&fate)) {
      events_.push_back(*confirmed);
      if (!texts_.empty()) {
        c_.memory.give(texts_.front().text.size());
        texts_.pop_front();
      }
    }
    fates_.pop_front();
  }
}

/// Not where something from before the counting is still open: nobody will count it. Nor with other pairs
/// than the first: who goes on proves that one only, and stanzas of the others would end the new stream.
bool s2s_stream::can_go_on() const {
  const auto others = [this](const auto& pairs) { return pairs.size() - pairs.count(pair_) > 0; };
  if (others(sends_) || others(receives_)) return false;
  return managed_ && !clean_ && !resume_id_.empty() && !is_closing() &&
         fence_.added() - fence_.size() >= base_;
}

std::optional<s2s_session> s2s_stream::hand_over(instant now) {
  if (!can_go_on()) return std::nullopt;
  settle_fates();
  auto session = take_session(now);
  fail("conflict", "its peer goes on over another connection", now);
  return session;
}

s2s_session s2s_stream::take_session(instant now) {
  s2s_session out;
  out.id = resume_id_;
  out.pair = pair_;
  out.handled = handled_;
  out.acknowledged = acknowledged();
  // Where somebody waits for an answer he gives up before that.
  out.until = now.steady + (texts_.empty() ? c_.options.resume_limit : c_.options.queue_time);
  std::size_t size = 0;
  for (auto& t : texts_) {
    size += t.text.size();
    out.waiting.push_back(std::move(t));
  }
  c_.memory.give(size);
  out.memory = charge(c_.memory, size);
  texts_.clear();
  return out;
}

}  // namespace stox::xmpp
