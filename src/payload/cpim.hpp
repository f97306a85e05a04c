#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "payload/errc.hpp"

/// Message/CPIM, RFC 3862.
namespace stox::payload {

/// The namespace of IMDN's header fields, RFC 5438 §6.
inline constexpr std::string_view imdn_header_ns = "urn:ietf:params:imdn";

struct cpim {
  struct address {
    std::string name;  ///< without quotes and escapes; may be empty
    std::string uri;   ///< may be empty in what others write; as it stands
    friend bool operator==(const address&, const address&) = default;
  };
  struct subject {
    std::string lang, text;
    friend bool operator==(const subject&, const subject&) = default;
  };
  /// The name of a header field or feature; `ns` is empty for those of RFC 3862, and where nothing names it.
  struct header_name {
    std::string ns, name;
    friend bool operator==(const header_name&, const header_name&) = default;
  };
  /// A field of a namespace that an NS field names (§3.4).
  struct extension {
    std::string ns, name, value;
    friend bool operator==(const extension&, const extension&) = default;
  };

  std::vector<address> from, to, cc;  ///< one From, but what others write is taken as it is
  std::string date_time;              ///< RFC 3339, as it stands; empty: none
  std::vector<subject> subjects;
  std::vector<header_name> required;  ///< what the recipient must understand (§3.5)
  std::vector<extension> extensions;
  std::string content;  ///< the MIME entity: its fields, an empty line, its body

  const std::string* find(std::string_view ns, std::string_view name) const;
  friend bool operator==(const cpim&, const cpim&) = default;
};

/// Reads the header fields, and takes the rest as the content. Fields that are not known are passed over
/// (§2.2), as are those whose prefix no NS field before them names. Names are case-sensitive (§2.2), but for
/// those of IMDN, which software writes in either case. A content without an empty line between the two
/// blocks of fields is taken too: RFC 5438 prints such (its erratum 3013).
result<cpim> parse_cpim(std::string_view text, const limits& l = {});

/// Writes From, To, cc, DateTime, Subject, an NS for each namespace, its fields, Require; then the content.
/// What no header field can carry is left out: names and namespaces with controls or separators in them.
std::string write(const cpim& m);

}  // namespace stox::payload
