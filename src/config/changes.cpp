#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "config/config.hpp"
#include "config/options.hpp"

namespace stox::config {

namespace {

using texts = std::vector<std::string>;

std::string joined(const texts& list) {
  std::string out;
  for (const auto& text : list) out += (out.empty() ? "" : ", ") + text;
  return out;
}

texts without(const texts& list, const texts& others) {
  texts out;
  std::copy_if(list.begin(), list.end(), std::back_inserter(out), [&](const std::string& text) {
    return std::find(others.begin(), others.end(), text) == others.end();
  });
  return out;
}

changed_key change_of(const option& o, const texts& before, const texts& after) {
  changed_key out{std::string(o.key), {}, {}, {}, {}};
  if (is_list(o.type)) {
    out.added = without(after, before);
    out.removed = without(before, after);
    if (!out.added.empty() || !out.removed.empty()) return out;
  }
  // One value, or a list in another order.
  out.before = joined(before);
  out.after = joined(after);
  return out;
}

/// What differs between two tables of one name.
void compare_rows(std::vector<changed_key>& out, std::string_view array, const table_row& before,
                  const table_row& after) {
  const auto note = [&](std::string_view leaf, std::string was, std::string is) {
    const auto key = std::string(array) + "[" + before.name + "]." + std::string(leaf);
    out.push_back({key, std::move(was), std::move(is), {}, {}});
  };
  for (std::size_t i = 0; i < before.fields.size(); ++i) {
    if (before.fields[i].second != after.fields[i].second)
      note(before.fields[i].first, before.fields[i].second, after.fields[i].second);
  }
  if (before.secret != after.secret) note("secret", "...", "...");
}

std::vector<changed_key> compare_tables(const table_array& t, const settings::all& before,
                                        const settings::all& after) {
  if (t.same(before, after)) return {};
  const auto named = [&t](const settings::all& s) {
    std::map<std::string, table_row> out;
    for (auto& row : t.rows(s)) out.emplace(row.name, row);
    return out;
  };
  const auto old_rows = named(before), new_rows = named(after);
  std::vector<changed_key> out;
  changed_key tables{std::string(t.key), {}, {}, {}, {}};
  for (const auto& [name, row] : old_rows) {
    const auto now = new_rows.find(name);
    if (now == new_rows.end()) {
      tables.removed.push_back(name);
    } else {
      compare_rows(out, t.key, row, now->second);
    }
  }
  for (const auto& [name, row] : new_rows) {
    if (!old_rows.contains(name)) tables.added.push_back(name);
  }
  if (!tables.added.empty() || !tables.removed.empty()) out.insert(out.begin(), std::move(tables));
  return out;
}

}  // namespace

difference compare(const settings::all& before, const settings::all& after) {
  difference out;
  for (const auto& o : options()) {
    if (o.show == nullptr) continue;
    const auto was = o.show(before), is = o.show(after);
    if (was != is) (o.change == change::live ? out.live : out.restart).push_back(change_of(o, was, is));
  }
  if (before.s2s.enabled != after.s2s.enabled) {
    const auto word = [](bool on) { return std::string(on ? "on" : "off"); };
    out.live.push_back({"xmpp.s2s", word(before.s2s.enabled), word(after.s2s.enabled), {}, {}});
  }
  for (const auto& t : table_arrays()) {
    auto& list = t.change == change::live ? out.live : out.restart;
    for (auto& found : compare_tables(t, before, after)) list.push_back(std::move(found));
  }
  return out;
}

}  // namespace stox::config
