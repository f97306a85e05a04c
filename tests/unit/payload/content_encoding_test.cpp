#include "payload/content_encoding.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace stox::payload {
namespace {

/// `window` as zlib has it: negative: bare, above 15: gzip.
std::string squeeze(const std::string& text, int window) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string why(const result<std::string>& r) { return r ? "read" : errc_name(errc(r.error().code.value())); }

const std::string text = "<imdn>a text that is longer than its squeezed form, a text that is longer</imdn>";

TEST(content_encoding, is_undone_in_every_form_that_is_written) {
  EXPECT_EQ(decode_content(squeeze(text, 15), "deflate").value(), text);
  EXPECT_EQ(decode_content(squeeze(text, -15), " Deflate ").value(), text) << "without zlib's head";
  EXPECT_EQ(decode_content(squeeze(text, 31), "gzip").value(), text);
  EXPECT_EQ(decode_content(squeeze(text, 31), "X-GZIP").value(), text);
  EXPECT_EQ(decode_content(text, "identity").value(), text);
  EXPECT_EQ(decode_content(squeeze("", 15), "deflate").value(), "");
  EXPECT_TRUE(is_known_coding("Deflate"));
  EXPECT_FALSE(is_known_coding("br"));
  EXPECT_FALSE(is_known_coding(""));
}

TEST(content_encoding, that_is_broken_is_malformed) {
  const auto whole = squeeze(text, 15);
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_EQ(why(decode_content(whole.substr(0, n), "deflate")), "malformed") << n;
  EXPECT_EQ(why(decode_content(whole + "x", "deflate")), "malformed");
  EXPECT_EQ(why(decode_content(text, "gzip")), "malformed");
  EXPECT_EQ(why(decode_content(whole, "gzip")), "malformed");
  EXPECT_EQ(why(decode_content(whole, "br")), "malformed");
  auto wrong_sum = whole;
  wrong_sum.back() ^= 1;
  EXPECT_EQ(why(decode_content(wrong_sum, "deflate")), "malformed");
}

TEST(content_encoding, never_grows_beyond_its_limits) {
  EXPECT_EQ(why(decode_content(squeeze(std::string(10'000'000, 'x'), 15), "deflate")), "too_large");
  EXPECT_EQ(why(decode_content(squeeze(std::string(65'537, 'x'), 31), "gzip")), "too_large");
  EXPECT_EQ(why(decode_content(squeeze(std::string(60'000, 'x'), 15), "deflate")), "too_large")
      << "within the bytes, but beyond the ratio";
  EXPECT_EQ(why(decode_content(squeeze(std::string(4096, 'x'), 15), "deflate")), "read");
  EXPECT_EQ(why(decode_content(std::string(65'537, 'x'), "identity")), "too_large");
  std::string varied;
  for (int i = 0; varied.size() < 60'000; ++i) varied += std::to_string(i * 7919);
  EXPECT_EQ(decode_content(squeeze(varied, 15), "deflate").value(), varied);
}

}  // namespace
}  // namespace stox::payload
