#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"
#include "payload/cpim.hpp"
#include "sip/wire/headers.hpp"
#include "sip/wire/message.hpp"
#include "support/golden_file.hpp"
#include "translate/composing.hpp"
#include "translate/error.hpp"
#include "translate/failure_notice.hpp"
#include "translate/identity.hpp"
#include "translate/loop.hpp"
#include "translate/pager.hpp"
#include "translate/receipt.hpp"
#include "xml/reader.hpp"
#include "xmpp/wire/stanza.hpp"

namespace stox::testing {

namespace {

using sections = std::vector<section>;

const wall_time golden_now{std::chrono::sys_days(std::chrono::year(2020) / 1 / 1)};

sections fails_with(const error& e) { return {{"out", "error", e.to_string()}}; }

std::string losses_text(const std::vector<translate::loss>& losses) {
  std::string out;
  for (const auto& l : losses) out += (out.empty() ? "" : "\n") + ("LOSS " + l.what + ": " + l.why);
  return out;
}

/// [[gateway.domain]] pairs are written "sip-name=xmpp-name"; gateway.sip_domains have the same name on both
/// sides.
translate::address_map addresses_of(const golden_file& f) {
  std::vector<translate::domain_pair> pairs;
  for (const auto& name : f.config_list("gateway.sip_domains"))
    pairs.push_back({name, *xmpp::domain_to_unicode(name)});
  for (const auto& names : f.config_list("gateway.domain")) {
    const auto equals = names.find('=');
    pairs.push_back({names.substr(0, equals), names.substr(equals + 1)});
  }
  return translate::address_map(std::move(pairs));
}

std::vector<std::string> served_by(const translate::address_map& addresses) {
  std::vector<std::string> out;
  for (const auto& p : addresses.pairs()) out.push_back(p.sip);
  return out;
}

result<xmpp::message> read_message(const std::string& text) {
  const auto element = xml::parse(text, {}, "jabber:client");
  if (!element) return element.error();
  auto stanza = xmpp::parse_stanza(*element);
  if (!stanza) return stanza.error();
  if (!std::holds_alternative<xmpp::message>(*stanza))
    return error(xmpp::stanza_errc::not_a_stanza, "not a message");
  return std::get<xmpp::message>(*std::move(stanza));
}

std::string write_status(const translate::sip_status& s) {
  sip::response r;
  r.status = s.code;
  r.reason = s.reason.empty() ? std::string(sip::default_reason(s.code)) : s.reason;
  if (s.contact) r.headers.add(sip::header::contact, "<" + sip::write(*s.contact) + ">");
  if (s.allow) r.headers.add(sip::header::allow, "MESSAGE, OPTIONS");
  return from_wire(sip::write(r));
}

sections run_address(const golden_file& f) {
  const auto addresses = addresses_of(f);
  if (f.find("in")->form == "uri") {
    const auto uri = sip::parse_uri(f.text_of("in"));
    if (!uri) return fails_with(uri.error());
    const auto jid = addresses.to_jid(*uri);
    if (!jid) return fails_with(jid.error());
    const auto back = addresses.to_sip(*jid, true);
    return {{"out", "jid", jid->to_string()},
            {"back", "uri", back ? sip::write(*back) : back.error().to_string()}};
  }
  const auto jid = xmpp::jid::parse(f.text_of("in"));
  if (!jid) return fails_with(jid.error());
  const auto uri = f.config("scheme") == "im" ? addresses.to_im(*jid) : addresses.to_sip(*jid, true);
  if (!uri) return fails_with(uri.error());
  const auto back = addresses.to_jid(*sip::parse_uri(sip::write(*uri)));
  return {{"out", "uri", sip::write(*uri)},
          {"back", "jid", back ? back->to_string() : back.error().to_string()}};
}

sections run_error(const golden_file& f) {
  const auto addresses = addresses_of(f);
  if (f.find("in")->form == "xmpp") {
    const auto m = read_message(f.text_of("in"));
    if (!m) return fails_with(m.error());
    const translate::error_policy policy{f.config("sip.global_failure") == "true"};
    return {{"out", "sip",
             write_status(translate::to_sip(m->error.value(), !m->from.is_bare(), policy, addresses))}};
  }
  auto parsed = sip::parse_message(to_wire(f.text_of("in")), sip::framing::stream, {});
  if (!parsed) return fails_with(parsed.error().why);
  const auto& r = std::get<sip::response>(*parsed);
  std::optional<sip::uri> contact;
  if (const auto all = r.headers.elements(sip::header::contact); !all.empty())
    contact = sip::parse_contact(all[0])->address.uri;
  const auto pending = read_message(f.text_of("pending"));
  if (!pending) return fails_with(pending.error());
  const auto e = translate::to_xmpp(r.status, r.reason, contact, addresses);
  return {{"out", "xmpp", xmpp::write_error_reply(xmpp::stanza(*pending), e).value()}};
}

translate::pager::sip_context sip_context_of(const xmpp::message& m) {
  translate::pager::sip_context c;
  c.call_id = m.thread && !m.thread->empty() ? translate::pager::call_id_of(*m.thread) : "c-1";
  c.from_tag = "t-1";
  c.gr = m.to->resource;
  c.now = golden_now;
  return c;
}

sections pager_to_sip(const golden_file& f, const translate::address_map& addresses) {
  const auto m = read_message(f.text_of("in"));
  if (!m) return fails_with(m.error());
  EXPECT_EQ(canonical_xml(xmpp::write(*m)), canonical_xml(f.text_of("in"))) << "the codec changes the stanza";
  auto c = sip_context_of(*m);
  if (const auto id = f.config("context.call_id"); !id.empty()) c.call_id = id;
  c.sip_user = f.config("context.sip_user");
  c.assert_identity = f.config("context.assert_identity") == "true";
  const auto refuse = [&m](const xmpp::stanza_error& e) {
    return sections{{"out", "xmpp", xmpp::write_error_reply(xmpp::stanza(*m), e).value()}};
  };
  if (const auto name = f.config("context.name"); !name.empty()) {
    const auto mark = translate::next_hop_mark(translate::hop_mark_of(*m), name);
    if (!mark) return {{"out", "error", "loop"}};
    c.hop_mark = *mark;
  }
  c.message_id = f.config("context.message_id");
  if (const auto quoted = f.config("context.quoted"); !quoted.empty()) c.quoted = quoted;
  const auto out = translate::pager::to_sip(*m, xmpp::read_extras(*m), c, addresses);
  if (!out) return refuse(out.error());
  const auto wire = sip::write(out->value);
  sections got{{"out", "sip", from_wire(wire)}, {"dropped", "", losses_text(out->losses)}};

  // Home again: what we write must parse, and what is missing then must have been named.
  const auto parsed = sip::parse_message(wire, sip::framing::stream, {});
  if (!parsed) return fails_with(parsed.error().why);
  const auto& r = std::get<sip::request>(*parsed);
  const auto head = sip::check_mandatory(r);
  const auto no_via = make_error_code(sip::errc::missing_header);  // the endpoint adds the Via
  EXPECT_TRUE(!head && head.error().code == no_via);
  auto with_via = r;
  with_via.headers.prepend(sip::header::via, "SIP/2.0/TCP gw.test;branch=z9hG4bK-1");
  const auto whole = sip::check_mandatory(with_via);
  if (!whole) return fails_with(whole.error());
  const translate::pager::xmpp_context home{
      "x-1", xmpp::message_type::chat, {}, translate::hop_mark_of(r), golden_now, false};
  const auto back = translate::pager::to_xmpp(with_via, *whole, *sip::parse_uri(r.uri), whole->from.uri,
                                              whole->from.display, home, addresses);
  got.push_back(back ? section{"back", "xmpp", xmpp::write(back->value)}
                     : section{"back", "sip", write_status(back.error())});
  return got;
}

sections pager_to_xmpp(const golden_file& f, const translate::address_map& addresses) {
  const auto wire = to_wire(f.text_of("in"));
  const auto parsed = sip::parse_message(wire, sip::framing::stream, {});
  if (!parsed) return fails_with(parsed.error().why);
  const auto& r = std::get<sip::request>(*parsed);
  const auto again = sip::parse_message(sip::write(r), sip::framing::stream, {});
  EXPECT_TRUE(again && sip::write(std::get<sip::request>(*again)) == sip::write(r))
      << "the codec changes the request";
  const auto head = sip::check_mandatory(r);
  if (!head) return fails_with(head.error());
  const auto uri = sip::parse_uri(r.uri);
  if (!uri) return fails_with(uri.error());
  const auto who = translate::identity_of(r, *head, served_by(addresses));
  if (!who) return {{"out", "sip", write_status(who.error())}};

  translate::pager::xmpp_context c;
  c.id = "x-1";
  c.now = golden_now;
  c.resource = f.config("context.resource");
  c.xhtml = f.config("chat.xhtml") == "true";
  c.chat_states = f.config("context.chat_states") == "true";
  if (f.config("chat.message_type") == "normal") c.type = xmpp::message_type::normal;
  if (const auto name = f.config("context.name"); !name.empty()) {
    const auto mark = translate::next_hop_mark(translate::hop_mark_of(r), name);
    if (!mark) return {{"out", "error", "loop"}};
    c.hop_mark = *mark;
  }
  const auto out = translate::pager::to_xmpp(r, *head, *uri, who->aor, who->display, c, addresses);
  if (!out) return {{"out", "sip", write_status(out.error())}};
  const auto text = xmpp::write(out->value);
  sections got{{"out", "xmpp", text}, {"dropped", "", losses_text(out->losses)}};

  const auto m = read_message(text);
  if (!m) return fails_with(m.error());
  EXPECT_EQ(*m, out->value) << "what we write reads as something else";
  auto home = sip_context_of(*m);
  home.assert_identity = false;
  home.hop_mark = translate::hop_mark_of(*m);
  const auto back = translate::pager::to_sip(*m, xmpp::read_extras(*m), home, addresses);
  if (back) {
    got.push_back({"back", "sip", from_wire(sip::write(back->value))});
  } else {
    got.push_back({"back", "xmpp", xmpp::write_error_reply(xmpp::stanza(*m), back.error()).value()});
  }
  return got;
}

sections composing_to_sip(const golden_file& f, const translate::address_map& addresses) {
  const auto m = read_message(f.text_of("in"));
  if (!m) return fails_with(m.error());
  const auto x = xmpp::read_extras(*m);
  if (!x.state) return {{"out", "error", "no chat state"}};
  translate::composing::sip_context c;
  c.call_id = "c-1";
  c.from_tag = "t-1";
  c.gr = m->to->resource;
  c.refresh = 120;
  c.sip_user = f.config("context.sip_user");
  c.assert_identity = f.config("context.assert_identity") == "true";
  const auto out = translate::composing::to_sip(*m, *x.state, c, addresses);
  if (!out) return {{"out", "error", "no SIP form"}};
  const auto wire = sip::write(out->value);
  sections got{{"out", "sip", from_wire(wire)}, {"dropped", "", losses_text(out->losses)}};
  const auto parsed = sip::parse_message(wire, sip::framing::stream, {});
  if (!parsed) return fails_with(parsed.error().why);
  const auto& r = std::get<sip::request>(*parsed);
  const auto notice = translate::composing::read(*translate::content_type_of(r), r.body);
  EXPECT_TRUE(notice && *notice) << "what we write reads as no notice";
  if (!notice || !*notice) return got;
  const auto from = sip::parse_name_addr(*r.headers.find(sip::header::from));
  const auto home = translate::composing::to_xmpp(**notice, "x-1", *addresses.to_jid(from->uri),
                                                  *addresses.to_jid(*sip::parse_uri(r.uri)), {}, {});
  got.push_back({"back", "xmpp", xmpp::write(home.value)});
  return got;
}

sections composing_to_xmpp(const golden_file& f, const translate::address_map& addresses) {
  const auto parsed = sip::parse_message(to_wire(f.text_of("in")), sip::framing::stream, {});
  if (!parsed) return fails_with(parsed.error().why);
  const auto& r = std::get<sip::request>(*parsed);
  const auto head = sip::check_mandatory(r);
  if (!head) return fails_with(head.error());
  const auto notice = translate::composing::read(*translate::content_type_of(r), r.body);
  if (!notice) return {{"out", "error", "no typing notice"}};
  if (!*notice) return fails_with(notice->error());
  const auto from = addresses.to_jid(head->from.uri);
  const auto to = addresses.to_jid(*sip::parse_uri(r.uri));
  if (!from || !to) return {{"out", "error", "no XMPP form"}};
  const auto out = translate::composing::to_xmpp(**notice, "x-1", *from, *to, f.config("context.thread"), {});
  const auto text = xmpp::write(out.value);
  const auto m = read_message(text);
  if (!m) return fails_with(m.error());
  EXPECT_EQ(*m, out.value) << "what we write reads as something else";
  return {{"out", "xmpp", text}, {"dropped", "", losses_text(out.losses)}};
}

sections run_late(const golden_file& f) {
  const auto m = read_message(f.text_of("in"));
  if (!m) return fails_with(m.error());
  translate::failure_notice_context c;
  c.beginning = f.config("context.beginning");
  c.sip_user = f.config("context.sip_user");
  c.call_id = "c-1";
  c.from_tag = "t-1";
  c.assert_identity = f.config("context.assert_identity") == "true";
  const auto out = translate::failure_notice(*m, c, addresses_of(f));
  if (!out) return {{"out", "error", "nobody to tell"}};
  return {{"out", "sip", from_wire(sip::write(*out))}};
}

sections receipt_to_sip(const golden_file& f, const translate::address_map& addresses) {
  const auto m = read_message(f.text_of("in"));
  if (!m) return fails_with(m.error());
  const auto reports = translate::receipt::reports_of(*m);
  if (reports.empty() && !m->error) return {{"out", "error", "no report"}};
  translate::receipt::imdn_context c;
  c.to = f.config("context.to");
  c.message_id = f.config("context.message_id");
  c.date_time = f.config("context.date_time");
  c.route = f.config_list("context.route");
  c.original_to = f.config("context.original_to");
  c.own_id = "x-1";
  c.call_id = "c-1";
  c.from_tag = "t-1";
  c.now = "2020-01-01T00:00:00Z";
  c.assert_identity = f.config("context.assert_identity") == "true";
  if (m->error) {
    c.status = payload::imdn_status::failed;
  } else if (reports.front().displayed) {
    c.kind = payload::imdn_kind::display;
    c.status = payload::imdn_status::displayed;
  }
  const auto out = translate::receipt::to_sip(m->from, c, addresses);
  if (!out) return {{"out", "error", "no SIP form"}};
  return {{"out", "sip", from_wire(sip::write(*out))}};
}

sections receipt_to_xmpp(const golden_file& f, const translate::address_map& addresses) {
  const auto parsed = sip::parse_message(to_wire(f.text_of("in")), sip::framing::stream, {});
  if (!parsed) return fails_with(parsed.error().why);
  const auto& r = std::get<sip::request>(*parsed);
  const auto wrapped = payload::parse_cpim(r.body);
  if (!wrapped) return fails_with(wrapped.error());
  const auto inner = payload::parse_entity(wrapped->content);
  if (!inner) return fails_with(inner.error());
  sections got;
  for (const auto& d : payload::find_imdns(inner->type, inner->body)) {
    const auto from = sip::parse_name_addr(*r.headers.find(sip::header::from));
    const translate::receipt::reported m{*xmpp::jid::parse(f.config("context.from")),
                                         *addresses.to_jid(from->uri), d.message_id,
                                         xmpp::message_type::chat};
    const auto text =
        d.status == payload::imdn_status::failed
            ? translate::receipt::failure_of(m, addresses)
            : xmpp::write(translate::receipt::to_xmpp(m, d.status == payload::imdn_status::displayed, "x-1"));
    got.push_back({"out", "xmpp", text});
  }
  return got;
}

sections run_translator(const golden_file& f) {
  const auto topic = f.path.parent_path().filename();
  if (topic == "address") return run_address(f);
  if (topic == "error") return run_error(f);
  if (topic == "late") return run_late(f);
  const auto addresses = addresses_of(f);
  const bool to_sip = f.find("in")->form == "xmpp";
  if (topic == "composing") return to_sip ? composing_to_sip(f, addresses) : composing_to_xmpp(f, addresses);
  if (topic == "receipt") return to_sip ? receipt_to_sip(f, addresses) : receipt_to_xmpp(f, addresses);
  return to_sip ? pager_to_sip(f, addresses) : pager_to_xmpp(f, addresses);
}

/// Fails unless `losses` names something that starts with `what`; "more" stands for what is above the limit.
void expect_named(const std::string& losses, const std::string& what) {
  const auto all = "\n" + losses;
  const bool named =
      all.find("\nLOSS " + what) != std::string::npos || all.find("\nLOSS more: ") != std::string::npos;
  EXPECT_TRUE(named) << what << " is lost in silence";
}

void expect_texts_named(const std::string& losses, const std::string& what,
                        const std::vector<xmpp::lang_text>& in, const std::vector<xmpp::lang_text>& back) {
  for (const auto& t : in) {
    if (std::find(back.begin(), back.end(), t) != back.end()) continue;
    const auto same_text = [&t](const xmpp::lang_text& other) { return other.text == t.text; };
    const bool text_came = std::any_of(back.begin(), back.end(), same_text);
    expect_named(losses, text_came ? "message@xml:lang" : what);
  }
}

/// Rule: what differs between the stanza and what comes home stands in dropped.
void expect_loss_named(const std::string& in, const std::string& back, const std::string& dropped) {
  const auto a = read_message(in);
  const auto b = read_message(back);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->from, b->from);
  if (a->to != b->to) expect_named(dropped, "message@to");
  if (a->id != b->id && !a->id.empty()) expect_named(dropped, "message@id");
  if (a->type != b->type) expect_named(dropped, "message@type");
  if (a->thread && a->thread != b->thread) expect_named(dropped, "message/thread");
  if (a->thread_parent != b->thread_parent) expect_named(dropped, "message/thread@parent");
  expect_texts_named(dropped, "message/subject", a->subjects, b->subjects);
  expect_texts_named(dropped, "message/body", a->bodies, b->bodies);
  for (const auto& payload : a->payloads) {
    const bool hops = payload.name == "headers" && !translate::hop_mark_of(*a).empty();
    const auto same = std::find(b->payloads.begin(), b->payloads.end(), payload);
    if (same == b->payloads.end() && !hops) expect_named(dropped, "message/" + payload.name);
  }
}

/// The same bytes in any two pieces give the same element; a framer waits for all of a message.
void grind(const section& in) {
  if (in.form == "xmpp") {
    const auto whole = xml::parse(in.text, {}, "jabber:client");
    if (!whole) return;
    const std::string stream = "<s xmlns='jabber:client'>" + in.text;
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
      xml::reader reader;
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(0, cut))) << "at " << cut;
      ASSERT_TRUE(reader.feed(std::string_view(stream).substr(cut))) << "at " << cut;
      reader.poll();
      const auto event = reader.poll();
      ASSERT_TRUE(event && std::holds_alternative<xml::stanza>(*event)) << "at " << cut;
      ASSERT_EQ(std::get<xml::stanza>(*event).value, *whole) << "at " << cut;
    }
  } else if (in.form == "sip") {
    const auto wire = to_wire(in.text);
    const auto size = sip::frame_stream(wire, {});
    if (!size) return;
    for (std::size_t cut = 0; cut < *size; ++cut) {
      const auto early = sip::frame_stream(std::string_view(wire).substr(0, cut), {});
      ASSERT_TRUE(early && *early == 0) << "at " << cut;
    }
  }
}

class golden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(golden, translates) {
  auto file = golden_file::load(GetParam());
  ASSERT_EQ(file.defect, "");
  const auto got = run_translator(file);
  if (std::getenv("GOLDEN_REWRITE") != nullptr) {
    std::erase_if(file.sections, is_expectation);
    for (auto s : got) {
      if (s.form == "xmpp") s.text = canonical_xml(s.text);
      file.sections.push_back(std::move(s));
    }
    return file.save();
  }
  EXPECT_EQ(render(file.sections), render(got)) << file.sentence();
  grind(*file.find("in"));
  const auto* back = file.find("back");
  if (back != nullptr && back->form == "xmpp" && file.find("in")->form == "xmpp") {
    expect_loss_named(file.text_of("in"), back->text, file.text_of("dropped"));
  }
}

std::string name_of(const ::testing::TestParamInfo<std::filesystem::path>& info) {
  auto name = info.param.stem().string();
  for (auto& c : name) c = text::is_alnum(c) ? c : '_';
  return name;
}

std::filesystem::path folder(const char* topic) { return std::filesystem::path(GOLDEN_DIR) / topic; }

INSTANTIATE_TEST_SUITE_P(address, golden, ::testing::ValuesIn(golden_files(folder("address"))), name_of);
INSTANTIATE_TEST_SUITE_P(composing, golden, ::testing::ValuesIn(golden_files(folder("composing"))), name_of);
INSTANTIATE_TEST_SUITE_P(error, golden, ::testing::ValuesIn(golden_files(folder("error"))), name_of);
INSTANTIATE_TEST_SUITE_P(late, golden, ::testing::ValuesIn(golden_files(folder("late"))), name_of);
INSTANTIATE_TEST_SUITE_P(pager, golden, ::testing::ValuesIn(golden_files(folder("pager"))), name_of);
INSTANTIATE_TEST_SUITE_P(receipt, golden, ::testing::ValuesIn(golden_files(folder("receipt"))), name_of);

}  // namespace

}  // namespace stox::testing
