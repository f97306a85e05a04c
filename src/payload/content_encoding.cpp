#include "payload/content_encoding.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/text.hpp"

namespace stox::payload {

namespace {

enum class coding : std::uint8_t { identity, deflate, gzip };

std::optional<coding> find_coding(std::string_view name) {
  name = text::trim(name);
  if (text::iequals(name, "identity")) return coding::identity;
  if (text::iequals(name, "deflate")) return coding::deflate;
  if (text::iequals(name, "gzip") || text::iequals(name, "x-gzip")) return coding::gzip;
  return std::nullopt;
}

/// zlib's window bits, which also say what stands around the compressed bytes.
constexpr int zlib_form = MAX_WBITS, bare_form = -MAX_WBITS, gzip_form = MAX_WBITS + 16;

/// RFC 1950 §2.2: the method, and a sum that a bare stream has once in 31 times and that then is no deflate
/// block of a form in use.
bool has_zlib_head(std::string_view body) {
  if (body.size() < 2) return false;
  const auto cmf = static_cast<unsigned char>(body[0]), flags = static_cast<unsigned char>(body[1]);
  return (cmf & 0x0F) == Z_DEFLATED && (cmf * 256U + flags) % 31 == 0;
}

result<std::string> inflate_all(std::string_view body, int form, std::size_t most) {
  z_stream z{};
  if (inflateInit2(&z, form) != Z_OK) return error(errc::malformed, "zlib");
  struct end {
    z_stream& z;
    ~end() { inflateEnd(&z); }
  } at_the_end{z};
  // zlib takes what it reads as not const, and does not write there.
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  z.avail_in = static_cast<uInt>(body.size());
  std::string out;
  std::array<char, 4096> piece;
  for (;;) {
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(piece.size());
    const int state = inflate(&z, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END) return error(errc::malformed, "Content-Encoding");
    out.append(piece.data(), piece.size() - z.avail_out);
    if (out.size() > most) return error(errc::too_large, "a body that grows beyond the limit");
    if (state == Z_STREAM_END) break;
  }
  if (z.avail_in != 0) return error(errc::malformed, "bytes behind the end of the Content-Encoding");
  return out;
}

}  // namespace

bool is_known_coding(std::string_view name) { return find_coding(name).has_value(); }

result<std::string> decode_content(std::string_view body, std::string_view name, const inflate_limits& l) {
  const auto how = find_coding(name);
  if (!how) return error(errc::malformed, "a Content-Encoding that is not known");
  if (body.size() > l.bytes) return error(errc::too_large, "a body above the limit");
  const auto most = std::min(l.bytes, std::max(l.always, l.ratio * body.size()));
  switch (*how) {
    case coding::identity: return std::string(body);
    case coding::deflate: return inflate_all(body, has_zlib_head(body) ? zlib_form : bare_form, most);
    case coding::gzip: return inflate_all(body, gzip_form, most);
  }
  return error(errc::malformed, "a Content-Encoding that is not known");
}

}  // namespace stox::payload
