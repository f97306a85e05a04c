#include "config/file_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/options.hpp"

namespace stox::config {

namespace {

std::string joined(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

/// Walks the file's tree along the option table; errors keep their line, so that they come out in the file's
/// order.
class file_reader {
 public:
  explicit file_reader(findings& f) : found_(f) {}

  void read(const node& root) {
    walk(root, "");
    std::stable_sort(errors_.begin(), errors_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [line, text] : errors_) found_.errors.push_back(std::move(text));
  }

 private:
  std::string place(unsigned line) const { return found_.file + ":" + std::to_string(line); }

  void fail(unsigned line, std::string_view key, const std::string& why) {
    errors_.emplace_back(line, place(line) + ": " + std::string(key) + ": " + why);
  }

  void walk(const node& table, const std::string& prefix) {
    for (const auto& [name, given] : table.members) {
      const auto key = joined(prefix, name);
      if (find_table_array(key) != nullptr) {
        read_array(key, given);
      } else if (const auto* o = find_option(key); o != nullptr && o->show != nullptr) {
        read_option(*o, std::string(key), given);
      } else if (!is_section(key)) {
        unknown(key, given.line, "");
      } else if (given.is == node::kind::table) {
        found_.origins[key] = {place(given.line), true};
        walk(given, key);
      } else {
        fail(given.line, key, "is a section; write [" + key + "]");
      }
    }
  }

  static bool is_section(std::string_view key) {
    const auto prefix = std::string(key) + ".";
    const auto all = options();
    return std::any_of(all.begin(), all.end(), [&](const option& o) { return o.key.starts_with(prefix); });
  }

  void read_array(const std::string& key, const node& list) {
    const bool tables =
        list.is == node::kind::list && std::all_of(list.items.begin(), list.items.end(),
                                                   [](const node& n) { return n.is == node::kind::table; });
    if (!tables) {
      fail(list.line, key, "is a list of tables; write [[" + key + "]]");
      found_.failed.insert(table_key(key, 0));
      return;
    }
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const auto& table = list.items[i];
      find_table_array(key)->add(found_.settings);
      found_.origins[table_key(key, i)] = {place(table.line), true};
      for (const auto& [name, given] : table.members) {
        const auto full = joined(key, name);
        const auto* o = find_option(full);
        if (o == nullptr) {
          unknown(full, given.line, key);
        } else {
          read_option(*o, table_key(key, i, name), given);
        }
      }
    }
  }

  /// `name`: the option's key, with its table's number.
  void read_option(const option& o, const std::string& name, const node& given) {
    found_.origins[name] = {place(given.line), true};
    const bool several = given.is == node::kind::list && is_list(o.type);
    if (o.type == value_type::list && !several) return refuse(o, name, given);
    if (o.clear != nullptr) o.clear(found_.settings);
    if (!several) return read_value(o, name, given);
    for (const auto& item : given.items) read_value(o, name, item);
  }

  void read_value(const option& o, const std::string& name, const node& given) {
    value v;
    std::string why;
    switch (o.type) {
      case value_type::text:
      case value_type::secret:
      case value_type::list:
      case value_type::text_or_list:
        if (given.is != node::kind::text) return refuse(o, name, given);
        v.text = given.text;
        break;
      case value_type::boolean:
        if (given.is != node::kind::boolean) return refuse(o, name, given);
        v.flag = given.number != 0;
        break;
      case value_type::integer:
        if (given.is != node::kind::integer) return refuse(o, name, given);
        v.number = given.number;
        why = check_bounds(o, v.number);
        break;
      case value_type::duration:
      case value_type::size:
        if (given.is == node::kind::text) {
          why = read_text(o, given.text, v);
        } else if (given.is == node::kind::integer) {
          v.number = given.number;
          why = check_bounds(o, v.number);
        } else {
          return refuse(o, name, given);
        }
        break;
    }
    if (why.empty()) why = o.apply(found_.settings, v);
    if (why.empty()) return;
    fail(given.line, o.key, why);
    found_.failed.insert(name);
  }

  void refuse(const option& o, const std::string& name, const node& given) {
    std::string_view wanted = "a string";
    switch (o.type) {
      case value_type::text:
      case value_type::secret: break;
      case value_type::boolean: wanted = "true or false"; break;
      case value_type::integer: wanted = "an integer"; break;
      case value_type::duration: wanted = "a duration like \"150ms\" or \"2s\""; break;
      case value_type::size: wanted = "a size like \"512MiB\""; break;
      case value_type::list: wanted = "a list of strings"; break;
      case value_type::text_or_list: wanted = "a string or a list of strings"; break;
    }
    fail(given.line, o.key, "is " + std::string(describe(given)) + "; write " + std::string(wanted));
    found_.failed.insert(name);
  }

  /// `within`: the array of tables in which the key stands, or "".
  void unknown(const std::string& key, unsigned line, std::string_view within) {
    std::vector<std::string_view> known;
    for (const auto& o : options()) {
      if (within.empty() != (o.show == nullptr) && (within.empty() || section_of(o.key) == within))
        known.push_back(o.key);
    }
    if (within.empty()) {
      for (const auto& t : table_arrays()) known.push_back(t.key);
      for (const auto& o : options()) known.push_back(o.key.substr(0, o.key.find('.')));
      for (const auto section : sections()) known.push_back(section);
    }
    // The right name in the wrong section is nearer than any misspelling.
    const auto same_leaf = std::find_if(known.begin(), known.end(), [&](std::string_view k) {
      return k.find('.') != std::string_view::npos && leaf_of(k) == leaf_of(key);
    });
    const auto best = same_leaf != known.end() ? std::optional(*same_leaf) : text::nearest(key, known);
    fail(line, key,
         best ? "unknown key; did you mean " + std::string(*best) + "?"
              : "unknown key; --print-reference lists all keys");
  }

  findings& found_;
  std::vector<std::pair<unsigned, std::string>> errors_;
};

}  // namespace

void read_file_tree(const node& root, findings& f) { file_reader(f).read(root); }

}  // namespace stox::config
