// Every file of tests/torture/xml is a stream from a peer who means harm, or one that only looks so.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/xml/transcript.hpp"

namespace {

using namespace stox;

const std::filesystem::path folder = STOX_SOURCE_DIR "/tests/torture/xml";
// Small, so that the files are; the root counts neither as depth nor as child.
constexpr xml::read_limits small{
    .max_stanza_bytes = 2000, .max_depth = 6, .max_attributes = 8, .max_children = 20};

struct torture_case {
  const char* file;
  int stanzas;          ///< read whole before the outcome
  const char* outcome;  ///< see transcript
};
constexpr torture_case cases[] = {
    // clang-format off
    {"ok_plain", 2, "closed"},
    {"ok_keepalives", 2, "closed"},  // RFC 6120 §4.6.1
    {"ok_byte_order_mark", 1, "closed"},  // RFC 6120 §11.6 asks to ignore it
    {"ok_cdata", 2, "closed"},  // CDATA is text
    {"ok_references", 2, "closed"},
    {"ok_quotes_and_brackets_in_values", 2, "closed"},  // a > in a value ends no tag
    {"ok_xml_prefix", 2, "closed"},  // the xml prefix is always declared
    {"ok_prefix_redeclared", 2, "closed"},
    {"ok_line_ends", 2, "closed"},  // XML 1.0 §2.11
    {"ok_unfinished", 1, "open"},  // nothing is wrong yet
    {"doctype_billion_laughs", 0, "restricted_xml"},
    {"doctype_external", 0, "restricted_xml"},
    {"doctype_external_entity", 0, "restricted_xml"},
    {"doctype_parameter_entity", 0, "restricted_xml"},
    {"doctype_without_end", 0, "restricted_xml"},  // refused before it ends
    {"doctype_in_stream", 1, "restricted_xml"},
    {"comment_before_root", 0, "restricted_xml"},
    {"comment_between_stanzas", 1, "restricted_xml"},
    {"comment_in_stanza", 1, "restricted_xml"},
    {"comment_without_end", 1, "restricted_xml"},
    {"comment_after_close", 1, "closed restricted_xml"},
    {"instruction_first", 0, "restricted_xml"},
    {"instruction_after_declaration", 0, "restricted_xml"},
    {"instruction_in_stanza", 1, "restricted_xml"},
    {"declaration_after_blank", 0, "restricted_xml"},
    {"declaration_in_stream", 1, "restricted_xml"},
    {"entity_undefined", 1, "restricted_xml"},  // RFC 6120 §11.1
    {"entity_undefined_in_attribute", 1, "restricted_xml"},
    {"prefix_unbound", 1, "not_well_formed"},
    {"prefix_unbound_attribute", 1, "not_well_formed"},
    {"prefix_out_of_scope", 1, "not_well_formed"},
    {"prefix_undeclared_again", 1, "not_well_formed"},  // XML Namespaces 1.0 §2.3
    {"prefix_xml_rebound", 1, "not_well_formed"},
    {"prefix_xmlns_bound", 1, "not_well_formed"},
    {"prefix_other_for_xml", 1, "not_well_formed"},
    {"prefix_two_colons", 1, "not_well_formed"},
    {"prefix_empty", 1, "not_well_formed"},
    {"duplicate_attribute", 1, "not_well_formed"},
    {"duplicate_attribute_by_namespace", 1, "not_well_formed"},
    {"end_tag_mismatch", 1, "not_well_formed"},
    {"end_tag_other_prefix", 1, "not_well_formed"},
    {"end_tag_first", 0, "not_well_formed"},
    {"text_before_root", 0, "not_well_formed"},
    {"http_request", 0, "not_well_formed"},
    {"text_between_stanzas", 1, "not_well_formed"},
    {"cdata_between_stanzas", 1, "not_well_formed"},
    {"cdata_end_in_text", 1, "not_well_formed"},
    {"cdata_misspelt", 1, "not_well_formed"},
    {"conditional_section", 1, "not_well_formed"},
    {"declaration_unknown", 1, "not_well_formed"},
    {"tag_in_tag", 1, "not_well_formed"},
    {"bracket_in_value", 1, "not_well_formed"},
    {"value_without_quotes", 1, "not_well_formed"},
    {"value_without_blank", 1, "not_well_formed"},
    {"value_missing", 1, "not_well_formed"},
    {"name_starts_with_digit", 1, "not_well_formed"},
    {"empty_tag", 1, "not_well_formed"},
    {"bare_ampersand", 1, "not_well_formed"},
    {"reference_without_end", 1, "not_well_formed"},
    {"second_root", 1, "closed not_well_formed"},
    {"text_after_close", 1, "closed not_well_formed"},
    {"reference_to_nul", 1, "not_well_formed"},
    {"reference_to_control", 1, "not_well_formed"},
    {"reference_to_surrogate", 1, "not_well_formed"},
    {"reference_to_noncharacter", 1, "not_well_formed"},
    {"reference_beyond_unicode", 1, "not_well_formed"},
    {"reference_huge", 1, "not_well_formed"},
    {"text_nul", 1, "not_well_formed"},
    {"text_control", 1, "not_well_formed"},
    {"text_latin1", 1, "not_well_formed"},
    {"text_overlong", 1, "not_well_formed"},
    {"text_surrogate", 1, "not_well_formed"},
    {"text_cut", 1, "not_well_formed"},
    {"text_beyond", 1, "not_well_formed"},
    {"text_noncharacter", 1, "not_well_formed"},
    {"text_continuation", 1, "not_well_formed"},
    {"value_overlong", 1, "not_well_formed"},
    {"name_bad_utf8", 1, "not_well_formed"},
    {"encoding_utf16_be", 0, "not_well_formed"},  // RFC 6120 §11.6
    {"encoding_utf16_le", 0, "not_well_formed"},
    {"encoding_utf16_without_mark", 0, "not_well_formed"},
    {"encoding_utf16_blank_first", 0, "not_well_formed"},
    {"encoding_declared_latin1", 0, "not_well_formed"},
    {"encoding_declared_utf16", 0, "not_well_formed"},
    {"ok_at_all_limits", 2, "closed"},
    {"deep", 1, "too_deep closed"},
    {"deep_without_end", 1, "open"},
    {"many_attributes", 1, "too_many closed"},
    {"many_declarations", 1, "too_many closed"},
    {"many_attributes_of_root", 0, "too_many"},
    {"many_children", 1, "too_many closed"},
    {"many_texts", 1, "too_many closed"},
    {"large_text", 1, "too_large"},
    {"large_text_without_end", 1, "too_large"},
    {"large_value_without_end", 1, "too_large"},
    {"large_name_without_end", 1, "too_large"},
    {"large_cdata_without_end", 1, "too_large"},
    {"large_reference_without_end", 1, "too_large"},
    {"large_end_tag_without_end", 1, "too_large"},
    {"large_root", 0, "too_large"},
    {"large_blank_prolog", 0, "too_large"},
    {"large_declaration", 0, "too_large"},
    {"many_small", 9, "closed"},  // the limits count per stanza
    // clang-format on
};

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class hostile_xml : public testing::TestWithParam<torture_case> {};

TEST_P(hostile_xml, has_the_outcome_of_the_table_however_it_is_split) {
  const auto text = contents(folder / (std::string(GetParam().file) + ".xml"));
  ASSERT_FALSE(text.empty()) << "no such file";
  const auto got =
      test::parsegrind(text, [](const test::pieces& input) { return test::read_stream(input, small); });
  EXPECT_EQ(got.outcome, GetParam().outcome) << got.text;
  EXPECT_EQ(got.stanzas, GetParam().stanzas) << got.text;
}

INSTANTIATE_TEST_SUITE_P(torture, hostile_xml, testing::ValuesIn(cases),
                         [](const auto& c) { return std::string(c.param.file); });

TEST(hostile_xml_files, are_all_in_the_table) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().stem().string();
    EXPECT_TRUE(std::any_of(std::begin(cases), std::end(cases), [&](const auto& c) {
      return name == c.file;
    })) << name;
    ++files;
  }
  EXPECT_EQ(files, std::size(cases));
}

}  // namespace
