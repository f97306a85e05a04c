#include <algorithm>
#include <utility>

#include "xmpp/machine/s2s_stream.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/stream.hpp"

// A stream that we opened: STARTTLS, who the peer is, how we prove ourselves.
namespace stox::xmpp {

void s2s_stream::send_header() {
  put(write_server_header({pair_.local, pair_.remote, {}, true}));
  header_sent_ = true;
}

void s2s_stream::out_header(const server_header& h, instant now) {
  if (phase_ != phase::header) return;
  stream_ = h.id;
  version_1_ = h.version_1;
  phase_ = phase::features;
  if (version_1_) return;
  // RFC 6120 §4.7.5: a server of before 1.0 sends no features; it has dialback or nothing.
  features_ = {};
  if (!identity_ && c_.options.policy_of(pair_.remote).tls_required)
    return fail("policy-violation", "the other server has no TLS", now);
  negotiated(now);
}

void s2s_stream::out_features(const xml::element& e, instant now) {
  features_ = read_features(e);
  dialback_offered_ = dialback_offered_ || features_.dialback;
  errors_offered_ = errors_offered_ || features_.dialback_errors;
  if (!identity_ && features_.starttls && c_.options.has_tls) {
    phase_ = phase::proceed;
    return put(write_starttls());
  }
  if (!identity_ && c_.options.policy_of(pair_.remote).tls_required)
    return fail("policy-violation", "the other server offers no TLS", now);
  negotiated(now);
}

void s2s_stream::out_child(const xml::element& e, instant now) {
  if (e.is("features", stream_ns)) {
    if (phase_ == phase::features) out_features(e, now);
    return;
  }
  if (e.ns == starttls_ns && phase_ == phase::proceed) {
    if (e.name != "proceed") return fail("policy-violation", "the other server refuses STARTTLS", now);
    phase_ = phase::securing;
    reader_.reset();
    const auto own = domain_to_ascii(pair_.local), theirs = domain_to_ascii(pair_.remote);
    // XEP-0178 §2: the name that is asked for is the domain's, not the host's.
    c_.io.push(io::start_tls{conn_, theirs ? *theirs : pair_.remote, own ? *own : pair_.local});
    return;
  }
  if (e.ns == sasl_ns && phase_ == phase::sasl) {
    if (e.name == "success") {
      authenticated_ = by_certificate_ = true;
      phase_ = phase::header;
      new_reader();
      return send_header();
    }
    // XEP-0178 §3: where the certificate does not convince, dialback may.
    external_refused_ = true;
    phase_ = phase::open;
    ask_by_dialback(pair_);
    return ask_questions();
  }
  if (e.ns == server_ns || e.ns == sasl_ns || e.ns == starttls_ns)
    return fail("unsupported-stanza-type", "nothing that belongs here: " + e.name, now);
  // Extensions that we do not know and did not ask for are not ours to judge.
}

/// Whether what the peer proved is enough for us to send it anything.
bool s2s_stream::peer_is_good(instant now) {
  const auto least = c_.options.policy_of(pair_.remote).least;
  const auto proved = proof_of(pair_.remote);
  if (least == proof::dialback || (proved && *proved >= least)) return true;
  std::string why = "its certificate does not prove its domain";
  if (identity_ && !identity_->chain_ok) why += ": " + identity_->why_not;
  fail("not-authorized", std::move(why), now);
  return false;
}

/// TLS is there, or need not be: who we are can be said, and questions can be asked.
void s2s_stream::negotiated(instant now) {
  if (!authenticated_ && !peer_is_good(now)) return;
  phase_ = phase::open;
  negotiated_ = true;
  deadline_ = now.steady + c_.options.login_limit;
  if (authenticated_) {
    grant(pair_, now);
    return ask_questions();
  }
  // XEP-0288 §2.2: before anybody proves anything.
  if (features_.bidi && !bidi_) {
    put(write_bidi());
    bidi_ = true;
  }
  ask_questions();
  if (wanted_.count(pair_) != 0) login();
}

void s2s_stream::login() {
  if (features_.external && identity_ && !external_refused_) {
    phase_ = phase::sasl;
    return put(write_external(pair_.local));
  }
  ask_by_dialback(pair_);
}

void s2s_stream::ask_by_dialback(const domain_pair& p) {
  if (!asked_.insert(p).second) return;
  dialback request;
  request.from = p.local;
  request.to = p.remote;
  request.key = c_.keys.make(p.remote, p.local, stream_);
  put(write_dialback(request));
}

bool s2s_stream::takes_more(const domain_pair& p) const {
  if (incoming_ || !negotiated_ || phase_ != phase::open || proved_nothing() || !dialback_offered_)
    return false;
  // XEP-0220 §2.6.3: another target only where errors do not end the stream.
  return p.remote == pair_.remote || errors_offered_;
}

void s2s_stream::want(const domain_pair& p) {
  if (is_closing() || sends(p) || !wanted_.insert(p).second) return;
  if (!negotiated_ || phase_ != phase::open) return;
  if (p == pair_ && !authenticated_) {
    login();
  } else {
    ask_by_dialback(p);
  }
}

/// Not while SASL is under way: what is written then meets a stream that begins anew.
void s2s_stream::ask_questions() {
  if (phase_ != phase::open) return;
  for (const auto& q : std::exchange(questions_, {})) verify(q.pair, q.stream, q.key);
}

void s2s_stream::verify(const domain_pair& p, const std::string& stream, const std::string& key) {
  if (!negotiated_ || phase_ != phase::open) {
    questions_.push_back({p, stream, key});
    return;
  }
  dialback request;
  request.verify = true;
  request.from = p.local;
  request.to = p.remote;
  request.id = stream;
  request.key = key;
  put(write_dialback(request));
}

/// The peer's word on a key: on ours as the receiving server, or on somebody's as the authority.
void s2s_stream::dialback_answer(const dialback& d, instant now) {
  const auto local = jid::parse(d.to), remote = jid::parse(d.from);
  if (!local || !remote || !local->local.empty() || !remote->local.empty())
    return fail("improper-addressing", "a dialback answer whose domains cannot be read", now);
  const domain_pair p{local->domain, remote->domain};
  if (d.verify) {
    // Only the server that we asked is the authority, and under TLS where that is required.
    if (!incoming_ && negotiated_ && p.remote == pair_.remote)
      events_.push_back(key_answered{p, d.id, d.type});
    return;
  }
  if (asked_.erase(p) == 0) return;
  if (d.type == dialback_type::valid) return grant(p, now);
  wanted_.erase(p);
  if (p == pair_) lose_session();
  events_.push_back(pair_refused{p, d.condition});
}

/// The peer takes stanzas of the pair.
void s2s_stream::grant(const domain_pair& p, instant now) {
  wanted_.erase(p);
  open_up();
  stanza_at_ = now.steady;
  // XEP-0288 §2.2: both directions; we reached the domain that we meant, by its certificate or by the DNS.
  if (bidi_ && !incoming_ && receives_.count(p) == 0) {
    receives_.emplace(p, proof_of(p.remote).value_or(proof::dialback));
    events_.push_back(pair_receives{p, receives_.at(p)});
  }
  if (p == pair_ && !features_.sm) lose_session();
  if (resuming_) {
    phase_ = phase::resuming;
    return put(write_sm_resume(resuming_->id, resuming_->handled));
  }
  const bool first = sends_.empty();
  sends_.insert(p);
  if (first && features_.sm) enable_management();
  events_.push_back(pair_sends{p});
}

}  // namespace stox::xmpp
