#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/text.hpp"
#include "xmpp/wire/jid.hpp"
#include "xmpp/wire/jid_prep.hpp"

// XEP-0106.
namespace stox::xmpp {

namespace {

struct code {
  char plain;
  std::string_view digits;  ///< what follows the backslash; lower case, and case counts
};
constexpr std::array<code, 10> codes{{{' ', "20"},
                                      {'"', "22"},
                                      {'&', "26"},
                                      {'\'', "27"},
                                      {'/', "2f"},
                                      {':', "3a"},
                                      {'<', "3c"},
                                      {'>', "3e"},
                                      {'@', "40"},
                                      {'\\', "5c"}}};

/// Place in `codes` by character; codes.size() for all others.
constexpr auto place_of = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    out[static_cast<unsigned char>(codes[i].plain)] = static_cast<std::uint8_t>(i);
  }
  return out;
}();

/// The code whose digits stand at `at`, or nullptr. `any_case` also finds "2F".
const code* code_at(std::string_view text, std::size_t at, bool any_case) {
  if (at + 2 > text.size()) return nullptr;
  const auto digits = text.substr(at, 2);
  const auto* found = std::find_if(codes.begin(), codes.end(), [&](const code& c) {
    return any_case ? text::iequals(c.digits, digits) : c.digits == digits;
  });
  return found == codes.end() ? nullptr : &*found;
}

std::size_t count_codes(std::string_view local) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (local[i] == '\\' && code_at(local, i + 1, false) != nullptr) ++n;
  }
  return n;
}

// XEP-0106 §4.1 rule 6.
bool has_blank_end(std::string_view escaped) {
  return escaped.starts_with("\\20") || escaped.ends_with("\\20");
}

std::string escaped(std::string_view text) {
  const auto is_plain = [](char c) { return place_of[static_cast<unsigned char>(c)] == codes.size(); };
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string out;
  out.reserve(text.size() + 8);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    // Nodeprep folds case after us: a "\2F" left alone would become "\2f" and be read as a slash, so it is
    // escaped as well.
    const std::size_t place = place_of[static_cast<unsigned char>(c)];
    if (place != codes.size() && (c != '\\' || code_at(text, i + 1, true) != nullptr)) {
      (out += '\\') += codes[place].digits;
    } else {
      out += c;
    }
  }
  return out;
}

/// Normalisation must neither make a code (a full-width backslash, a soft hyphen inside "\27") nor break one
/// (an accent that joins the last digit), else the localpart would name somebody else; and what is read from
/// it must lead back to it. Nor may it make two names one: "ａna" in full width is not "ana".
bool survives_preparation(std::string_view local) {
  const auto wide = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::none_of(local.begin(), local.end(), wide)) return true;
  const auto prepared = prep::localpart(local);
  if (!prepared) return true;  // jid::make refuses it with its reason
  return count_codes(*prepared) == count_codes(local) && !has_blank_end(*prepared) &&
         escaped(unescape_local(*prepared)) == *prepared && prep::differs_only_in_case(local, *prepared);
}

}  // namespace

std::optional<std::string> escape_local(std::string_view text) {
  auto out = escaped(text);
  if (has_blank_end(out) || !survives_preparation(out)) return std::nullopt;
  return out;
}

std::string unescape_local(std::string_view local) {
  if (local.find('\\') == std::string_view::npos) return std::string(local);
  std::string out;
  out.reserve(local.size());
  for (std::size_t i = 0; i < local.size(); ++i) {
    const auto* found = local[i] == '\\' ? code_at(local, i + 1, false) : nullptr;
    if (found == nullptr) {
      out += local[i];
    } else {
      out += found->plain;
      i += 2;
    }
  }
  return out;
}

}  // namespace stox::xmpp
