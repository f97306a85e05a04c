#include <chrono>
#include <iterator>

#include "engine/engine_impl.hpp"

namespace stox::engine {

namespace {

struct aside_name {
  gateway::aside what;
  const char* name;
  const char* help;
};
constexpr aside_name aside_names[] = {
    {gateway::aside::late_error, "late_errors_total", "Stanza errors that came after the 2xx."},
    {gateway::aside::lost_after_answer, "lost_after_answer_total",
     "Messages that had their 2xx when the link broke before the server confirmed them."},
    {gateway::aside::sender_unreachable, "senders_unreachable_total",
     "Errors that did not, or perhaps not, reach the XMPP sender."},
    {gateway::aside::stray_error, "stray_errors_total", "Error stanzas that answer nothing of ours."},
    {gateway::aside::foreign_stanza, "foreign_stanzas_total",
     "Stanzas other than messages that were not between the gateway and somebody else; ignored."},
    {gateway::aside::malformed_stanza, "malformed_stanzas_total",
     "Stanzas other than messages that could not be read."},
    {gateway::aside::typing_to_sip, "typing_notices_to_sip_total",
     "Typing notices sent to SIP users whose client knows them."},
    {gateway::aside::typing_to_xmpp, "typing_notices_to_xmpp_total",
     "Chat states sent to XMPP users whose client knows them."},
    {gateway::aside::late_notice, "late_notices_sent_total",
     "Messages to SIP users whose text failed after it was accepted."},
    {gateway::aside::report_sent, "reports_sent_total",
     "Disposition notifications sent to SIP users who asked for them."},
    {gateway::aside::report_retried, "reports_retried_total",
     "Disposition notifications sent again, because the SIP user or the way to him was away."},
    {gateway::aside::report_lost, "reports_lost_total",
     "Disposition notifications that the SIP side refused or did not take in several tries, or without "
     "room."},
    {gateway::aside::receipt_sent, "receipts_sent_total",
     "Receipts and markers sent to XMPP users who asked for them."},
    {gateway::aside::late_failure, "late_failures_total",
     "Reports of failure that came from SIP users after the 2xx, told to the XMPP sender as errors."},
    {gateway::aside::report_unmatched, "reports_unmatched_total",
     "Disposition notifications from SIP users that say nothing for which anybody waits."},
    {gateway::aside::form_refused, "forms_refused_total",
     "Messages in CPIM that were refused for their form and sent again as plain text at once."},
};
static_assert(std::size(aside_names) == gateway::aside_count);

void add_messages(std::vector<sample>& out, const gateway::counters& counts) {
  for (const auto& [k, n] : counts.messages()) {
    out.push_back({"messages_total",
                   "Messages by direction, outcome and cause; each counts once, when its sender is answered.",
                   false,
                   {{"direction", std::string(to_string(k.dir))},
                    {"outcome", std::string(to_string(k.what))},
                    {"cause", k.cause}},
                   static_cast<double>(n)});
  }
  for (const auto& [what, name, help] : aside_names) {
    out.push_back({name, help, false, {}, static_cast<double>(counts.total(what))});
  }
  for (std::size_t i = 0; i < gateway::typing_drop_count; ++i) {
    const auto why = static_cast<gateway::typing_drop>(i);
    out.push_back({"typing_notices_dropped_total",
                   "Typing notices that were not sent, or that failed, by cause.",
                   false,
                   {{"cause", std::string(to_string(why))}},
                   static_cast<double>(counts.total(why))});
  }
  for (const auto d : {gateway::direction::to_xmpp, gateway::direction::to_sip}) {
    out.push_back({"messages_received_total",
                   "Messages that came in and passed the checks of SIP or of the stream.",
                   false,
                   {{"direction", std::string(to_string(d))}},
                   static_cast<double>(counts.received(d))});
    out.push_back({"message_losses_total",
                   "Pieces of messages that could not be carried.",
                   false,
                   {{"direction", std::string(to_string(d))}},
                   static_cast<double>(counts.losses(d))});
    out.push_back({"in_doubt_total",
                   "Messages whose fate could not be known; the sender was told an error where he could be.",
                   false,
                   {{"direction", std::string(to_string(d))}},
                   static_cast<double>(counts.total(d, gateway::outcome::in_doubt))});
  }
}

void add_domains(std::vector<sample>& out, const gateway::counters& counts) {
  static constexpr gateway::outcome outcomes[] = {gateway::outcome::delivered, gateway::outcome::failed,
                                                  gateway::outcome::refused, gateway::outcome::in_doubt,
                                                  gateway::outcome::ignored};
  static_assert(std::size(outcomes) == gateway::outcome_count);
  for (const auto& [domain, of] : counts.domains()) {
    for (const auto d : {gateway::direction::to_xmpp, gateway::direction::to_sip}) {
      for (const auto o : outcomes) {
        out.push_back({"domain_messages_total",
                       "Messages of a served domain by direction and outcome; \"other\": of none of them.",
                       false,
                       {{"domain", domain},
                        {"direction", std::string(to_string(d))},
                        {"outcome", std::string(to_string(o))}},
                       static_cast<double>(of[static_cast<std::size_t>(d)][static_cast<std::size_t>(o)])});
      }
    }
  }
}

void add_dns(std::vector<sample>& out, const dns::resolver_stats& s) {
  const auto counter = [&out](const char* name, const char* help, std::uint64_t n) {
    out.push_back({name, help, false, {}, static_cast<double>(n)});
  };
  counter("dns_questions_total", "Questions asked in the DNS.", s.asked);
  counter("dns_cache_hits_total", "Questions answered by what was known.", s.from_cache);
  counter("dns_failures_total", "Questions without an answer that can be used.", s.failed + s.timed_out);
  counter("dns_refused_total", "Questions not asked because too many were open.", s.refused);
  counter("dns_bad_records_total", "Records that could not be read.", s.bad_records);
}

void add_sip(std::vector<sample>& out, const sip::endpoint_stats& s) {
  const auto counter = [&out](const char* name, const char* help, std::uint64_t n) {
    out.push_back({name, help, false, {}, static_cast<double>(n)});
  };
  const auto gauge = [&out](const char* name, const char* help, std::uint64_t n) {
    out.push_back({name, help, true, {}, static_cast<double>(n)});
  };
  counter("sip_garbage_total", "Datagrams and streams that were no SIP.", s.garbage);
  counter("sip_requests_total", "SIP requests received and parsed.", s.requests);
  counter("sip_responses_total", "SIP responses received and parsed.", s.responses);
  counter("sip_retransmissions_received_total", "Requests and responses received again.",
          s.retransmissions_in);
  counter("sip_retransmissions_sent_total", "Requests and responses sent again.", s.retransmissions_out);
  counter("sip_answers_suppressed_total", "Answers to untrusted peers withheld by rate or size.",
          s.suppressed);
  counter("sip_stray_responses_total", "Responses that matched no transaction.", s.stray_responses);
  counter("sip_challenges_answered_total",
          "401 and 407 to requests of ours that were answered with credentials.", s.challenges_answered);
  counter("sip_challenges_unanswered_total", "401 and 407 that no credential fits, or that refused it.",
          s.challenges_unanswered);
  gauge("sip_server_transactions", "Server transactions held now.", s.server_transactions);
  gauge("sip_client_transactions", "Requests of ours that have no final answer yet.", s.client_transactions);
  gauge("sip_connections", "SIP stream connections open now.", s.connections);
  gauge("sip_stranger_connections", "Those of them that untrusted peers opened.", s.strangers);
  counter("sip_strangers_refused_total", "Connections of untrusted peers closed at once for want of a place.",
          s.strangers_refused);
  counter("sip_strangers_cut_total", "Connections of untrusted peers closed for garbage or for silence.",
          s.strangers_cut);
  counter("sip_unproven_servers_total",
          "TLS servers that did not prove the domain for which they were asked.", s.unproven);
  counter("sip_pings_sent_total", "Keep-alives sent on silent connections.", s.pings);
  for (std::size_t code = 0; code < std::size(s.rejected); ++code) {
    if (s.rejected[code] == 0) continue;
    out.push_back({"sip_rejected_total",
                   "Requests refused by the checks before any flow, by status code.",
                   false,
                   {{"code", std::to_string(code)}},
                   static_cast<double>(s.rejected[code])});
  }
}

void add_link(std::vector<sample>& out, const xmpp::component& link) {
  const auto& s = link.stats();
  const auto add = [&](const char* name, const char* help, bool is_gauge, std::uint64_t n) {
    out.push_back({name, help, is_gauge, {{"domain", link.options().domain}}, static_cast<double>(n)});
  };
  add("xmpp_link_up", "1 while the component link is up.", true, s.up ? 1 : 0);
  out.push_back({"xmpp_link_changed_timestamp_seconds",
                 "When the link came up or was lost, in seconds since 1970.",
                 true,
                 {{"domain", link.options().domain}},
                 static_cast<double>(std::chrono::system_clock::to_time_t(link.status().since.wall))});
  add("xmpp_connects_total", "Component links that came up.", false, s.connects);
  add("xmpp_link_losses_total", "Component links that were lost.", false, s.losses);
  add("xmpp_handshake_failures_total", "Handshakes that the server refused.", false, s.handshake_failures);
  add("xmpp_stream_errors_total", "Stream errors received or sent.", false, s.stream_errors);
  add("xmpp_stanzas_received_total", "Stanzas received.", false, s.stanzas_in);
  add("xmpp_stanzas_sent_total", "Stanzas sent.", false, s.stanzas_out);
  add("xmpp_pings_total", "Fence and idle pings sent.", false, s.pings);
  add("xmpp_queued_stanzas", "Stanzas that wait for the link.", true, s.queued);
  add("xmpp_queued_bytes", "Their size.", true, s.queued_bytes);
  add("xmpp_queue_refused_total", "Stanzas refused because the queue was full.", false, s.queue_refused);
  add("xmpp_unconfirmed_stanzas", "Stanzas written and not yet confirmed by the server.", true,
      s.unconfirmed + s.tracked);
}

void add_federation(std::vector<sample>& out, const xmpp::federation_stats& s) {
  const auto add = [&out](const char* name, const char* help, bool is_gauge, std::uint64_t n,
                          std::vector<std::pair<std::string, std::string>> labels = {}) {
    out.push_back({name, help, is_gauge, std::move(labels), static_cast<double>(n)});
  };
  for (const auto& [direction, n] : {std::pair{"in", s.streams_in}, {"out", s.streams_out}})
    add("s2s_streams", "Streams with other servers, of which a domain is proved, by who connected.", true, n,
        {{"direction", direction}});
  add("s2s_unproved_streams", "Streams that other servers opened and on which they proved nothing yet.", true,
      s.unproved);
  add("s2s_connecting_domains", "Domains to whose servers connections are being made.", true, s.connecting);
  add("s2s_waiting_domains", "Domains that wait for their turn, xmpp.s2s.max_connecting being reached.", true,
      s.waiting);
  for (const auto& [how, n] :
       {std::pair{"certificate", s.by_certificate}, {"dane", s.by_dane}, {"dialback", s.by_dialback}})
    add("s2s_proofs_total", "Domains that other servers proved on a stream, by how.", false, n,
        {{"how", how}});
  add("s2s_reached_total", "Domains whose server took our word and stanzas.", false, s.reached);
  add("s2s_unreachable_total", "Tries after which a domain could not be reached.", false, s.unreachable);
  for (const auto& [limit, n] : {std::pair{"address", s.refused_address},
                                 {"unproved", s.refused_unproved},
                                 {"memory", s.refused_memory}})
    add("s2s_streams_refused_total", "Streams of other servers that were closed for a limit, by which.",
        false, n, {{"limit", limit}});
  add("s2s_keys_refused_total",
      "Dialback keys that the domain's own server did not know, or could not be asked about.", false,
      s.keys_refused);
  add("s2s_stream_errors_total", "Streams that ended with an error, theirs or ours.", false, s.stream_errors);
  add("s2s_resumed_total", "Broken streams that went on with nothing lost.", false, s.resumed);
  add("s2s_sessions_lost_total", "Broken streams that could have gone on, and did not in time.", false,
      s.lost_sessions);
  add("s2s_stanzas_received_total", "Stanzas received from other servers.", false, s.stanzas_in);
  add("s2s_stanzas_sent_total", "Stanzas sent to other servers.", false, s.stanzas_out);
  add("s2s_queued_stanzas", "Stanzas that wait for their stream.", true, s.queued);
  add("s2s_queued_bytes", "Their size.", true, s.queued_bytes);
  add("s2s_queue_refused_total", "Stanzas refused because the queue of their domain was full.", false,
      s.queue_refused);
  add("s2s_unconfirmed_stanzas", "Stanzas written and not yet confirmed by the other server.", true,
      s.unconfirmed);
}

}  // namespace

std::vector<sample> engine::samples() const {
  const auto& i = *impl_;
  std::vector<sample> out;
  add_messages(out, i.counters_);
  add_domains(out, i.counters_);
  add_sip(out, i.sip_.stats());
  add_dns(out, i.dns_.stats());
  for (const auto& l : i.links_) {
    // One series for each domain: of a link that is leaving only while no other has its domain.
    const bool replaced = i.find(l.wire->options().domain) != nullptr;
    if (l.at == impl::component_link::stage::serving || !replaced) add_link(out, *l.wire);
  }
  if (i.settings_.s2s.enabled) add_federation(out, i.federation_.stats());
  const auto gauge = [&out](const char* name, const char* help, double n) {
    out.push_back({name, help, true, {}, n});
  };
  std::uint64_t queued = 0;
  for (const auto& l : i.links_) queued += l.wire->stats().queued_bytes;
  const auto part = [&out](const char* name, double n) {
    out.push_back({"memory_part_bytes",
                   "Parts of memory_used_bytes: what is remembered of conversations, what is known of "
                   "peers' clients, open receipts, the table of rates, stanzas that wait for their "
                   "link, streams with other servers and what waits there, the write queues of the sockets.",
                   true,
                   {{"part", name}},
                   n});
  };
  part("conversations", static_cast<double>(i.router_.memory_used()));
  part("peers", static_cast<double>(i.peers_.memory_used()));
  part("receipts", static_cast<double>(i.receipts_.memory_used()));
  part("rates", static_cast<double>(i.router_.rates_memory()));
  part("xmpp_queues", static_cast<double>(queued));
  part("s2s", static_cast<double>(i.s2s_memory_.used()));
  part("write_queues", static_cast<double>(i.rim_queues_.size()));
  gauge("blocks", "Sources and senders that the operator has blocked.",
        static_cast<double>(i.blocklist_.size()));
  gauge("ready", "1 while the gateway takes work.", readiness().ready ? 1 : 0);
  gauge("open_messages", "Messages on their way.", static_cast<double>(i.router_.open()));
  gauge("conversations", "Pairs who talk, and their threads, that are remembered.",
        static_cast<double>(i.router_.conversations_known()));
  gauge("peers_known", "Users of whose clients something is known.", static_cast<double>(i.peers_.size()));
  gauge("open_receipts", "Messages whose sender waits for a receipt.",
        static_cast<double>(i.receipts_.size()));
  gauge("deadlines", "Entries of the deadline index.", static_cast<double>(i.deadlines_.size()));
  gauge("memory_used_bytes", "The byte account: what peers make the gateway hold.",
        static_cast<double>(i.memory_.used()));
  gauge("memory_limit_bytes", "limits.memory.", static_cast<double>(i.memory_.limit()));
  return out;
}

}  // namespace stox::engine
