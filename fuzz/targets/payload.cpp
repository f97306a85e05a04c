#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "payload/charset.hpp"
#include "payload/content_encoding.hpp"
#include "payload/cpim.hpp"
#include "payload/html.hpp"
#include "payload/imdn.hpp"
#include "payload/is_composing.hpp"
#include "payload/mime.hpp"
#include "xml/reader.hpp"

// Any bytes as each of the bodies that a MESSAGE may have: what is read can be written and is read as the
// same, text is UTF-8, and nothing grows beyond its input.
namespace {

using namespace stox;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(const payload::content_type& type, std::string_view body) {
  const auto read = payload::read_text(type, body);
  if (!read) return;
  require(!read->text.empty() && text::is_utf8(read->text));
  // ISO-8859-1 doubles at most; a quote's marks and a link's address come on top.
  require(read->text.size() <= 20 * body.size() + 64);
  require(read->left_out.size() <= 16 * 5);
}

void check_cpim(std::string_view bytes) {
  const auto m = payload::parse_cpim(bytes);
  if (!m) return;
  const auto text = payload::write(*m);
  const auto again = payload::parse_cpim(text);
  require(again.has_value() && again->from == m->from && again->to == m->to && again->cc == m->cc &&
          again->date_time == m->date_time && again->subjects == m->subjects &&
          again->extensions == m->extensions && again->content == m->content);
  if (const auto inner = payload::parse_entity(m->content)) check_text(inner->type, inner->body);
  (void)payload::imdn_request_of(*m);
  (void)payload::original_to_of(*m);
}

void check_documents(std::string_view bytes) {
  if (const auto d = payload::parse_imdn(bytes)) {
    const auto again = payload::parse_imdn(payload::write(*d));
    require(again.has_value() && again->message_id == d->message_id && again->kind == d->kind &&
            again->status == d->status && again->recipient_uri == d->recipient_uri);
  }
  if (const auto c = payload::parse_is_composing(bytes)) {
    const auto again = payload::parse_is_composing(payload::write(*c));
    require(again.has_value() && again->active == c->active && again->refresh == c->refresh);
  }
}

/// Nothing but the profile of XEP-0071 §7.8, as far as it is used.
void check_profile(const xml::element& e) {
  static constexpr std::array<std::string_view, 13> names{
      "a", "blockquote", "body", "br", "cite", "em", "html", "li", "ol", "p", "span", "strong", "ul"};
  require(std::find(names.begin(), names.end(), e.name) != names.end());
  for (const auto& a : e.attributes) {
    require((a.name == "href" && e.name == "a") || a.name == "style");
    if (a.name == "href") require(!text::istarts_with(a.value, "javascript:") && a.value.find(':') < 7);
    if (a.name == "style") require(a.value.find('(') == std::string::npos);
  }
  for (const auto* child : e.elements()) check_profile(*child);
}

/// XHTML-IM fits into a stanza, and nothing in it runs.
void check_xhtml(std::string_view html) {
  const auto made = payload::html_to_xhtml_im(html);
  if (!made) return;
  xml::read_limits l;
  l.max_stanza_bytes = std::size_t{64} * 1024 * 1024;
  l.max_depth = 24;
  require(xml::parse(xml::write(*made, {}), l).has_value());
  check_profile(*made);
}

void check_inflated(std::string_view bytes) {
  const payload::inflate_limits l;
  for (const auto* coding : {"deflate", "gzip"}) {
    const auto inflated = payload::decode_content(bytes, coding);
    if (!inflated) continue;
    require(inflated->size() <= l.bytes && inflated->size() <= std::max(l.always, l.ratio * bytes.size()));
    check_cpim(*inflated);
    check_documents(*inflated);
  }
}

}  // namespace

/// The first line is the Content-Type of the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(all.find('\n'), all.size());
  const auto body = all.substr(std::min(line + 1, all.size()));
  if (const auto type = payload::parse_content_type(all.substr(0, line))) check_text(*type, body);
  check_cpim(body);
  check_documents(body);
  check_inflated(body);
  if (text::is_utf8(body)) {
    require(text::is_utf8(payload::html_to_text(body)));
    check_xhtml(body);
  }
  for (const auto* charset : {"utf-16", "utf-16le", "iso-8859-1"}) {
    const auto utf8 = payload::to_utf8(body, charset);
    require(!utf8 || text::is_utf8(*utf8));
  }
  return 0;
}
