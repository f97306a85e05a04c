#include "gateway/report.hpp"

namespace stox::gateway {

void note(context& c, log_level level, std::string_view event, about a,
          std::vector<std::pair<std::string_view, std::string>> more) {
  log_record r{level, event, std::move(a.conversation), {}};
  r.fields.reserve(4 + more.size());
  const auto add = [&r](std::string_view key, std::string& value) {
    if (!value.empty()) r.fields.emplace_back(key, std::move(value));
  };
  add("call_id", a.call_id);
  add("stanza_id", a.stanza_id);
  add("from", a.from);
  add("to", a.to);
  for (auto& field : more) r.fields.push_back(std::move(field));
  c.log(std::move(r));
}

void note_loop(context& c, rate_limit& rates, about a, std::string_view cause) {
  if (!c.logs(log_level::warning) || !tells_loop(rates, a.from, a.to, c.now().steady)) return;
  note(c, log_level::warning, "loop.broken", std::move(a), {{"cause", std::string(cause)}});
}

void raise(context& c, std::string_view kind, about a, std::string_view domain, std::string_view cause) {
  c.raise({kind, std::string(domain), std::move(a.conversation), std::move(a.call_id), std::move(a.stanza_id),
           std::move(a.from), std::move(a.to), std::string(cause)});
}

void sender_unreachable(context& c, about a, std::string_view domain, std::string_view cause) {
  static constexpr std::string_view event = "message.to_sip.sender_unreachable";
  c.counts().count(aside::sender_unreachable);
  if (c.logs(log_level::error)) note(c, log_level::error, event, a, {{"cause", std::string(cause)}});
  raise(c, event, std::move(a), domain, cause);
}

}  // namespace stox::gateway
