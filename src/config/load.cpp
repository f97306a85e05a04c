#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/certificates.hpp"
#include "config/command_line.hpp"
#include "config/config.hpp"
#include "config/file_reader.hpp"
#include "config/files.hpp"
#include "config/findings.hpp"
#include "config/options.hpp"
#include "config/toml_file.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

constexpr std::size_t max_config_bytes = 1 << 20;
constexpr std::size_t max_secret_bytes = 4096;

void set_defaults(findings& f) {
  for (const auto& o : options()) {
    if (o.show != nullptr && !o.fallback.empty()) assign(o, f.settings, default_texts(o));
  }
}

void read_toml(findings& f, std::string_view text) {
  auto parsed = parse_toml(text);
  if (const auto* bad = std::get_if<syntax_error>(&parsed)) {
    f.errors.push_back(f.file + ":" + std::to_string(bad->line) + ": " + bad->what);
    // Whatever is missing now may stand in the part that could not be read.
    for (const auto key : {"gateway.sip_domains", "sip.listen"}) f.failed.insert(key);
    return;
  }
  read_file_tree(std::get<node>(parsed), f);
}

/// A value from a flag or a variable, which replaces what the file said.
void override_with(findings& f, const option& o, std::string place, const std::vector<std::string>& texts) {
  const std::string key(o.key);
  f.origins[key] = {std::move(place), false};
  if (o.clear != nullptr) o.clear(f.settings);
  for (const auto& text : texts) {
    value v;
    auto why = read_text(o, text, v);
    if (why.empty()) why = o.apply(f.settings, v);
    if (!why.empty()) f.fail(key, why);
  }
}

void read_environment(findings& f, const environment& env) {
  for (const auto& o : options()) {
    if (o.show == nullptr) continue;
    const auto name = environment_name(o.key);
    const auto text = env(name);
    if (text) override_with(f, o, name, is_list(o.type) ? split_list(*text) : std::vector{*text});
  }
}

/// Reads a secret from the file that `key` names; the path becomes one that counts from anywhere.
void read_secret(findings& f, const std::string& key, std::string& path, redacted& secret,
                 std::vector<std::string>& warnings) {
  path = beside_file(path, f.file);
  auto file = read_file(path, max_secret_bytes);
  if (!file.why.empty()) {
    f.fail(key, "cannot read " + quote(path) + ": " + file.why + "; check its path and mode");
    return;
  }
  if (file.text.ends_with('\n')) file.text.pop_back();
  if (file.text.ends_with('\r')) file.text.pop_back();
  if (file.text.empty()) f.fail(key, quote(path) + " is empty; write the secret into it");
  if (file.others_can_read) {
    warnings.push_back(f.place_of(key) + ": " + quote(path) + " can be read by every user; chmod 640 it");
  }
  secret = redacted(std::move(file.text));
}

void read_secrets(findings& f, std::vector<std::string>& warnings) {
  for (std::size_t i = 0; i < f.settings.components.size(); ++i) {
    auto& link = f.settings.components[i];
    if (link.secret_file.empty() || f.origins.contains(table_key("xmpp.component", i, "secret"))) continue;
    read_secret(f, table_key("xmpp.component", i, "secret_file"), link.secret_file, link.secret, warnings);
  }
  for (std::size_t i = 0; i < f.settings.credentials.size(); ++i) {
    auto& c = f.settings.credentials[i];
    if (c.password_file.empty() || f.origins.contains(table_key("sip.credential", i, "password"))) continue;
    read_secret(f, table_key("sip.credential", i, "password_file"), c.password_file, c.password, warnings);
  }
}

bool holds_secret(const findings& f) {
  return std::any_of(f.origins.begin(), f.origins.end(), [](const auto& o) {
    return o.first.ends_with("].secret") || o.first.ends_with("].password");
  });
}

loaded printed(what asked, std::string text) {
  loaded out;
  out.what = asked;
  out.text = std::move(text);
  return out;
}

/// Reads the sources in the order in which the later wins, then checks the whole.
void read_sources(findings& f, const command_line& line, const environment& env,
                  std::vector<std::string>& warnings) {
  set_defaults(f);
  f.errors = line.errors;
  bool world_readable = false;
  if (!f.file.empty()) {
    const auto file = read_file(f.file, max_config_bytes);
    if (!file.why.empty()) {
      f.errors.push_back(f.file + ": cannot be read: " + file.why);
      return;
    }
    world_readable = file.others_can_read;
    read_toml(f, file.text);
  }
  read_environment(f, env);
  for (const auto& [o, texts] : line.values) override_with(f, *o, flag_name(o->key), texts);
  settle_federation(f);
  read_secrets(f, warnings);
  read_certificates(f, warnings);
  check(f);
  if (world_readable && holds_secret(f)) {
    warnings.push_back(f.file +
                       ": holds a secret and can be read by every user; chmod 640 it or use secret_file");
  }
  auto more = warnings_of(f);
  warnings.insert(warnings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// Puts the running values of the keys back that count only after a restart.
void keep_for_restart(settings::all& next, const settings::all& running) {
  for (const auto& o : options()) {
    if (o.change == change::restart && o.show != nullptr && o.show(next) != o.show(running))
      assign(o, next, o.show(running));
  }
  for (const auto& t : table_arrays()) {
    if (t.change == change::restart) t.copy(next, running);
  }
}

}  // namespace

outcome load(const std::vector<std::string>& args, const environment& env) {
  auto line = parse_command_line(args);
  if (line.errors.empty()) {
    if (line.what == what::help) return printed(line.what, std::move(line.help));
    if (line.what == what::version) return printed(line.what, "stoxd " STOX_VERSION "\n");
    if (line.what == what::print_sample) return printed(line.what, print_sample());
    if (line.what == what::print_reference) return printed(line.what, print_reference());
    if (line.what == what::print_man)
      return printed(line.what, line.man_page == "stoxd" ? print_man_stoxd() : print_man_stox_toml());
  }
  findings f;
  loaded out;
  f.file = !line.config_file.empty() ? line.config_file : env("STOX_CONFIG").value_or("");
  read_sources(f, line, env, out.warnings);
  if (!f.errors.empty()) {
    if (f.file.empty()) f.errors.emplace_back("no configuration file was given; use --config FILE");
    return std::move(f.errors);
  }
  out.what = line.what;
  out.file = f.file;
  out.record_path = line.record_path;
  out.record_bodies = line.record_bodies;
  out.record_limit = line.record_limit.value_or(out.record_limit);
  if (out.what == what::print_config) out.text = print_config(f);
  if (out.what == what::check) {
    for (auto& w : missing_folders(f)) out.warnings.push_back(std::move(w));
    out.text = (f.file.empty() ? "configuration" : f.file) + ": no errors\n";
  }
  out.settings = std::move(f.settings);
  return out;
}

outcome parse(std::string_view toml, const std::string& file_name) {
  findings f;
  loaded out;
  f.file = file_name;
  set_defaults(f);
  read_toml(f, toml);
  settle_federation(f);
  read_secrets(f, out.warnings);
  read_certificates(f, out.warnings);
  check(f);
  if (!f.errors.empty()) return std::move(f.errors);
  for (auto& w : warnings_of(f)) out.warnings.push_back(std::move(w));
  out.file = file_name;
  out.settings = std::move(f.settings);
  return out;
}

outcome reload(const settings::all& running, const std::vector<std::string>& args, const environment& env) {
  auto next = load(args, env);
  if (!next) return next;
  auto found = compare(running, next->settings);
  next->changed = std::move(found.live);
  next->waiting = std::move(found.restart);
  keep_for_restart(next->settings, running);
  // What is new may not fit what waits for the restart: a listener on every address without sip.advertise.
  findings mixed;
  mixed.settings = next->settings;
  mixed.file = next->file;
  for (std::size_t i = 0; i < mixed.settings.components.size(); ++i) {
    mixed.origins[table_key("xmpp.component", i, "secret")] = {"running", false};
  }
  for (std::size_t i = 0; i < mixed.settings.credentials.size(); ++i) {
    mixed.origins[table_key("sip.credential", i, "password")] = {"running", false};
  }
  check(mixed);
  if (mixed.errors.empty()) return next;
  for (auto& e : mixed.errors) e += " (the new file as a whole is good: restart instead of reloading)";
  return std::move(mixed.errors);
}

}  // namespace stox::config
