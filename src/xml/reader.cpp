#include "xml/reader.hpp"

#include <utility>

#include "xml/tree_builder.hpp"

namespace stox::xml {

const char* errc_name(errc e) {
  switch (e) {
    case errc::not_well_formed: return "not_well_formed";
    case errc::second_root: return "second_root";
    case errc::restricted_xml: return "restricted_xml";
    case errc::too_large: return "too_large";
    case errc::too_deep: return "too_deep";
    case errc::too_many: return "too_many";
  }
  return "unknown";
}

struct reader::impl {
  tree_builder builder;
};

reader::reader(read_limits limits) : impl_(new impl{tree_builder(limits, content::stream, {})}) {}
reader::~reader() = default;
reader::reader(reader&&) noexcept = default;
reader& reader::operator=(reader&&) noexcept = default;

result<void> reader::feed(std::string_view bytes) { return impl_->builder.feed(bytes); }
std::optional<read_event> reader::poll() { return impl_->builder.poll(); }
void reader::set_limits(read_limits limits) { impl_->builder.set_limits(limits); }
std::size_t reader::pending() const { return impl_->builder.pending(); }

result<element> parse(std::string_view document, read_limits limits, std::string_view default_ns) {
  tree_builder builder(limits, content::document, default_ns);
  const auto fed = builder.feed(document);
  if (!fed) return fed.error();
  auto event = builder.poll();
  if (!builder.closed() || !event) return error(errc::not_well_formed, "the element does not end");
  return std::move(std::get<stanza>(*event).value);
}

}  // namespace stox::xml
