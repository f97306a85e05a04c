#include "doctor/xmpp_probe.hpp"

#include <utility>

#include "base/overloaded.hpp"
#include "sip/wire/headers.hpp"
#include "xmpp/wire/stanza.hpp"
#include "xmpp/wire/stream.hpp"

namespace stox::doctor {
namespace {

constexpr std::string_view server_ns = "jabber:server";
constexpr std::string_view dialback_ns = "jabber:server:dialback";
constexpr std::string_view tls_ns = "urn:ietf:params:xml:ns:xmpp-tls";
constexpr std::string_view sasl_ns = "urn:ietf:params:xml:ns:xmpp-sasl";
constexpr std::string_view dialback_feature_ns = "urn:xmpp:features:dialback";
constexpr std::string_view bidi_feature_ns = "urn:xmpp:features:bidi";
constexpr std::string_view resumption_ns = "urn:xmpp:sm:3";

// XEP-0368 §3.
constexpr std::string_view alpn = "xmpp-server";
constexpr std::size_t most_words = 120;

}  // namespace

xmpp_probe::xmpp_probe(const subject& who, xmpp_target to, io_port& port)
    : who_(who), port_(port), conn_(port.new_conn(conn_use::s2s)) {
  visit_.to = std::move(to);
}

void xmpp_probe::start() {
  io::open o;
  o.conn = conn_;
  o.use = conn_use::s2s;
  o.via = visit_.to.direct ? transport::tls : transport::tcp;
  o.to = visit_.to.at;
  o.server_name = who_.ascii;
  o.own_name = who_.from_ascii;
  if (visit_.to.direct) o.alpn = alpn;
  port_.push(std::move(o));
}

void xmpp_probe::handle(const io::event& e) {
  if (done_) return;
  std::visit(overloaded{
                 [this](const io::opened& x) { on_opened(x); },
                 [this](const io::secured& x) { on_secured(x.identity); },
                 [this](const io::received& x) { on_bytes(x.bytes); },
                 [this](const io::closed& x) {
                   visit_.went.why = x.why;
                   visit_.went.detail = sip::clean_text(x.detail, most_words);
                   done_ = true;
                 },
                 [](const io::sent&) {},
                 [](const io::send_failed&) {},
                 [](const io::blocked&) {},
                 [](const io::writable&) {},
                 [](const io::listening&) {},
                 [](const io::accepted&) {},
                 [](const io::looked_up&) {},
             },
             e);
}

void xmpp_probe::give_up() {
  if (done_) return;
  visit_.went.why = io::fail::timed_out;
  done_ = true;
  port_.push(io::close{conn_});
}

void xmpp_probe::on_opened(const io::opened& o) {
  if (visit_.to.direct) return on_secured(o.identity.value_or(peer_identity{}));
  visit_.went.reached = stage::greeting;
  send_header();
}

void xmpp_probe::on_secured(const peer_identity& identity) {
  visit_.went.identity = identity;
  visit_.went.reached = stage::asking;
  send_header();
}

void xmpp_probe::send_header() {
  // RFC 6120 §5.4.3.3: after TLS the stream begins anew, on both sides.
  reader_ = xml::reader();
  std::string out = "<?xml version='1.0'?><stream:stream xmlns='";
  out.append(server_ns).append("' xmlns:stream='").append(xmpp::stream_ns).append("' xmlns:db='");
  out.append(dialback_ns).append("' from='");
  xml::escape_to(out, who_.from);
  out += "' to='";
  xml::escape_to(out, who_.domain);
  out += "' version='1.0' xml:lang='en'>";
  port_.push(io::send{conn_, token::none, {}, std::move(out)});
}

void xmpp_probe::on_bytes(std::string_view bytes) {
  // What comes between <proceed/> and TLS is not the peer's word (RFC 6120 §5.4.3.3).
  if (visit_.went.reached == stage::securing) return;
  const auto fed = reader_.feed(bytes);
  while (!done_ && visit_.went.reached != stage::securing) {
    const auto e = reader_.poll();
    if (!e) break;
    on_read(*e);
  }
  if (!fed && !done_) fail("what it sends is no XMPP stream");
}

void xmpp_probe::on_read(const xml::read_event& e) {
  std::visit(overloaded{
                 [this](const xml::stream_opened& x) {
                   if (!x.root.is("stream", xmpp::stream_ns)) return fail("what it sends is no XMPP stream");
                   // RFC 6120 §4.7.5: without a version it is older than STARTTLS and features.
                   if (x.root.attr("version") == nullptr) fail("it speaks XMPP of before 1.0: no features");
                 },
                 [this](const xml::stanza& x) { on_stanza(x.value); },
                 [this](const xml::refused_stanza&) { fail("its stream features are too large"); },
                 [this](const xml::stream_closed&) { fail("it ended the stream"); },
             },
             e);
}

void xmpp_probe::on_stanza(const xml::element& e) {
  if (e.is("features", xmpp::stream_ns)) {
    on_features(e);
  } else if (e.is("error", xmpp::stream_ns)) {
    const auto told = xmpp::parse_stream_error(e);
    visit_.stream_error = told.condition;
    fail(sip::clean_text(told.text, most_words));
  } else if (e.is("proceed", tls_ns) && visit_.starttls) {
    visit_.went.reached = stage::securing;
    port_.push(io::start_tls{conn_, who_.ascii, who_.from_ascii});
  } else if (e.is("failure", tls_ns)) {
    fail("it offers STARTTLS and then refuses it");
  }
}

void xmpp_probe::on_features(const xml::element& e) {
  if (visit_.went.reached == stage::greeting) {
    visit_.starttls = e.child("starttls", tls_ns) != nullptr;
    if (!visit_.starttls) return fail("it offers no STARTTLS");
    std::string out = "<starttls xmlns='";
    out.append(tls_ns).append("'/>");
    port_.push(io::send{conn_, token::none, {}, std::move(out)});
    return;
  }
  if (const auto* mechanisms = e.child("mechanisms", sasl_ns)) {
    for (const auto* m : mechanisms->elements())
      visit_.external = visit_.external || (m->name == "mechanism" && m->text() == "EXTERNAL");
  }
  visit_.dialback = e.child("dialback", dialback_feature_ns) != nullptr;
  visit_.bidi = e.child("bidi", bidi_feature_ns) != nullptr;
  visit_.resumption = e.child("sm", resumption_ns) != nullptr;
  finish();
}

void xmpp_probe::finish() {
  visit_.went.reached = stage::done;
  done_ = true;
  port_.push(io::send{conn_, token::none, {}, std::string(xmpp::stream_end)});
  port_.push(io::close{conn_});
}

void xmpp_probe::fail(std::string detail) {
  visit_.went.detail = std::move(detail);
  done_ = true;
  port_.push(io::close{conn_});
}

}  // namespace stox::doctor
