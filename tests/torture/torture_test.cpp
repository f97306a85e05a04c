#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "support/sip_script.hpp"

// What the endpoint does with the torture messages: ours in tests/torture/sip, and the originals of RFC 4475
// and RFC 5118 where they are. outcomes.txt says what is expected and why.
namespace stox::test {
namespace {

namespace fs = std::filesystem;

struct expectation {
  std::string file, outcome;
};

std::vector<expectation> load_outcomes() {
  std::vector<expectation> out;
  std::ifstream in(STOX_SOURCE_DIR "/tests/torture/sip/outcomes.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto parts = text::split(line, '|');
    if (parts.size() >= 2)
      out.push_back({std::string(text::trim(parts[0])), std::string(text::trim(parts[1]))});
  }
  return out;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// RFC 4475 §2.1: what the RFC had to break over lines is one line.
std::string joined_lines(std::string text) {
  constexpr std::string_view open = "<allOneLine>\r\n";
  constexpr std::string_view close = "</allOneLine>\r\n";
  for (;;) {
    const auto from = text.find(open);
    const auto to = text.find(close);
    if (from == std::string::npos || to == std::string::npos) return text;
    std::string line = text.substr(from + open.size(), to - from - open.size());
    for (auto end = line.find("\r\n"); end != std::string::npos; end = line.find("\r\n")) line.erase(end, 2);
    text.replace(from, to + close.size() - from, line + "\r\n");
  }
}

/// What the endpoint did, in the words of outcomes.txt.
std::string outcome_in(const sip_world& w) {
  if (w.sends.size() > 1 || w.events.size() > 1) return "more than one answer or event";
  const auto passed = w.all<sip::request_received>();
  if (!passed.empty()) return "pass " + passed[0].request.method_name;
  if (w.sends.empty()) return w.ep.stats().stray_responses == 1 ? "response" : "drop";
  const std::string code = w.sends[0].first_line().substr(8, 3);
  if (code == "200") {
    const std::string cseq = header_of(w.last(), "CSeq");
    return "pass " + cseq.substr(cseq.find_last_of(' ') + 1);
  }
  return "answer " + code;
}

void run(const fs::path& path, const std::string& expected, const std::string& text) {
  SCOPED_TRACE(path.filename().string());
  sip_world w;
  w.datagram(text);
  EXPECT_EQ(outcome_in(w), expected);
  EXPECT_EQ(w.ep.stats().garbage, expected == "drop" ? 1U : 0U);

  // On a stream the outcome is the same where the message can be framed; where not, the stream ends.
  constexpr conn_id peer{9};
  sip_world s;
  s.accept(peer);
  s.stream(peer, text);
  if (s.closes.empty() && s.sends.empty() && s.events.empty()) {
    s.advance(std::chrono::seconds(10));
    const bool dropped = s.ep.stats().responses + s.ep.stats().garbage > 0;
    EXPECT_TRUE(dropped || s.closes.size() == 1) << "neither answered, nor counted, nor closed";
  }
  EXPECT_LE(s.all<sip::request_received>().size(), 2U);
}

TEST(torture, does_with_each_message_what_the_table_says) {
  const auto outcomes = load_outcomes();
  ASSERT_FALSE(outcomes.empty());
  const fs::path own = STOX_SOURCE_DIR "/tests/torture/sip";
  std::map<std::string, std::string> by_name;
  for (const auto& [file, outcome] : outcomes) by_name[file] = outcome;
  int own_files = 0;
  for (const auto& entry : fs::directory_iterator(own)) {
    if (entry.path().extension() != ".dat") continue;
    ++own_files;
    const auto it = by_name.find(entry.path().filename().string());
    ASSERT_NE(it, by_name.end()) << entry.path() << " has no line in outcomes.txt";
    run(entry.path(), it->second, read_file(entry.path()));
  }
  EXPECT_GE(own_files, 61);
  for (const auto& [file, outcome] : outcomes) {
    const bool original_only = file.find('/') != std::string::npos;
    EXPECT_TRUE(original_only || fs::exists(own / file)) << file;
  }
  std::printf("torture: %d ran, 0 skipped\n", own_files);
}

TEST(torture, does_with_the_originals_of_the_rfcs_what_the_table_says) {
  const fs::path vectors = STOX_SOURCE_DIR "/../shared/vectors";
  const auto outcomes = load_outcomes();
  int found = 0;
  for (const std::string folder : {"rfc4475", "rfc5118"}) {
    for (const expectation& line : outcomes) {
      const std::string& file = line.file;
      // A line with a folder is for that original alone, in place of the one without.
      const bool special = std::any_of(outcomes.begin(), outcomes.end(),
                                       [&](const expectation& e) { return e.file == folder + "/" + file; });
      const fs::path path = file.find('/') == std::string::npos ? vectors / folder / file : vectors / file;
      if (special || path.parent_path() != vectors / folder || !fs::exists(path)) continue;
      ++found;
      run(path, line.outcome, joined_lines(read_file(path)));
    }
  }
  if (found == 0) {
    std::printf("torture: 0 ran, 61 skipped\n");
    GTEST_SKIP() << "the RFCs' own messages are not here (../shared/vectors)";
  }
  EXPECT_EQ(found, 61);
  std::printf("torture: %d ran, 0 skipped\n", found);
}

}  // namespace
}  // namespace stox::test
