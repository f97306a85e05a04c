#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

#include "admin/admin.hpp"

namespace stox::admin {

std::string render_metrics(const std::vector<engine::sample>& samples) {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& s : samples) {
    const auto name = "stox_" + s.name;
    // The engine gives a name's series one after the other; a name that comes back later still joins its
    // family.
    auto family =
        std::find_if(families.rbegin(), families.rend(), [&name](const auto& f) { return f.name == name; });
    if (family == families.rend()) {
      families.push_back(
          {name, s.help, s.gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter, {}});
      family = families.rbegin();
    }
    prometheus::ClientMetric metric;
    for (const auto& [label, value] : s.labels) metric.label.push_back({label, value});
    metric.gauge.value = s.value;
    metric.counter.value = s.value;
    family->metric.push_back(std::move(metric));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace stox::admin
