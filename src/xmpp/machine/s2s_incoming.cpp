#include <utility>

#include "xmpp/machine/s2s_stream.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/stream.hpp"

// A stream that the peer opened: what it is offered, and for whom it may speak.
namespace stox::xmpp {

namespace {

/// A bare domain as JIDs compare it; empty: it is none.
std::string domain_in(const std::string& text) {
  const auto read = jid::parse(text);
  return read && read->local.empty() && read->resource.empty() ? read->domain : std::string();
}

}  // namespace

void s2s_stream::in_header(const server_header& h, instant now) {
  if (phase_ != phase::header) return;
  version_1_ = h.version_1;
  stream_ = c_.ids.next(id_kind::stanza);
  const domain_pair said{domain_in(h.to), domain_in(h.from)};
  // What was proved is what the stream is for, whatever the new header says.
  if (authenticated_ && (said.local != pair_.local || (!h.from.empty() && said.remote != pair_.remote)))
    return fail("invalid-from", "behind its proof it says that it is another", now);
  // Only where it can be answered in kind is the peer's word repeated.
  if (!authenticated_) pair_ = {c_.options.serves(said.local) ? said.local : std::string(), said.remote};
  if (pair_.local.empty()) return fail("host-unknown", "it wants a domain that is not served", now);
  if (!h.from.empty() && said.remote.empty())
    return fail("invalid-from", "its own domain cannot be read", now);
  if (c_.options.serves(said.remote)) return fail("invalid-from", "it says that it is us", now);
  // XEP-0368 §2: a certificate is for one domain; RFC 6066 §3: by the name that was asked for.
  put(write_server_header({pair_.local, pair_.remote, stream_, true}));
  header_sent_ = true;
  phase_ = phase::open;
  if (!version_1_) {
    if (!identity_ && c_.options.others.tls_required)
      return fail("policy-violation", "a server without TLS", now);
    return;
  }
  put(write_features(offer()));
  for (const auto& [p, how] : receives_) send_inverse(p);
}

server_features s2s_stream::offer() const {
  server_features f;
  const auto& policy = c_.options.policy_of(pair_.remote);
  f.starttls = !identity_ && c_.options.has_tls;
  f.starttls_required = f.starttls && policy.tls_required;
  if (f.starttls_required) return f;
  f.bidi = !bidi_asked_ && !authenticated_;
  f.sm = authenticated_;
  f.dialback = f.dialback_errors = true;
  if (authenticated_ || pair_.remote.empty()) return f;
  const auto proved = proof_of(pair_.remote);
  f.external = proved == proof::certificate;
  return f;
}

void s2s_stream::in_child(const xml::element& e, instant now) {
  if (phase_ != phase::open) return;
  if (e.is("starttls", starttls_ns)) return start_tls(now);
  if (e.is("auth", sasl_ns)) return external(e, now);
  if (e.is("bidi", bidi_ns)) {
    // XEP-0288 §2.2: before anything is proved.
    bidi_asked_ = true;
    bidi_ = receives_.empty();
    return;
  }
  // RFC 6120 §4.9.3.24.
  fail("unsupported-stanza-type", "nothing that belongs here: " + e.name, now);
}

void s2s_stream::start_tls(instant now) {
  if (identity_ || !c_.options.has_tls || !proved_nothing()) {
    put(write_starttls_failure());
    return fail("policy-violation", "STARTTLS where it has no place", now);
  }
  // RFC 6120 §5.4.2.3, §5.4.3.3: nothing in clear may follow; whatever came along is not looked at.
  if (reader_->poll()) return fail("policy-violation", "clear bytes behind <starttls/>", now);
  put(write_proceed());
  bidi_ = bidi_asked_ = false;  // XEP-0288 §2.1: after TLS, or not at all
  phase_ = phase::securing;
  reader_.reset();
  deadline_ = now.steady + c_.options.login_limit;
  // RFC 6120 §5.4.3.1: the certificate of the domain that the header names, also for who has no SNI.
  auto own = domain_to_ascii(pair_.local);
  c_.io.push(io::start_tls{conn_, {}, own ? *std::move(own) : pair_.local});
}

void s2s_stream::external(const xml::element& auth, instant now) {
  const auto refuse = [&](std::string_view condition) { put(write_sasl_failure(condition)); };
  const auto* mechanism = auth.attr("mechanism");
  if (mechanism == nullptr || *mechanism != "EXTERNAL") return refuse("invalid-mechanism");
  if (!identity_) return refuse("encryption-required");
  if (authenticated_ || pair_.remote.empty()) return refuse("not-authorized");
  // XEP-0178 §3: only the domain of the stream's header.
  if (!external_names(auth, pair_.remote)) return refuse("invalid-authzid");
  if (proof_of(pair_.remote) != proof::certificate) return refuse("not-authorized");
  put(write_sasl_success());
  authenticated_ = by_certificate_ = true;
  phase_ = phase::header;
  header_sent_ = false;
  new_reader();
  accept(pair_, proof::certificate, now);
}

/// XEP-0220 §2.1.1, as the receiving server.
void s2s_stream::offered_key(const dialback& d, instant now) {
  const domain_pair p{domain_in(d.to), domain_in(d.from)};
  dialback answer{false, d.to, d.from, {}, dialback_type::error, {}, {}};
  const auto refuse = [&](std::string_view condition) {
    answer.condition = condition;
    put(write_dialback(answer));
  };
  if (p.local.empty() || p.remote.empty())
    return fail("improper-addressing", "a dialback key without its domains", now);
  if (!c_.options.serves(p.local)) return refuse("item-not-found");
  if (c_.options.serves(p.remote)) return refuse("not-acceptable");
  const auto& policy = c_.options.policy_of(p.remote);
  if (!identity_ && policy.tls_required)
    return fail("policy-violation", "dialback before TLS, which is required", now);
  if (receives_.count(p) != 0) return answer_key(p, dialback_type::valid, {}, now);
  // A wildcard would prove as many as there are names.
  constexpr std::size_t most_pairs = 100;
  if (receives_.size() >= most_pairs) return refuse("resource-constraint");
  const auto proved = proof_of(p.remote);
  // "Dialback without dialling back": the certificate says what the DNS would.
  if (proved && *proved >= policy.least) {
    accept(p, *proved, now);
    return answer_key(p, dialback_type::valid, {}, now);
  }
  if (policy.least > proof::dialback) return refuse("policy-violation");
  // One question at a time for each pair, and not many pairs of who has proved none.
  constexpr std::size_t most_checked = 10;
  if (checking_.count(p) != 0 || checking_.size() >= most_checked) return refuse("resource-constraint");
  checking_.insert(p);
  events_.push_back(key_offered{p, stream_, d.key});
}

void s2s_stream::answer_key(const domain_pair& p, dialback_type type, std::string_view condition,
                            instant now) {
  if (is_closing()) return;
  const bool asked = checking_.erase(p) != 0;
  if (asked && type == dialback_type::valid) accept(p, proof::dialback, now);
  put(write_dialback({false, p.local, p.remote, {}, type, {}, std::string(condition)}));
  // XEP-0220 §2.2.1: who lied about all that he said is not listened to any more.
  if (type == dialback_type::invalid && proved_nothing() && checking_.empty()) end(now);
}

/// XEP-0220 §2.2.2, as the authority for our own domains: whoever asks hears whether that key is ours.
void s2s_stream::verify_for_peer(const dialback& d, instant now) {
  const domain_pair p{domain_in(d.to), domain_in(d.from)};
  if (p.local.empty() || p.remote.empty() || d.id.empty())
    return fail("improper-addressing", "a dialback question without domains or id", now);
  if (!identity_ && c_.options.policy_of(p.remote).tls_required)
    return fail("policy-violation", "dialback before TLS, which is required", now);
  dialback answer{true, d.to, d.from, d.id, dialback_type::invalid, {}, {}};
  if (!c_.options.serves(p.local)) {
    answer.type = dialback_type::error;
    answer.condition = "item-not-found";
  } else if (c_.keys.holds(d.key, p.remote, p.local, d.id)) {
    answer.type = dialback_type::valid;
  }
  put(write_dialback(answer));
}

/// The peer may speak for the pair's remote domain.
void s2s_stream::accept(const domain_pair& p, proof how, instant now) {
  receives_[p] = how;
  stanza_at_ = now.steady;
  if (reader_) open_up();
  events_.push_back(pair_receives{p, how});
  // Behind SASL nothing may be written before the new stream has its header.
  if (phase_ == phase::open) send_inverse(p);
}

/// XEP-0288 §2.2: the inverse of what was proved.
void s2s_stream::send_inverse(const domain_pair& p) {
  if (!bidi_ || !incoming_ || !sends_.insert(p).second) return;
  events_.push_back(pair_sends{p});
}

}  // namespace stox::xmpp
