#include "engine/sandbox.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/overloaded.hpp"
#include "engine/row_text.hpp"
#include "xml/element.hpp"
#include "xml/reader.hpp"

namespace stox::engine {

namespace {

const socket_address peer{*ip_address::parse("192.0.2.1"), 5060};
const socket_address local{*ip_address::parse("192.0.2.20"), 5060};
const socket_address local_tls{local.ip, 5061};
constexpr std::string_view component_ns = "jabber:component:accept";

/// 2020-01-01T00:00:00Z: what golden files and explain call now.
const instant epoch{steady_time(std::chrono::hours(1)), wall_time(std::chrono::seconds(1'577'836'800))};

peer_identity identity_of(std::vector<std::string> domains) {
  peer_identity who;
  who.chain_ok = !domains.empty();
  who.why_not = domains.empty() ? "it showed no certificate" : "";
  who.has_san = !domains.empty();
  who.san_dns = std::move(domains);
  return who;
}

std::string describe(const log_record& r) {
  std::string out(r.event);
  for (const auto& [key, value] : r.fields) out.append(" ").append(key).append("=").append(value);
  return out;
}

std::string describe(const incident& i) {
  return std::string(i.kind) + " domain=" + i.domain + " conversation=" + i.conversation +
         " call_id=" + i.call_id + " stanza_id=" + i.stanza_id + " from=" + i.from + " to=" + i.to +
         " cause=" + i.cause;
}

/// Whether one of them takes the other's place in the store.
bool same_name(const stored_row& a, const stored_row& b) {
  if (const auto* r = std::get_if<receipt_row>(&a)) return r->key == std::get<receipt_row>(b).key;
  const auto &x = std::get<capability_row>(a), &y = std::get<capability_row>(b);
  return x.address == y.address && x.feature == y.feature;
}

}  // namespace

struct sandbox::impl {
  impl(settings::all s, options how)
      : settings_(std::move(s)), how_(std::move(how)), accepting_(how_.links_up), stored_(how_.stored) {
    begin();
  }

  /// An engine comes to life: sockets, what the store holds, the links.
  void begin() {
    engine_.emplace(settings_, ids_);
    listen(udp_listener, transport::udp, local);
    listen(tcp_listener, transport::tcp, local);
    listen(tls_listener, transport::tls, local_tls);
    if (!stored_.empty()) handle(restored{stored_});
    engine_->start(now_);
    drain();
  }

  void restart() {
    handle(forced_end{});
    servers_.clear();
    streams_.clear();
    unsent_.clear();
    begin();
  }

  /// The store's part.
  void keep(const stored_row& row) {
    std::erase_if(stored_,
                  [&row](const stored_row& r) { return r.index() == row.index() && same_name(r, row); });
    stored_.push_back(row);
  }
  void drop(const row_key& key) {
    std::erase_if(stored_, [&key](const stored_row& r) {
      const auto* capability = std::get_if<capability_row>(&r);
      return capability != nullptr ? key == row_key(capability_key{capability->address})
                                   : key == row_key(std::get<receipt_row>(r).key);
    });
  }

  static constexpr conn_id udp_listener{1};
  static constexpr conn_id tcp_listener{2};
  static constexpr conn_id tls_listener{3};

  /// The far end of one component link.
  struct server_end {
    std::string domain;
    xml::reader reader;
    std::vector<std::string> pings;  ///< ids not yet sent back
  };

  void listen(conn_id id, transport via, const socket_address& at) {
    handle(io::event(io::listening{id, via, at}));
  }

  void handle(const event& e) {
    engine_->handle(e, now_);
    drain();
  }

  void drain() {
    while (auto a = engine_->poll()) {
      std::visit(
          overloaded{
              [this](io::action& x) { std::visit([this](auto& y) { perform(y); }, x); },
              [this](log_line& x) {
                outputs_.push_back({output::side::log, describe(x.record), x.record.conversation, {}, {}});
              },
              [](stopped&) {},
              [this](incident_raised& x) {
                outputs_.push_back({output::side::incident, describe(x.what), x.what.domain, {}, {}});
              },
              [this](const row_saved& x) {
                keep(x.row);
                outputs_.push_back({output::side::row, "save " + row_text(x.row), {}, {}, {}});
              },
              [this](const row_removed& x) {
                drop(x.key);
                outputs_.push_back({output::side::row, "remove " + key_text(x.key), {}, {}, {}});
              },
          },
          *a);
    }
    // What the far ends answer comes as new events, only now: nothing re-enters the engine.
    while (!replies_.empty()) {
      auto reply = std::move(replies_.front());
      replies_.erase(replies_.begin());
      reply();
      return drain();
    }
  }

  void later(std::function<void()> reply) { replies_.push_back(std::move(reply)); }
  void tell(const io::event& e) { engine_->handle(event(e), now_); }

  void perform(io::open& x) {
    const auto id = x.conn;
    if (x.use == conn_use::component) {
      later([this, id] {
        if (!accepting_) return tell(io::closed{id, io::fail::refused});
        servers_[id];
        tell(io::opened{id, local, peer});
      });
    } else {
      streams_[id] = {x.via, x.to};
      std::optional<peer_identity> who;
      if (x.via == transport::tls) who = identity_of(proven_.value_or(std::vector{x.server_name}));
      later([this, id, to = x.to, who = std::move(who)] { tell(io::opened{id, local, to, who}); });
    }
  }

  void perform(io::close& x) {
    servers_.erase(x.conn);
    streams_.erase(x.conn);
    later([this, id = x.conn] { tell(io::closed{id, io::fail::closed_here}); });
  }

  /// Every name has the SIP peer's address, unless a zone was given.
  void perform(io::lookup& x) {
    io::looked_up answer{x.id, io::lookup_status::no_name, 60, {}};
    const auto at = zone_.find({x.type, x.name});
    if (at != zone_.end()) {
      answer.status = at->second.empty() ? io::lookup_status::failed : io::lookup_status::found;
      answer.data = at->second;
    } else if (zone_.empty() && x.type == io::record_type::a) {
      answer.status = io::lookup_status::found;
      answer.data.emplace_back(peer.ip.bytes.end() - 4, peer.ip.bytes.end());
    }
    later([this, answer = std::move(answer)] { tell(answer); });
  }
  void perform(io::cancel_lookup&) {}
  void perform(io::start_tls&) {}  // SIP and components have none

  void perform(io::send& x) {
    if (how_.fail_write == writes_++) return fail(x);
    if (use_of(x.conn) == conn_use::component) {
      serve(x.conn, x.bytes);
    } else {
      const auto stream = streams_.find(x.conn);
      const bool datagram = stream == streams_.end();
      outputs_.push_back({output::side::sip,
                          x.bytes,
                          {},
                          datagram ? x.to : stream->second.second,
                          datagram ? transport::udp : stream->second.first});
    }
    if (x.tok == token::none) return;
    if (how_.auto_sent) {
      later([this, tok = x.tok] { tell(io::sent{tok}); });
    } else {
      unsent_.push_back(x.tok);
    }
  }

  /// The write did not go out; a stream breaks with it.
  void fail(const io::send& x) {
    later([this, conn = x.conn, tok = x.tok] {
      if (tok != token::none) tell(io::send_failed{tok, io::fail::reset});
      if (servers_.erase(conn) + streams_.erase(conn) > 0) tell(io::closed{conn, io::fail::reset});
    });
  }

  /// The XMPP server's side of a component stream, as far as a component can see it.
  void serve(conn_id id, std::string_view bytes) {
    const auto at = servers_.find(id);
    if (at == servers_.end()) return;
    auto& server = at->second;
    (void)server.reader.feed(bytes);
    while (auto e = server.reader.poll()) {
      if (const auto* root = std::get_if<xml::stream_opened>(&*e)) {
        if (const auto* to = root->root.attr("to")) server.domain = *to;
        reply(id,
              "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
              "xmlns:stream='http://etherx.jabber.org/streams' from='" +
                  xml::escape(server.domain) + "' id='s-1'>");
      } else if (const auto* s = std::get_if<xml::stanza>(&*e)) {
        stanza(id, server, s->value);
      } else {
        reply(id, "</stream:stream>");
      }
    }
  }

  void stanza(conn_id id, server_end& server, const xml::element& e) {
    if (e.name == "handshake") return reply(id, "<handshake/>");
    const auto* to = e.attr("to");
    const bool ping = e.name == "iq" && to != nullptr && *to == server.domain;
    if (!ping) {
      outputs_.push_back({output::side::xmpp, xml::write(e, component_ns), server.domain, {}, {}});
      return;
    }
    server.pings.push_back(xml::write(e, component_ns));
    if (how_.auto_confirm) confirm(id, server);
  }

  void confirm(conn_id id, server_end& server) {
    for (auto& ping : std::exchange(server.pings, {})) reply(id, std::move(ping));
  }

  void reply(conn_id id, std::string bytes) {
    later([this, id, bytes = std::move(bytes)] {
      if (servers_.count(id) != 0) tell(io::received{id, peer, bytes});
    });
  }

  void advance(duration d) {
    const auto end = now_ + d;
    for (auto next = engine_->next_deadline(); next && *next <= end.steady; next = engine_->next_deadline()) {
      if (*next > now_.steady) now_ = now_ + (*next - now_.steady);
      handle(timeout{});
    }
    now_ = end;
  }

  settings::all settings_;
  options how_;
  counting_ids ids_;
  instant now_ = epoch;
  std::optional<stox::engine::engine> engine_;
  bool accepting_;
  std::vector<stored_row> stored_;
  std::map<conn_id, server_end> servers_;
  std::map<conn_id, std::pair<transport, socket_address>> streams_;
  std::optional<std::vector<std::string>> proven_;  ///< by TLS servers
  std::uint64_t last_listener_ = static_cast<std::uint64_t>(tls_listener);
  std::uint64_t last_accepted_ = 1000;
  std::map<std::pair<io::record_type, std::string>, std::vector<std::string>> zone_;
  std::vector<std::function<void()>> replies_;
  std::vector<token> unsent_;
  std::size_t writes_ = 0;
  std::vector<output> outputs_;
};

sandbox::sandbox(settings::all settings, options how)
    : impl_(std::make_unique<impl>(std::move(settings), std::move(how))) {
  impl_->outputs_.clear();  // the links' own log lines
}
sandbox::~sandbox() = default;

settings::all sandbox::sample_settings() {
  settings::all s;
  s.gateway.sip_domains = {"sip.example"};
  s.sip.listen = {{transport::udp, local}, {transport::tcp, local}};
  s.sip.advertise = {{std::nullopt, "gw.sip.example", 0}};
  s.sip.outbound_proxy = {{"sip:192.0.2.1:5060;lr", "192.0.2.1", 5060, transport::udp}};
  s.sip.trusted_peers = {*ip_prefix::parse("192.0.2.0/24")};
  settings::component link;
  link.domain = "sip.example";
  link.host = "192.0.2.30";
  link.secret = redacted("secret");
  s.components = {link};
  s.log.level = log_level::debug;
  return s;
}

void sandbox::sip(std::string_view bytes) { sip_from(peer, bytes); }
void sandbox::sip_from(const socket_address& from, std::string_view bytes) {
  impl_->handle(io::event(io::received{impl::udp_listener, from, bytes}));
}

void sandbox::sip_over_tls(const socket_address& from, std::vector<std::string> proven,
                           std::string_view bytes) {
  const conn_id id{++impl_->last_accepted_};
  impl_->streams_[id] = {transport::tls, from};
  impl_->handle(io::event(
      io::accepted{id, conn_use::sip, transport::tls, local_tls, from, identity_of(std::move(proven))}));
  if (impl_->streams_.contains(id)) impl_->handle(io::event(io::received{id, from, bytes}));
}
void sandbox::prove(std::vector<std::string> domains) { impl_->proven_ = std::move(domains); }

void sandbox::xmpp(std::string_view stanza) {
  if (!impl_->servers_.empty()) xmpp(impl_->servers_.begin()->second.domain, stanza);
}
void sandbox::xmpp(std::string_view domain, std::string_view stanza) {
  for (auto& [id, server] : impl_->servers_) {
    if (server.domain == domain) return impl_->handle(io::event(io::received{id, peer, stanza}));
  }
}

void sandbox::advance(duration d) { impl_->advance(d); }

void sandbox::turn_wall_clock(duration by) {
  impl_->now_.wall += std::chrono::duration_cast<wall_time::duration>(by);
}

void sandbox::listen(transport via, const socket_address& at) {
  impl_->listen(conn_id{++impl_->last_listener_}, via, at);
}

void sandbox::link_down() {
  impl_->accepting_ = false;
  for (const auto& gone : std::exchange(impl_->servers_, {})) {
    // The rim reports what it had not written before it reports the end.
    for (const auto tok : std::exchange(impl_->unsent_, {})) {
      impl_->handle(io::event(io::send_failed{tok, io::fail::reset}));
    }
    impl_->handle(io::event(io::closed{gone.first, io::fail::reset}));
  }
}

void sandbox::link_down(std::string_view domain) {
  impl_->accepting_ = false;
  const auto at = std::find_if(impl_->servers_.begin(), impl_->servers_.end(),
                               [domain](const auto& s) { return s.second.domain == domain; });
  if (at == impl_->servers_.end()) return;
  const auto gone = at->first;
  impl_->servers_.erase(at);
  impl_->handle(io::event(io::closed{gone, io::fail::reset}));
}

void sandbox::link_up() {
  impl_->accepting_ = true;
  // Time goes on only as far as the reconnect needs; two minutes are beyond the longest back-off.
  const auto limit = impl_->now_ + std::chrono::minutes(2);
  while (impl_->servers_.empty() && impl_->engine_->next_deadline() &&
         *impl_->engine_->next_deadline() <= limit.steady) {
    advance(*impl_->engine_->next_deadline() - impl_->now_.steady);
  }
}

void sandbox::congest(bool yes) {
  std::vector<conn_id> links;
  for (const auto& [id, server] : impl_->servers_) links.push_back(id);
  for (const auto id : links) impl_->handle(yes ? io::event(io::blocked{id}) : io::event(io::writable{id}));
}

void sandbox::know(io::record_type type, const std::string& name, std::string data) {
  auto& all = impl_->zone_[{type, name}];
  if (!data.empty()) all.push_back(std::move(data));
}

void sandbox::confirm() {
  for (auto& [id, server] : impl_->servers_) impl_->confirm(id, server);
  impl_->drain();
}

void sandbox::write_done(bool ok) {
  for (const auto tok : std::exchange(impl_->unsent_, {})) {
    impl_->handle(ok ? io::event(io::sent{tok}) : io::event(io::send_failed{tok, io::fail::reset}));
  }
}

void sandbox::handle(const event& e) { impl_->handle(e); }
std::vector<sandbox::output> sandbox::take() { return std::exchange(impl_->outputs_, {}); }
bool sandbox::connected() const { return !impl_->servers_.empty(); }
std::size_t sandbox::writes() const { return impl_->writes_; }
void sandbox::restart() { impl_->restart(); }
const std::vector<stored_row>& sandbox::stored() const { return impl_->stored_; }
stox::engine::engine& sandbox::core() { return *impl_->engine_; }
instant sandbox::now() const { return impl_->now_; }

}  // namespace stox::engine
