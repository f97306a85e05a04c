#pragma once

#include <string>
#include <string_view>

namespace stox::config {

/// Writes one manual page in the man(7) macros. Texts are plain ASCII; what roff would read as markup is
/// escaped here.
class man_page {
 public:
  man_page(std::string_view name, int section, std::string_view what);

  void heading(std::string_view text);     ///< .SH
  void subheading(std::string_view text);  ///< .SS
  void paragraph(std::string_view text);
  void item(std::string_view tag, std::string_view text);  ///< the tag in bold, the text indented below it
  void lines(std::string_view text);                       ///< as they are, in a fixed font
  std::string text() const { return out_; }

 private:
  std::string out_;
};

}  // namespace stox::config
