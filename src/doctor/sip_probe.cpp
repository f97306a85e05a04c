#include "doctor/sip_probe.hpp"

#include <algorithm>
#include <utility>

#include "base/overloaded.hpp"
#include "base/text.hpp"
#include "sip/wire/headers.hpp"

namespace stox::doctor {
namespace {

// RFC 3261 §17.1.1.1: T1 and T2.
constexpr auto t1 = std::chrono::milliseconds(500), t2 = std::chrono::milliseconds(4000);
constexpr std::size_t most_words = 120;

std::string_view via_name(transport via) {
  switch (via) {
    case transport::udp: return "UDP";
    case transport::tcp: return "TCP";
    case transport::tls: return "TLS";
  }
  return "";
}

}  // namespace

sip_probe::sip_probe(const subject& who, const sip::target& to, io_port& port, id_source& ids,
                     conn_id listener, std::uint16_t local)
    : who_(who),
      port_(port),
      conn_(to.via == transport::udp ? listener : port.new_conn(conn_use::sip)),
      branch_(ids.next(id_kind::branch)),
      tag_(ids.next(id_kind::tag)),
      call_id_(ids.next(id_kind::call_id)),
      domain_(to.domain),
      local_(local) {
  visit_.via = to.via;
  visit_.at = to.to;
}

void sip_probe::start(instant now) {
  if (by_datagram()) {
    if (conn_ == conn_id::none) {  // the family is missing here
      visit_.went.why = io::fail::unreachable;
      done_ = true;
      return;
    }
    token_ = port_.new_token(conn_use::sip);
    // The address that the kernel will choose is not known here: rport (RFC 3581) tells the peer that it does
    // not matter.
    send(who_.from_ascii + ":" + std::to_string(local_));
    wait_ = t1;
    again_ = now.steady + wait_;
    return;
  }
  io::open o;
  o.conn = conn_;
  o.use = conn_use::sip;
  o.via = visit_.via;
  o.to = visit_.at;
  o.server_name = domain_;
  o.own_name = who_.from_ascii;
  port_.push(std::move(o));
}

void sip_probe::send(std::string_view sent_by) {
  sip::request r;
  r.method = sip::method::options;
  r.method_name = "OPTIONS";
  r.uri = "sip:" + who_.ascii;
  r.headers.add(sip::header::via, "SIP/2.0/" + std::string(via_name(visit_.via)) + " " +
                                      std::string(sent_by) + ";branch=" + branch_ + ";rport");
  r.headers.add(sip::header::max_forwards, "70");
  r.headers.add(sip::header::from, "<sip:" + who_.from_ascii + ">;tag=" + tag_);
  r.headers.add(sip::header::to, "<sip:" + who_.ascii + ">");
  r.headers.add(sip::header::call_id, call_id_);
  r.headers.add(sip::header::cseq, "1 OPTIONS");
  request_ = sip::write(r);
  visit_.went.reached = stage::asking;
  port_.push(io::send{conn_, token_, visit_.at, request_});
}

void sip_probe::handle(const io::event& e) {
  if (done_) return;
  std::visit(overloaded{
                 [this](const io::opened& x) {
                   visit_.went.identity = x.identity;
                   send(x.local.to_string());
                 },
                 [this](const io::received& x) { on_bytes(x); },
                 [this](const io::closed& x) {
                   visit_.went.why = x.why;
                   visit_.went.detail = sip::clean_text(x.detail, most_words);
                   done_ = true;
                 },
                 [](const io::secured&) {},
                 [](const io::sent&) {},
                 [this](const io::send_failed& x) {
                   if (x.tok != token_ || x.tok == token::none) return;
                   visit_.went.why = x.why;
                   done_ = true;
                 },
                 [](const io::blocked&) {},
                 [](const io::writable&) {},
                 [](const io::listening&) {},
                 [](const io::accepted&) {},
                 [](const io::looked_up&) {},
             },
             e);
}

void sip_probe::on_bytes(const io::received& r) {
  if (by_datagram()) return on_message(r.bytes, sip::framing::datagram);
  framer_.feed(r.bytes);
  for (auto f = framer_.next({}); !done_; f = framer_.next({})) {
    if (f.what == sip::frame::kind::none) break;
    if (f.what == sip::frame::kind::broken) {
      visit_.went.detail = "what it sends is no SIP";
      finish();
    } else if (f.what == sip::frame::kind::whole) {
      on_message(f.text, sip::framing::stream);
    }
  }
  framer_.stash();
}

void sip_probe::on_message(std::string_view text, sip::framing how) {
  const auto parsed = sip::parse_message(text, how, {});
  const auto* answer = parsed ? std::get_if<sip::response>(&*parsed) : nullptr;
  if (answer == nullptr || answer->status < 200) return;
  const auto match = sip::check_mandatory(*answer);
  // RFC 3261 §8.1.3.3 and §17.1.3: ours, whoever sends it.
  if (!match || match->top_via.branch() != branch_ || match->cseq.method != sip::method::options) return;
  visit_.status = answer->status;
  visit_.went.reached = stage::done;
  finish();
}

std::optional<steady_time> sip_probe::next_deadline() const { return done_ ? std::nullopt : again_; }

void sip_probe::handle_timeout(instant now) {
  if (done_ || !again_ || *again_ > now.steady) return;
  port_.push(io::send{conn_, token_, visit_.at, request_});
  wait_ = std::min<duration>(2 * wait_, t2);
  again_ = now.steady + wait_;
}

void sip_probe::give_up() {
  if (done_) return;
  visit_.went.why = io::fail::timed_out;
  finish();
}

void sip_probe::finish() {
  done_ = true;
  if (!by_datagram()) port_.push(io::close{conn_});
}

}  // namespace stox::doctor
