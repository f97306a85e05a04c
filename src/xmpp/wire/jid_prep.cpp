#include "xmpp/wire/jid_prep.hpp"

#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/unorm2.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/net_address.hpp"
#include "base/text.hpp"

namespace stox::xmpp::prep {

namespace {

/// Preparation can shrink a part (three octets of a full-width letter become one), hardly by more; longer
/// input is refused before ICU spends time on it.
constexpr std::size_t max_raw = 3 * max_part;
constexpr std::size_t max_label = 63;    // RFC 1034 §3.1
constexpr std::size_t max_domain = 253;  // the same in text form, without the trailing dot

bool is_ascii(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// ICU's handles are opened once and only read afterwards, which ICU allows from any thread.
const UStringPrepProfile* profile(UStringPrepProfileType type) {
  const auto open = [](UStringPrepProfileType t) {
    UErrorCode status = U_ZERO_ERROR;
    const auto* p = usprep_openByType(t, &status);
    return U_SUCCESS(status) ? p : nullptr;
  };
  static const auto* const node = open(USPREP_RFC3920_NODEPREP);
  static const auto* const resource = open(USPREP_RFC3920_RESOURCEPREP);
  return type == USPREP_RFC3920_NODEPREP ? node : resource;
}

const UIDNA* idna() {
  static const auto* const instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    const auto* u = uidna_openUTS46(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                        UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
                                    &status);
    return U_SUCCESS(status) ? u : nullptr;
  }();
  return instance;
}

/// Characters that show nothing or turn the direction. Stringprep knows those of Unicode 3.2; RFC 8264 §9.13
/// forbids the later ones too (the isolates U+2066 to U+2069 among them).
bool has_invisible(const UChar* text, std::int32_t size) {
  for (std::int32_t i = 0; i < size;) {
    UChar32 c = 0;
    U16_NEXT(text, i, size, c);
    if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0) return true;
  }
  return false;
}

/// Unassigned code points are allowed: the tables are those of Unicode 3.2,
/// and people's resources hold emoji; the servers that route for us allow them too.
result<std::string> stringprep(UStringPrepProfileType type, std::string_view text, jid_errc forbidden) {
  if (!text::is_utf8(text)) return error{forbidden, "not UTF-8"};
  const auto* p = profile(type);
  if (p == nullptr) return error{forbidden, "no stringprep data"};
  std::array<UChar, max_raw> wide;
  std::int32_t wide_size = 0;
  UErrorCode status = U_ZERO_ERROR;
  u_strFromUTF8(wide.data(), wide.size(), &wide_size, text.data(), static_cast<std::int32_t>(text.size()),
                &status);
  if (U_FAILURE(status)) return error{forbidden, "not UTF-8"};
  std::array<UChar, max_part + 1> out;  // a UTF-16 unit is at least one octet of UTF-8
  const auto out_size = usprep_prepare(p, wide.data(), wide_size, out.data(), out.size(),
                                       USPREP_ALLOW_UNASSIGNED, nullptr, &status);
  if (status == U_BUFFER_OVERFLOW_ERROR) return error{jid_errc::too_long};
  if (U_FAILURE(status) || has_invisible(out.data(), out_size)) return error{forbidden};
  std::array<char, 3 * (max_part + 1)> narrow;
  std::int32_t narrow_size = 0;
  status = U_ZERO_ERROR;
  u_strToUTF8(narrow.data(), narrow.size(), &narrow_size, out.data(), out_size, &status);
  if (U_FAILURE(status)) return error{forbidden};
  if (static_cast<std::size_t>(narrow_size) > max_part) return error{jid_errc::too_long};
  return std::string(narrow.data(), static_cast<std::size_t>(narrow_size));
}

using uidna_function = std::int32_t (*)(const UIDNA*, const char*, std::int32_t, char*, std::int32_t,
                                        UIDNAInfo*, UErrorCode*);

result<std::string> uts46(uidna_function convert, std::string_view text) {
  const auto* u = idna();
  if (u == nullptr) return error{jid_errc::bad_domain, "no IDNA data"};
  std::array<char, 4 * max_part> out;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode status = U_ZERO_ERROR;
  const auto size =
      convert(u, text.data(), static_cast<std::int32_t>(text.size()), out.data(), out.size(), &info, &status);
  if (status == U_BUFFER_OVERFLOW_ERROR) return error{jid_errc::too_long};
  if (U_FAILURE(status)) return error{jid_errc::bad_domain};
  // "--" in third and fourth place is reserved, but such names exist in the DNS ("r3---sn.example") and cross
  // unharmed.
  const auto errors = info.errors & ~static_cast<std::uint32_t>(UIDNA_ERROR_HYPHEN_3_4);
  if ((errors & (UIDNA_ERROR_LABEL_TOO_LONG | UIDNA_ERROR_DOMAIN_NAME_TOO_LONG)) != 0)
    return error{jid_errc::too_long};
  if (errors != 0) return error{jid_errc::bad_domain};
  return std::string(out.data(), static_cast<std::size_t>(size));
}

struct domain_forms {
  std::string unicode, ascii;
};

result<domain_forms> idn(std::string_view text) {
  if (!text::is_utf8(text)) return error{jid_errc::bad_domain, "not UTF-8"};
  auto unicode = uts46(uidna_nameToUnicodeUTF8, text);
  if (!unicode) return unicode.error();
  if (unicode->empty() || unicode->back() == '.') return error{jid_errc::bad_domain};
  // RFC 1034's lengths count in A-labels, so the way to ASCII is part of the check; and back, for a fixed
  // point.
  auto ascii = uts46(uidna_nameToASCII_UTF8, *unicode);
  if (!ascii) return ascii.error();
  if (ascii->size() > max_domain) return error{jid_errc::too_long};
  const auto again = uts46(uidna_nameToUnicodeUTF8, *ascii);
  if (!again || *again != *unicode) return error{jid_errc::bad_domain, "does not normalise to a stable form"};
  return domain_forms{std::move(*unicode), std::move(*ascii)};
}

result<domain_forms> domain(std::string_view text) {
  // RFC 7622 §3.2: a final dot goes before anything else is done.
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty()) return error{jid_errc::empty_part, "no domain"};
  if (text.size() > max_part) return error{jid_errc::too_long};
  if (text.front() == '[') {
    const auto ip = ip_address::parse(text);
    if (!ip) return error{jid_errc::bad_domain, "no IPv6 literal"};
    return domain_forms{ip->to_uri_host(), ip->to_uri_host()};
  }
  return idn(text);
}

/// RFC 7622 §3.3.1, and the blanks and controls that the profile excludes.
bool excluded_in_local(char c) {
  switch (c) {
    case '"':
    case '&':
    case '\'':
    case '/':
    case ':':
    case '<':
    case '>':
    case '@':
    case 0x7F: return true;
    default: return c <= ' ';
  }
}

}  // namespace

result<std::string> localpart(std::string_view text) {
  if (!is_ascii(text)) {
    if (text.size() > max_raw) return error{jid_errc::too_long};
    return stringprep(USPREP_RFC3920_NODEPREP, text, jid_errc::bad_local);
  }
  if (text.size() > max_part) return error{jid_errc::too_long};
  std::string out(text);
  for (char& c : out) {
    if (excluded_in_local(c)) return error{jid_errc::bad_local};
    c = text::lower(c);
  }
  return out;
}

bool differs_only_in_case(std::string_view text, std::string_view prepared) {
  if (text == prepared) return true;
  std::array<UChar, max_raw> wide;
  std::array<UChar, 2 * max_raw> folded;
  std::array<UChar, 2 * max_raw> composed;
  std::array<char, 6 * max_raw> narrow;
  std::int32_t size = 0;
  UErrorCode status = U_ZERO_ERROR;
  const auto* nfc = unorm2_getNFCInstance(&status);
  const auto* nfkc = unorm2_getNFKCInstance(&status);
  u_strFromUTF8(wide.data(), wide.size(), &size, text.data(), static_cast<std::int32_t>(text.size()),
                &status);
  if (U_FAILURE(status)) return false;
  // Folding would take ligatures and a long s apart as well, which is more than case.
  const auto compatible = unorm2_normalize(nfkc, wide.data(), size, folded.data(), folded.size(), &status);
  const auto canonical = unorm2_normalize(nfc, wide.data(), size, composed.data(), composed.size(), &status);
  if (U_FAILURE(status) || !std::equal(folded.begin(), folded.begin() + compatible, composed.begin(),
                                       composed.begin() + canonical))
    return false;
  size = u_strFoldCase(folded.data(), folded.size(), wide.data(), size, U_FOLD_CASE_DEFAULT, &status);
  if (U_FAILURE(status)) return false;
  size = unorm2_normalize(nfc, folded.data(), size, composed.data(), composed.size(), &status);
  if (U_FAILURE(status)) return false;
  u_strToUTF8(narrow.data(), narrow.size(), &size, composed.data(), size, &status);
  return U_SUCCESS(status) && std::string_view(narrow.data(), static_cast<std::size_t>(size)) == prepared;
}

result<std::string> resourcepart(std::string_view text) {
  if (!is_ascii(text)) {
    if (text.size() > max_raw) return error{jid_errc::too_long};
    return stringprep(USPREP_RFC3920_RESOURCEPREP, text, jid_errc::bad_resource);
  }
  if (text.size() > max_part) return error{jid_errc::too_long};
  if (std::any_of(text.begin(), text.end(), [](char c) { return c < ' ' || c == 0x7F; })) {
    return error{jid_errc::bad_resource};
  }
  return std::string(text);
}

result<std::string> domainpart(std::string_view text) {
  if (is_plain_domain(text)) return std::string(text);
  auto forms = domain(text);
  if (!forms) return forms.error();
  return std::move(forms->unicode);
}

result<std::string> ascii_domain(std::string_view text) {
  if (is_plain_domain(text)) return std::string(text);
  auto forms = domain(text);
  if (!forms) return forms.error();
  return std::move(forms->ascii);
}

}  // namespace stox::xmpp::prep

namespace stox::xmpp {

bool is_plain_domain(std::string_view domain) {
  if (domain.size() > prep::max_domain) return false;
  bool letter = false;    // in this label
  std::size_t begin = 0;  // of this label
  for (std::size_t i = 0;; ++i) {
    if (i < domain.size() && domain[i] != '.') {
      const bool is_letter = domain[i] >= 'a' && domain[i] <= 'z';
      if (!is_letter && !text::is_digit(domain[i]) && domain[i] != '-') return false;
      letter = letter || is_letter;
      continue;
    }
    const auto label = domain.substr(begin, i - begin);
    if (label.empty() || label.size() > prep::max_label || label.front() == '-' || label.back() == '-' ||
        label.starts_with("xn--"))
      return false;
    if (i == domain.size()) return letter;
    begin = i + 1;
    letter = false;
  }
}

}  // namespace stox::xmpp
