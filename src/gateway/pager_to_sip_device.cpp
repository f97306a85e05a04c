#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "gateway/pager_to_sip.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/uri.hpp"

// What pager_to_sip does when the device that a message was meant for is not there.
namespace stox::gateway {

namespace {

/// The gr of a Request-URI, unescaped.
std::optional<std::string> device_in(const std::string& uri) {
  const auto parsed = sip::parse_uri(uri);
  const auto* gr = parsed ? parsed->find("gr") : nullptr;
  return gr != nullptr && gr->value ? text::percent_decode(*gr->value) : std::nullopt;
}

}  // namespace

bool pager_to_sip::device_is_gone(std::uint16_t status) {
  // RFC 3261 §21.4.5, §21.4.11 and §21.4.18, RFC 5626 §11.6: nobody got it there.
  return status == 404 || status == 410 || status == 430 || status == 480;
}

void pager_to_sip::to_user(place& at, std::uint16_t status, context& c) {
  const auto key = at.first;
  const auto jid = key.substr(0, key.find('\0'));
  auto& l = at.second;
  const auto& o = *l.pending;
  if (c.logs(log_level::info))
    note(c, log_level::info, "message.to_sip.device_gone", about_of(o), {{"status", std::to_string(status)}});
  auto* pair = talk_.find_pair(jid, o.to.bare_text(), c.now().steady);
  if (pair != nullptr && text::percent_decode(pair->sip_gr) == device_in(key.substr(jid.size() + 1))) {
    pair->sip_gr.clear();
    pair->device_spoke.reset();
    pair->weigh();
  }
  if (o.asked) c.receipts().sent_again(report_key(o), c.now());
  std::list<queued> all;
  const auto kept = l.memory.size();
  all.push_back({std::move(*l.again), std::move(*l.pending), kept, std::move(l.memory)});
  all.splice(all.end(), l.waiting);
  waiting_ -= all.size() - 1;
  release(key, all.size() - 1);
  end_lane(lanes_.find(key));
  for (auto& q : all) {
    auto& r = q.out.request;
    const auto to = r.headers.find(sip::header::to);
    const auto user = to ? sip::parse_name_addr(*to) : sip::errc::bad_header;
    // Who wrote to that device and to no other is answered by its absence.
    if (!q.sender.falls_back || !user) {
      take_in(jid, key, std::move(q), c);
      continue;
    }
    q.sender.falls_back = false;
    // RFC 3261 §8.2.2.2: it must not look like the same request by another way. The tag stands last.
    const auto readdress = [&user](sip::request& it) {
      it.uri = sip::write(user->uri);
      if (const auto from = it.headers.find(sip::header::from))
        it.headers.set(sip::header::from, std::string(*from) + 'u');
    };
    readdress(r);
    if (is_rich(q.sender)) readdress(q.sender.asked->plain->request);
    const auto there = lane_of(jid, r.uri);
    take_in(jid, there, std::move(q), c);
  }
}

}  // namespace stox::gateway
