#include <algorithm>

#include "doctor/report.hpp"

namespace stox::doctor {
namespace {

constexpr std::size_t widest = 44;

std::size_t width_of(const report& r) {
  std::size_t out = 0;
  for (const auto* w : {&r.xmpp, &r.sip})
    for (const auto& f : w->findings) out = std::max(out, std::min(f.what.size(), widest));
  return out;
}

std::string padded(std::string_view s, std::size_t width) {
  std::string out(s);
  if (out.size() < width) out.append(width - out.size(), ' ');
  return out;
}

void add_world(std::string& out, std::string_view title, const world& w, std::size_t width) {
  if (!w.looked_at) return;
  out.append(title).append("\n");
  for (const auto& f : w.findings)
    out += "  " + padded(to_string(f.how), 4) + "  " + padded(f.what, width) + "  " + f.told + "\n";
}

std::string verdict(const report& r) {
  std::string can, cannot;
  const auto add = [&](const world& w, std::string_view name) {
    if (!w.looked_at) return;
    auto& to = w.reached ? can : cannot;
    to.append(to.empty() ? "" : " and ").append(name);
  };
  add(r.xmpp, "XMPP");
  add(r.sip, "SIP");
  if (cannot.empty()) return "OK: " + r.domain + " can be reached by " + can + ".";
  const auto bad = "FAIL: something is missing for others to reach " + r.domain + " by " + cannot + ".";
  return can.empty() ? bad : bad + " " + can + " works.";
}

void add_records(std::string& out, std::string_view title, const report& r, bool needed) {
  bool begun = false;
  for (const auto& a : r.records) {
    if (a.needed != needed) continue;
    if (!begun) out.append("\n").append(title).append("\n");
    begun = true;
    out += "  " + a.record + "\n";
  }
}

}  // namespace

std::string to_text(const report& r) {
  std::string out;
  const auto width = width_of(r);
  add_world(out, "XMPP", r.xmpp, width);
  add_world(out, "SIP", r.sip, width);
  out += verdict(r) + "\n";
  add_records(out, "Add these records:", r, true);
  add_records(out, "These help, and are not needed:", r, false);
  return out;
}

}  // namespace stox::doctor
