#include <algorithm>
#include <array>

#include "base/host_port.hpp"
#include "base/text.hpp"
#include "config/findings.hpp"
#include "config/options.hpp"
#include "config/values.hpp"

namespace stox::config {

namespace {

constexpr std::string_view hidden = "\"...\"";
constexpr std::size_t column = 100;

std::string toml_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& t : texts) out += (out.size() > 1 ? ", " : "") + quote(t);
  return out + "]";
}

/// The texts that `show` gives, as the value stands in a file.
std::string toml_value(value_type type, const std::vector<std::string>& texts) {
  switch (type) {
    case value_type::boolean:
    case value_type::integer: return texts.empty() ? "" : texts.front();
    case value_type::list: return toml_list(texts);
    case value_type::text_or_list: return texts.size() == 1 ? quote(texts.front()) : toml_list(texts);
    case value_type::secret: return std::string(hidden);
    case value_type::text:
    case value_type::duration:
    case value_type::size: return quote(texts.empty() ? "" : texts.front());
  }
  return {};
}

/// `text` as comment lines of at most `column` characters.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  for (const auto word : text::split(text, ' ')) {
    if (line.size() + 1 + word.size() > column) {
      out += line + "\n";
      line = "#";
    }
    line += " " + std::string(word);
  }
  return out + line + "\n";
}

std::string sentence(const option& o) {
  const auto bounds = bounds_text(o);
  return bounds.empty() ? std::string(o.help) : std::string(o.help) + " (" + bounds + ")";
}

std::string print_tables(const settings::all& s, std::string_view array) {
  std::string out;
  const auto line = [&out](std::string_view name, const std::string& value) {
    out += std::string(name) + " = " + value + "\n";
  };
  if (array == "gateway.domain") {
    for (const auto& d : s.gateway.domains) {
      out += "\n[[gateway.domain]]\n";
      line("sip", quote(d.sip));
      line("xmpp", quote(d.xmpp));
      if (d.outbound_proxy) {
        std::vector<std::string> uris;
        for (const auto& r : *d.outbound_proxy) uris.push_back(r.uri);
        line("outbound_proxy", toml_list(uris));
      }
      if (d.trusted_peers) {
        std::vector<std::string> peers;
        for (const auto& p : *d.trusted_peers) peers.push_back(p.to_string());
        line("trusted_peers", toml_list(peers));
      }
      if (d.trusted_domains) line("trusted_domains", toml_list(*d.trusted_domains));
      if (d.message_type)
        line("message_type", quote(*d.message_type == settings::message_type::chat ? "chat" : "normal"));
      if (d.max_message_bytes) line("max_message_bytes", std::to_string(*d.max_message_bytes));
      if (d.late_notices) line("late_notices", *d.late_notices ? "true" : "false");
      if (d.first_form)
        line("first_form", quote(*d.first_form == settings::first_form::plain ? "plain" : "cpim"));
      if (d.messages_per_sender) line("messages_per_sender", std::to_string(*d.messages_per_sender));
      if (d.queue_per_pair) line("queue_per_pair", std::to_string(*d.queue_per_pair));
      if (d.rate_per_domain) line("rate_per_domain", std::to_string(*d.rate_per_domain));
    }
  } else if (array == "sip.credential") {
    for (const auto& c : s.credentials) {
      out += "\n[[sip.credential]]\n";
      line("realm", quote(c.realm));
      line("user", quote(c.user));
      if (c.password_file.empty()) {
        line("password", std::string(hidden));
      } else {
        line("password_file", quote(c.password_file));
      }
      if (c.domains) line("domains", toml_list(*c.domains));
    }
  } else if (array == "tls.certificate") {
    for (const auto& c : s.tls.certificates) {
      out += "\n[[tls.certificate]]\n";
      line("domains", toml_list(c.domains));
      line("chain", quote(c.chain));
      line("key", quote(c.key));
    }
  } else if (array == "xmpp.s2s.peer") {
    for (const auto& p : s.s2s.peers) {
      out += "\n[[xmpp.s2s.peer]]\n";
      line("domain", quote(p.domain));
      if (p.tls) line("tls", quote(write_tls(*p.tls)));
      if (p.auth) line("auth", quote(write_auth(*p.auth)));
    }
  } else {
    for (const auto& c : s.components) {
      out += "\n[[xmpp.component]]\n";
      line("domain", quote(c.domain));
      line("server", quote(write_host_port(c.host, c.port)));
      if (c.secret_file.empty()) {
        line("secret", std::string(hidden));
      } else {
        line("secret_file", quote(c.secret_file));
      }
      if (!c.reaches.empty()) line("reaches", toml_list(c.reaches));
    }
  }
  return out;
}

// In a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string reference_section(std::string_view section) {
  const auto* array = find_table_array(section);
  std::string out =
      "\n## " + (array != nullptr ? "[[" + std::string(section) + "]]" : "[" + std::string(section) + "]") +
      "\n\n";
  if (array != nullptr) out += std::string(array->help) + " Any number of these tables.\n\n";
  if (const auto help = optional_section_help(section); !help.empty()) out += std::string(help) + "\n\n";
  out += "| Key | Type | Default | Bounds | Change | Meaning |\n|---|---|---|---|---|---|\n";
  for (const auto& o : options()) {
    if (section_of(o.key) != section) continue;
    const auto fallback = array != nullptr ? "-" : "`" + default_value(o) + "`";
    const auto bounds = bounds_text(o);
    out += "| `" + std::string(leaf_of(o.key)) + "` | " + std::string(to_string(o.type)) + " | " + fallback +
           " | " + (bounds.empty() ? "-" : cell(bounds)) + " | " +
           (o.change == change::live ? "live" : "restart") + " | " + cell(o.help) + " |\n";
  }
  return out;
}

}  // namespace

std::vector<std::string> default_texts(const option& o) {
  std::vector<std::string> out;
  if (o.fallback.empty()) return out;
  if (!is_list(o.type)) return {std::string(o.fallback)};
  for (const auto one : text::split(o.fallback, ',')) out.emplace_back(text::trim(one));
  return out;
}

std::string default_value(const option& o) {
  return toml_value(o.type == value_type::text_or_list ? value_type::list : o.type, default_texts(o));
}

std::vector<std::string_view> sections() {
  std::vector<std::string_view> out;
  for (const auto& o : options()) {
    if (std::find(out.begin(), out.end(), section_of(o.key)) == out.end()) out.push_back(section_of(o.key));
  }
  return out;
}

std::string print_config(const findings& f) {
  std::string out = "# The configuration in effect, and where each value comes from.\n";
  for (const auto section : sections()) {
    if (find_table_array(section) != nullptr) {
      out += print_tables(f.settings, section);
      continue;
    }
    // The table alone, without any key, would turn it on where this is read again.
    if (section == "xmpp.s2s" && !f.settings.s2s.enabled) {
      out += "\n# Without [xmpp.s2s]: federation is off.\n";
      continue;
    }
    out += "\n[" + std::string(section) + "]\n";
    for (const auto& o : options()) {
      if (section_of(o.key) != section) continue;
      const auto from = f.origins.find(o.key);
      out += std::string(leaf_of(o.key)) + " = " + toml_value(o.type, o.show(f.settings)) + "  # " +
             (from == f.origins.end() ? "default" : from->second.place) + "\n";
    }
  }
  return out;
}

std::string print_sample() {
  std::string out =
      "# Sample configuration of stoxd. Keys behind \"#\" show their default; docs/configuration.md says "
      "more about each.\n";
  for (const auto section : sections()) {
    const auto* array = find_table_array(section);
    const auto help = array != nullptr ? array->help : optional_section_help(section);
    const bool off = array != nullptr ? !array->in_sample : !help.empty();
    out += "\n";
    if (!help.empty()) out += comment(help);
    out += (off ? "# " : "") + std::string(array != nullptr ? "[[" : "[") + std::string(section) +
           (array != nullptr ? "]]" : "]") + "\n";
    for (const auto& o : options()) {
      if (section_of(o.key) != section) continue;
      out += comment(sentence(o));
      const auto value = !o.sample.empty() ? std::string(o.sample) : default_value(o);
      out += (off || o.sample.empty() ? "# " : "") + std::string(leaf_of(o.key)) + " = " + value + "\n";
    }
  }
  return out;
}

std::string print_reference() {
  std::string out =
      "# Configuration\n\n"
      "This page is printed by `stoxd --print-reference`; a test keeps the two the same.\n\n"
      "`stoxd --config FILE` reads a TOML file. Every key that stands in no `[[table]]` is a flag and an "
      "environment variable as\n"
      "well: `sip.accept_wait` is `--sip.accept-wait=150ms` and `STOX_SIP_ACCEPT_WAIT=150ms`; lists are "
      "separated by commas there.\n"
      "A flag wins over a variable, a variable over the file, the file over the default. `STOX_CONFIG` names "
      "the file where\n"
      "`--config` does not. Secrets stand only in the file, or in a file that it names.\n\n"
      "- An unknown key is an error; `stoxd --check-config` prints every error and warning with its place.\n"
      "- `stoxd --print-config` prints the configuration in effect, and where each value comes from, without "
      "secrets.\n"
      "- `stoxd --print-sample` prints a file to begin with.\n"
      "- A duration is a text like `\"150ms\"`, `\"2s\"`, `\"5min\"`, `\"1h\"`, or a number of "
      "milliseconds.\n"
      "- A size is a text like `\"512MiB\"` or `\"64kB\"`, or a number of bytes.\n"
      "- Change: `live` keys are taken over on SIGHUP, all of them or none; `restart` keys count from the "
      "next start.\n";
  for (const auto section : sections()) out += reference_section(section);
  return out;
}

}  // namespace stox::config
