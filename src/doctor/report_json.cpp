#include <boost/json.hpp>

#include "doctor/report.hpp"

namespace stox::doctor {
namespace {

namespace json = boost::json;

json::object object_of(const world& w) {
  json::array checks;
  for (const auto& f : w.findings)
    checks.push_back(json::object{{"level", to_string(f.how)}, {"what", f.what}, {"told", f.told}});
  return {{"reached", w.reached}, {"checks", std::move(checks)}};
}

}  // namespace

std::string to_json(const report& r) {
  json::object out{{"domain", r.domain}, {"reached", r.is_reached()}};
  if (r.xmpp.looked_at) out["xmpp"] = object_of(r.xmpp);
  if (r.sip.looked_at) out["sip"] = object_of(r.sip);
  json::array records;
  for (const auto& a : r.records) records.push_back(json::object{{"record", a.record}, {"needed", a.needed}});
  out["records"] = std::move(records);
  return json::serialize(out) + "\n";
}

}  // namespace stox::doctor
