#include "sip/wire/event.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

namespace {

error bad(const char* why) { return {errc::bad_header, why}; }

/// The parameters that are left of the value, and nothing after them.
bool take_params_to_end(scanner& in, param_list& out) {
  if (!in.params(out)) return false;
  in.skip_blanks();
  return in.at_end();
}

/// A parameter that must be a number of seconds when it is there. False: malformed.
bool seconds_of(const param_list& params, std::string_view name, std::optional<std::uint32_t>& out) {
  const auto* p = find_param(params, name);
  if (p == nullptr) return true;
  const auto number = text::to_number(p->value.value_or(""), UINT32_MAX);
  if (!number) return false;
  out = static_cast<std::uint32_t>(*number);
  return true;
}

bool is_token(std::string_view s) { return chars::all(s, chars::token); }

/// callid *( SEMI generic-param ). A callid may hold whatever a word may, but no semicolon.
bool take_dialog(std::string_view value, std::string& call_id, param_list& params) {
  const auto text = text::trim(value);
  const auto semicolon = std::min(text.find(';'), text.size());
  const auto id = parse_call_id(text.substr(0, semicolon));
  if (!id) return false;
  call_id = *id;
  scanner in(text.substr(semicolon));
  return take_params_to_end(in, params);
}

/// The value of a tag parameter; "" when absent or malformed.
std::string tag_of(const param_list& params, std::string_view name) {
  const auto* p = find_param(params, name);
  return p != nullptr && p->value && is_token(*p->value) ? *p->value : std::string();
}

}  // namespace

std::optional<std::string> event_value::id() const {
  const auto* p = find_param(params, "id");
  return p != nullptr ? p->value : std::nullopt;
}

result<event_value> parse_event(std::string_view value) {
  scanner in(text::trim(value));
  event_value out;
  out.package = in.token();
  if (out.package.empty()) return bad("Event: no package");
  if (!take_params_to_end(in, out.params)) return bad("Event: malformed or repeated parameter");
  return out;
}

std::string write(const event_value& e) {
  auto out = e.package;
  write_params(out, e.params);
  return out;
}

namespace {
substate substate_of(std::string_view text) {
  if (text == "active") return substate::active;
  if (text == "pending") return substate::pending;
  if (text == "terminated") return substate::terminated;
  return substate::other;
}
}  // namespace

result<subscription_state> parse_subscription_state(std::string_view value) {
  scanner in(text::trim(value));
  subscription_state out;
  out.text = text::to_lower(in.token());
  if (out.text.empty()) return bad("Subscription-State: no state");
  out.state = substate_of(out.text);
  param_list params;
  if (!take_params_to_end(in, params)) return bad("Subscription-State: malformed or repeated parameter");
  if (!seconds_of(params, "expires", out.expires)) return bad("Subscription-State: malformed expires");
  if (!seconds_of(params, "retry-after", out.retry_after))
    return bad("Subscription-State: malformed retry-after");
  if (const auto* reason = find_param(params, "reason")) {
    if (!reason->value || !is_token(*reason->value)) return bad("Subscription-State: malformed reason");
    out.reason = text::to_lower(*reason->value);
  }
  return out;
}

std::string write(const subscription_state& s) {
  std::string out;
  switch (s.state) {
    case substate::active: out = "active"; break;
    case substate::pending: out = "pending"; break;
    case substate::terminated: out = "terminated"; break;
    case substate::other: out = s.text; break;
  }
  param_list params;
  if (s.expires) params.push_back({"expires", std::to_string(*s.expires)});
  if (s.reason) params.push_back({"reason", *s.reason});
  if (s.retry_after) params.push_back({"retry-after", std::to_string(*s.retry_after)});
  write_params(out, params);
  return out;
}

result<std::string> parse_entity_tag(std::string_view value) {
  const auto tag = text::trim(value);
  if (!is_token(tag)) return bad("entity tag: not a token");
  return std::string(tag);
}

result<name_addr> parse_refer_to(std::string_view value) { return parse_name_addr(value); }

result<bool> parse_refer_sub(std::string_view value) {
  scanner in(text::trim(value));
  const auto word = in.token();
  param_list params;
  if (!take_params_to_end(in, params)) return bad("Refer-Sub: malformed");
  if (text::iequals(word, "true")) return true;
  if (text::iequals(word, "false")) return false;
  return bad("Refer-Sub: neither true nor false");
}

std::string write_refer_sub(bool wanted) { return wanted ? "true" : "false"; }

std::optional<std::string> referred_by_value::content_id() const {
  auto cid = unquoted_param(address.params, "cid");
  if (cid && cid->size() >= 2 && cid->front() == '<' && cid->back() == '>')
    return cid->substr(1, cid->size() - 2);
  return cid;
}

result<referred_by_value> parse_referred_by(std::string_view value) {
  auto address = parse_name_addr(value);
  if (!address) return std::move(address).error();
  return referred_by_value{*std::move(address)};
}

std::string write(const referred_by_value& r) {
  std::string out;
  write_to(out, r.address);
  return out;
}

namespace {
result<dialog_reference> parse_dialog_reference(std::string_view value) {
  dialog_reference out;
  param_list params;
  if (!take_dialog(value, out.call_id, params)) return bad("malformed dialog reference");
  out.to_tag = tag_of(params, "to-tag");
  out.from_tag = tag_of(params, "from-tag");
  // RFC 3891 §6.1: exactly one of each; repeated parameters were refused above.
  if (out.to_tag.empty() || out.from_tag.empty()) return bad("a dialog reference without to-tag or from-tag");
  out.early_only = find_param(params, "early-only") != nullptr;
  return out;
}
}  // namespace

result<dialog_reference> parse_replaces(std::string_view value) { return parse_dialog_reference(value); }

result<dialog_reference> parse_join(std::string_view value) {
  auto out = parse_dialog_reference(value);
  if (out) out->early_only = false;  // RFC 3911 has no such flag
  return out;
}

std::string write(const dialog_reference& d) {
  auto out = d.call_id;
  param_list params{{"to-tag", d.to_tag}, {"from-tag", d.from_tag}};
  if (d.early_only) params.push_back({"early-only", std::nullopt});
  write_params(out, params);
  return out;
}

result<target_dialog_value> parse_target_dialog(std::string_view value) {
  target_dialog_value out;
  param_list params;
  if (!take_dialog(value, out.call_id, params)) return bad("Target-Dialog: malformed");
  out.local_tag = tag_of(params, "local-tag");
  out.remote_tag = tag_of(params, "remote-tag");
  if (out.local_tag.empty() || out.remote_tag.empty())
    return bad("Target-Dialog: no local-tag or remote-tag");
  return out;
}

std::string write(const target_dialog_value& t) {
  auto out = t.call_id;
  write_params(out, {{"remote-tag", t.remote_tag}, {"local-tag", t.local_tag}});
  return out;
}

result<std::string> parse_call_id(std::string_view value) {
  const auto text = text::trim(value);
  const auto at = text.find('@');
  const auto host = at == std::string_view::npos ? text : text.substr(at + 1);
  if (!chars::all(text.substr(0, at), chars::word) || !chars::all(host, chars::word))
    return bad("malformed Call-ID");
  return std::string(text);
}

}  // namespace stox::sip
