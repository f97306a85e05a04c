#include "sip/machine/authenticator.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "sip/wire/digest.hpp"
#include "sip/wire/headers.hpp"

namespace stox::sip {

namespace {

header credentials_for(header challenge) {
  return challenge == header::proxy_authenticate ? header::proxy_authorization : header::authorization;
}

std::string host_of(const request& r) {
  const auto uri = parse_uri(r.uri);
  return uri ? uri->host : std::string();
}

std::size_t size_of(const digest_challenge& c) {
  std::size_t n = c.realm.size() + c.nonce.size() + c.algorithm_name.size();
  if (c.opaque) n += c.opaque->size();
  for (const std::string& q : c.qop) n += sizeof(std::string) + q.size();
  return n;
}

}  // namespace

const digest_account* authenticator::account_of(std::string_view realm, std::string_view domain) const {
  const digest_account* of_all = nullptr;
  for (const credential& c : ctx_.options.credentials) {
    if (c.account.realm != realm) continue;
    if (c.domains.empty()) {
      of_all = &c.account;
    } else if (std::find(c.domains.begin(), c.domains.end(), domain) != c.domains.end()) {
      return &c.account;
    }
  }
  return of_all;
}

std::size_t authenticator::cost_of(const place& where, const digest_challenge& c) {
  return sizeof(protection) + where.host.size() + where.domain.size() + size_of(c);
}

bool authenticator::prepare(request& r, std::string_view domain, const target& server, instant now) {
  const bool had = r.headers.find(header::authorization).has_value() ||
                   r.headers.find(header::proxy_authorization).has_value();
  if (known_.empty() && !had) return false;
  r.headers.remove(header::authorization);
  r.headers.remove(header::proxy_authorization);
  const place where{server, host_of(r), std::string(domain)};
  bool added = false;
  for (auto at = known_.begin(); at != known_.end();) {
    const auto p = at++;
    if (p->where != where) continue;
    const digest_account* who = account_of(p->challenge.realm, domain);
    if (who == nullptr) {  // it is no longer configured
      known_.erase(p);
      continue;
    }
    if (p->cnonce.empty()) p->cnonce = ctx_.ids.next(id_kind::tag);
    r.headers.add(credentials_for(p->kind),
                  write(respond(p->challenge, *who, r.method_name, r.uri, r.body, ++p->used, p->cnonce)));
    p->last_used = now.steady;
    known_.splice(known_.begin(), known_, p);
    added = true;
  }
  return had || added;
}

bool authenticator::challenged(const request& r, std::string_view domain, const response& refusal,
                               const target& server, answered_challenges& so_far) {
  const place where{server, host_of(r), std::string(domain)};
  bool again = false;
  std::string unanswered;
  // Behind a forking proxy one response can hold challenges of both kinds (RFC 3261 §16.7 step 7).
  for (const header kind : {header::www_authenticate, header::proxy_authenticate}) {
    std::vector<std::string> realms;
    for (const digest_challenge& c : usable_challenges(refusal.headers, kind)) {
      std::string why;
      realms.push_back(c.realm);
      if (take(c, kind, where, so_far, why)) {
        again = true;
      } else {
        unanswered += (unanswered.empty() ? "\"" : ", \"") + clean_text(c.realm, 64) + "\": " + why;
      }
    }
    if (realms.empty() && refusal.headers.find(kind).has_value()) {
      const auto c = parse_digest_challenge(*refusal.headers.find(kind));
      unanswered += (unanswered.empty() ? "\"" : ", \"") + (c ? clean_text(c->realm, 64) : std::string()) +
                    "\": no challenge that we can answer";
    }
  }
  if (again && so_far.rounds >= most_rounds) {
    unanswered = "too many challenges";
    again = false;
  }
  if (again) {
    ++so_far.rounds;
    ++ctx_.stats.challenges_answered;
    return true;
  }
  ++ctx_.stats.challenges_unanswered;
  const auto call_id = r.headers.find(header::call_id);
  ctx_.note(log_level::warning, "sip.challenge_unanswered", {},
            {{"call_id", call_id ? clean_text(*call_id, 128) : std::string()},
             {"peer", server.to.to_string()},
             {"code", std::to_string(refusal.status)},
             {"realm", unanswered}});
  return false;
}

bool authenticator::take(const digest_challenge& c, header kind, const place& where,
                         answered_challenges& so_far, std::string& why) {
  if (account_of(c.realm, where.domain) == nullptr) {
    why = "no credential";
    return false;
  }
  if (size_of(c) > max_challenge) {
    why = "too long";
    return false;
  }
  auto before = std::find_if(so_far.all.begin(), so_far.all.end(), [&](const answered_challenges::entry& e) {
    return e.server == where.server && e.kind == kind && e.realm == c.realm;
  });
  if (before == so_far.all.end()) before = so_far.all.insert(before, {where.server, kind, c.realm, 0});
  if (before->times >= (c.stale ? 2U : 1U)) {
    why = "the credential was refused";
    std::erase_if(known_, [&](const protection& p) {
      return p.where == where && p.kind == kind && p.challenge.realm == c.realm;
    });
    return false;
  }
  ++before->times;
  keep({where, kind, c, 0, {}, {}, charge(ctx_.memory, cost_of(where, c))});
  return true;
}

void authenticator::keep(protection p) {
  const auto same = std::find_if(known_.begin(), known_.end(), [&](const protection& k) {
    return k.where == p.where && k.kind == p.kind && k.challenge.realm == p.challenge.realm;
  });
  if (same != known_.end()) {
    // The nonce that it gave before: nc goes on (RFC 7616 §3.4).
    if (same->challenge.nonce == p.challenge.nonce) p.used = same->used, p.cnonce = same->cnonce;
    known_.erase(same);
  }
  if (known_.size() >= most) known_.pop_back();
  known_.push_front(std::move(p));
}

void authenticator::tidy(instant now) {
  while (!known_.empty() && known_.back().last_used + kept_for <= now.steady) known_.pop_back();
}

void authenticator::accepted(const request& r, std::string_view domain, const response& answer,
                             const target& server) {
  const auto value = answer.headers.find(header::authentication_info);
  // It names no realm, so it says something only where one was answered.
  if (!value || r.headers.count(header::authorization) != 1) return;
  const auto info = parse_authentication_info(*value);
  const auto sent = parse_digest_credentials(*r.headers.find(header::authorization));
  if (!info || !info->next_nonce || !sent) return;
  const place where{server, host_of(r), std::string(domain)};
  const auto at = std::find_if(known_.begin(), known_.end(), [&](const protection& p) {
    return p.where == where && p.kind == header::www_authenticate && p.challenge.realm == sent->realm;
  });
  if (at == known_.end() || at->challenge.nonce == *info->next_nonce) return;
  // The answer to an older nonce says nothing about a challenge that came meanwhile. And of a session's key
  // the first nonce stays a part until the next challenge (RFC 7616 §3.4.2): another one would not fit.
  if (at->challenge.nonce != sent->nonce || is_session(*at->challenge.algorithm)) return;
  digest_challenge next = at->challenge;
  next.nonce = *info->next_nonce;
  if (size_of(next) > max_challenge) return;
  at->challenge = std::move(next);
  at->used = 0;
  at->cnonce.clear();
  at->memory.resize(cost_of(where, at->challenge));
}

}  // namespace stox::sip
