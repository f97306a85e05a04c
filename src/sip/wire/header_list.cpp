#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sip/wire/message.hpp"
#include "sip/wire/scan.hpp"

namespace stox::sip {

header_list::place header_list::keep(header id, std::string_view name, std::string_view value) {
  const auto u32 = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  place p;
  p.id = id;
  p.name_at = u32(text_.size());
  p.name_size = u32(name.size());
  p.value_at = u32(text_.size() + name.size());
  p.value_size = u32(value.size());
  const auto size = text_.size() + name.size() + value.size();
  if (size <= text_.capacity()) {
    text_.append(name).append(value);
  } else {
    // Both may be views of the text that goes.
    std::string grown;
    grown.reserve(std::max(size, 2 * text_.capacity()));
    grown.append(text_).append(name).append(value);
    text_ = std::move(grown);
  }
  return p;
}

std::optional<std::string_view> header_list::find(header id) const {
  const auto at = std::find_if(places_.begin(), places_.end(), [id](const place& p) { return p.id == id; });
  if (at == places_.end()) return std::nullopt;
  return view(at->value_at, at->value_size);
}

std::optional<std::string_view> header_list::find_other(std::string_view name) const {
  for (const auto f : *this) {
    if (f.id == header::other && text::iequals(f.name, name)) return f.value;
  }
  return std::nullopt;
}

std::size_t header_list::count(header id) const {
  return static_cast<std::size_t>(
      std::count_if(places_.begin(), places_.end(), [id](const place& p) { return p.id == id; }));
}

std::vector<std::string_view> header_list::elements(header id) const {
  std::vector<std::string_view> out;
  for_each(id, [&out, id](std::string_view value) {
    if (id == header::in_reply_to) {
      // RFC 3261 §25.1: in a callid neither quotes nor parentheses nor <> have a meaning.
      for (const auto part : text::split(value, ',')) {
        if (const auto callid = text::trim(part); !callid.empty()) out.push_back(callid);
      }
    } else if (is_list(id)) {
      for_each_element(value, [&out](std::string_view element) { out.push_back(element); });
    } else {
      out.push_back(value);
    }
  });
  return out;
}

void header_list::remove(header id) {
  std::erase_if(places_, [id](const place& p) { return p.id == id; });
}

void header_list::set(header id, std::string_view value) {
  // The text first: the value may be one of those that go.
  const auto p = keep(id, {}, value);
  remove(id);
  places_.push_back(p);
}

void header_list::prepend(header id, std::string_view value) {
  places_.insert(places_.begin(), keep(id, {}, value));
}

void header_list::replace(std::size_t index, std::string_view value) {
  const auto p = keep(header::other, {}, value);
  places_[index].value_at = p.value_at;
  places_[index].value_size = p.value_size;
}

bool operator==(const header_list& a, const header_list& b) {
  return std::equal(a.places_.begin(), a.places_.end(), b.places_.begin(), b.places_.end(),
                    [&](const header_list::place& x, const header_list::place& y) {
                      return a[static_cast<std::size_t>(&x - a.places_.data())] ==
                             b[static_cast<std::size_t>(&y - b.places_.data())];
                    });
}

}  // namespace stox::sip
