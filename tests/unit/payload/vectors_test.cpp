#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "payload/cpim.hpp"
#include "payload/imdn.hpp"
#include "payload/is_composing.hpp"
#include "payload/mime.hpp"

/// Documents of the RFCs and of software in use, where they are there.
namespace stox::payload {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t recorded = 27;  ///< how many documents there were when this was written

fs::path vectors() { return fs::path(STOX_SOURCE_DIR) / "../shared/vectors"; }

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  auto text = out.str();
  // Some examples print the field that SIP would carry.
  if (text.starts_with("Content-type: Message/CPIM")) text.erase(0, text.find("From:"));
  return text;
}

/// RFC 3862 §5.1 prints its example with a margin that says what each line is.
std::string without_margin(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("h: ") || line.starts_with("e: ")) out += line.substr(3) + "\n";
    if (line.starts_with("s:") && !out.empty()) out += "\r\n";
    if (line.starts_with("e:\r")) out += "\r\n";
  }
  return out;
}

/// Content that can be read to its end: text, or documents that are XML.
void expect_content(const fs::path& path, const cpim& m) {
  const auto e = parse_entity(m.content);
  ASSERT_TRUE(e) << path << ": " << e.error().to_string();
  if (e->type.is("message", "imdn+xml")) {
    EXPECT_EQ(find_imdns(e->type, e->body).size(), 1u) << path;
  } else if (path.parent_path().filename() == "rfc5438" && e->type.type == "multipart") {
    EXPECT_EQ(find_imdns(e->type, e->body).size(), 2u) << path;
  } else if (is_readable(e->type) && !e->body.empty()) {
    EXPECT_TRUE(read_text(e->type, e->body).has_value() || e->type.type == "multipart") << path;
  }
}

/// How many there were: RFC 3994 §5 prints two in a row, and beside them a schema and a web page.
std::size_t read_typing_notices(const fs::path& path, std::string_view text) {
  std::size_t ran = 0;
  for (auto at = text.find("<?xml"); at != std::string_view::npos;) {
    const auto next = text.find("<?xml", at + 1);
    const auto document = text.substr(at, next - at);
    at = next;
    if (document.find("<isComposing") == std::string_view::npos) continue;
    const auto c = parse_is_composing(document);
    EXPECT_TRUE(c) << path;
    if (!c) continue;
    EXPECT_EQ(c->active, document.find("active</") != std::string_view::npos) << path;
    EXPECT_EQ(*parse_is_composing(write(*c)), *c) << path;
    ++ran;
  }
  return ran;
}

}  // namespace

TEST(payload_vectors, are_all_read) {
  if (!fs::exists(vectors())) {
    std::cout << "vectors: 0 ran, " << recorded << " skipped\n";
    GTEST_SKIP() << "no vectors beside the source tree";
  }
  std::size_t ran = 0;
  for (const auto* folder : {"agprojects", "rfc3862", "rfc3994", "rfc5438"}) {
    for (const auto& file : fs::directory_iterator(vectors() / folder)) {
      const auto path = file.path();
      const auto name = path.filename().string();
      auto text = read_file(path);
      if (path.string().find("rfc3862") != std::string::npos) {
        if (name != "006.cpim" && name != "007.cpim") continue;  // fragments
        text = without_margin(text);
      }
      if (path.extension() == ".cpim") {
        const auto m = parse_cpim(text);
        ASSERT_TRUE(m) << path << ": " << m.error().to_string();
        EXPECT_FALSE(m->from.empty() && m->to.empty() && m->extensions.empty()) << path;
        EXPECT_EQ(*parse_cpim(write(*m)), *m) << path;
        expect_content(path, *m);
        ++ran;
      } else if (name.starts_with("imdn-")) {
        const auto d = parse_imdn(text);
        ASSERT_TRUE(d) << path << ": " << d.error().to_string();
        EXPECT_EQ(d->recipient_uri, "sip:bob@xmpp.example") << path;
        ++ran;
      } else if (name.starts_with("iscomposing-") || path.string().find("rfc3994") != std::string::npos) {
        ran += read_typing_notices(path, text);
      }
    }
  }
  std::cout << "vectors: " << ran << " ran, 0 skipped\n";
  EXPECT_GE(ran, recorded) << "fewer documents than recorded";
}

}  // namespace stox::payload
