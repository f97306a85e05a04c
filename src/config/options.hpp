#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/settings.hpp"

namespace stox::config {

enum class value_type : std::uint8_t {
  text,
  secret,  ///< text that is never shown; only in tables, hence never a flag
  boolean,
  integer,
  duration,      ///< "150ms", "2s", or milliseconds
  size,          ///< "512MiB", or bytes
  list,          ///< of texts; comma-separated on the command line and in the environment
  text_or_list,  ///< one text or a list of texts
};
std::string_view to_string(value_type t);
inline bool is_list(value_type t) { return t == value_type::list || t == value_type::text_or_list; }

/// Whether a running daemon takes a new value over (SIGHUP).
enum class change : std::uint8_t { live, restart };

/// One value of the right type and within the option's bounds.
struct value {
  std::string text;         ///< text, secret, one item of a list
  std::int64_t number = 0;  ///< integer, milliseconds, bytes
  bool flag = false;
};

/// One key. Everything that knows about keys reads it here: the parser, flags, environment, checks,
/// reference, sample.
struct option {
  std::string_view key;  ///< "sip.accept_wait"; in a table of an array "xmpp.component.domain"
  value_type type;
  config::change change;
  std::string_view
      fallback;  ///< the default's text, as a flag would have it, of a list with commas; empty: none
  std::string_view sample;  ///< TOML value in the sample file; empty: the default, commented out
  std::int64_t min, max;    ///< of integer, duration (ms), size (bytes)
  std::string_view bounds;  ///< in words; integer, duration and size without: "MIN to MAX"
  std::string_view help;    ///< one sentence
  /// Puts the value (of a list: one item) into the settings, of a table's key into the last element. "" or
  /// "what; hint".
  std::string (*apply)(settings::all&, const value&);
  /// The value's text as `apply` takes it, one per item; nullptr for keys of tables.
  std::vector<std::string> (*show)(const settings::all&);
  void (*clear)(settings::all&);  ///< of lists: before the first item; else nullptr
};

std::span<const option> options();
const option* find_option(std::string_view key);

/// One table of an array, as a reload compares it.
struct table_row {
  std::string name;  ///< what tells it from the others: its domain, its realm
  std::vector<std::pair<std::string_view, std::string>> fields;
  redacted secret;
};

/// An array of tables: [[gateway.domain]], [[tls.certificate]], [[xmpp.component]], [[xmpp.s2s.peer]].
struct table_array {
  std::string_view key;
  config::change change;
  std::string_view help;
  bool in_sample;               ///< whether the sample file shows it in effect, not as a comment
  void (*add)(settings::all&);  ///< appends an empty element, which the keys of the table then fill
  bool (*same)(const settings::all&, const settings::all&);
  void (*copy)(settings::all& to, const settings::all& from);
  std::vector<table_row> (*rows)(const settings::all&);  ///< for the diff of a reload
};
std::span<const table_array> table_arrays();
const table_array* find_table_array(std::string_view key);
/// The array whose tables have this key, or nullptr: "xmpp.component.domain" is of "xmpp.component".
const table_array* array_of(std::string_view option_key);

/// What it means that this section stands in the file; empty: nothing beyond its keys, as with most.
std::string_view optional_section_help(std::string_view section);

std::string flag_name(std::string_view key);         ///< "--sip.accept-wait"
std::string environment_name(std::string_view key);  ///< "STOX_SIP_ACCEPT_WAIT"
std::string_view section_of(std::string_view key);   ///< "sip"; "xmpp.component"
std::string_view leaf_of(std::string_view key);      ///< "accept_wait"
std::string bounds_text(const option& o);            ///< "0ms to 250ms"; empty: no bounds

/// Text (of a flag, a variable or a default) as a value of the option's type and within its bounds; else
/// "what; hint".
std::string read_text(const option& o, std::string_view text, value& out);
/// Checks the number's bounds. "" or "what; hint".
std::string check_bounds(const option& o, std::int64_t number);

/// Sets the option from texts as `show` gives them. "" or the first "what; hint".
std::string assign(const option& o, settings::all& to, const std::vector<std::string>& texts);

}  // namespace stox::config
