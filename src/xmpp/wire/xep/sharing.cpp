#include "xmpp/wire/xep/sharing.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace stox::xmpp {

namespace {

constexpr std::size_t max_url = 2048;
constexpr std::string_view url_data_ns = "http://jabber.org/protocol/url-data";

bool is_uri(std::string_view s) {
  const auto colon = s.find(':');
  if (s.size() > max_url || colon == std::string_view::npos || colon == 0 || colon + 1 == s.size())
    return false;
  if (!text::is_alpha(s.front())) return false;
  const auto in_scheme = [](char c) { return text::is_alnum(c) || c == '+' || c == '-' || c == '.'; };
  if (!std::all_of(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(colon), in_scheme)) return false;
  return std::none_of(s.begin(), s.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte == 0x7f || c == '<' || c == '>' || c == '"';
  });
}

bool is_web(std::string_view url) {
  return text::istarts_with(url, "https:") || text::istarts_with(url, "http:");
}

/// The text of the first child with that name, whatever its namespace's version.
std::string text_of(const xml::element& e, std::string_view name) {
  for (const auto& child : e.children) {
    const auto* part = child.as_element();
    if (part != nullptr && part->name == name && part->ns == e.ns)
      return std::string(text::trim(part->text()));
  }
  return {};
}

/// XEP-0446, and XEP-0234's older form of it, which XEP-0385 uses.
void read_file(const xml::element& file, shared_link& out) {
  out.name = text_of(file, "name");
  out.media_type = text_of(file, "media-type");
  out.description = text_of(file, "desc");
  out.size = text::to_number(text_of(file, "size"));
}

/// The address to send, of several sources: one for a browser, else the first that is no XMPP session.
void offer(shared_link& out, const std::string* url) {
  if (url == nullptr || !is_uri(*url) || text::istarts_with(*url, "xmpp:")) return;
  if (out.url.empty() || (!is_web(out.url) && is_web(*url))) out.url = *url;
}

void read_sfs_sources(const xml::element& sources, shared_link& out) {
  for (const auto& child : sources.children) {
    const auto* source = child.as_element();
    if (source != nullptr && source->is("url-data", url_data_ns)) offer(out, source->attr("target"));
  }
}

shared_link read_sims(const xml::element& media) {
  shared_link out;
  for (const auto& child : media.children) {
    const auto* part = child.as_element();
    if (part == nullptr) continue;
    if (part->name == "file") {
      read_file(*part, out);
    } else if (part->is("sources", sims_ns)) {
      for (const auto& listed : part->children) {
        const auto* source = listed.as_element();
        if (source != nullptr && source->is("reference", references_ns)) offer(out, source->attr("uri"));
      }
    }
  }
  return out;
}

void add(std::vector<shared_link>& links, shared_link made) {
  const auto same =
      std::find_if(links.begin(), links.end(), [&made](const auto& known) { return known.url == made.url; });
  if (same == links.end() || made.url.empty()) {
    if (links.size() < max_links) links.push_back(std::move(made));
    return;
  }
  const auto fill = [](std::string& known, std::string& other) {
    if (known.empty()) known = std::move(other);
  };
  fill(same->name, made.name);
  fill(same->media_type, made.media_type);
  fill(same->description, made.description);
  if (!same->size) same->size = made.size;
}

}  // namespace

bool read_shared(const xml::element& e, std::vector<shared_link>& links) {
  shared_link made;
  if (e.is("x", oob_ns)) {
    const auto url = text_of(e, "url");
    if (is_uri(url)) made.url = url;
    made.description = text_of(e, "desc");
    // Without an address it shares nothing.
    if (!made.url.empty()) add(links, std::move(made));
    return true;
  }
  if (e.is("file-sharing", sfs_ns)) {
    for (const auto& child : e.children) {
      const auto* part = child.as_element();
      if (part == nullptr) continue;
      if (part->name == "file") read_file(*part, made);
      if (part->is("sources", sfs_ns)) read_sfs_sources(*part, made);
    }
    add(links, std::move(made));
    return true;
  }
  if (e.is("sources", sfs_ns)) {
    // XEP-0447 §3.3: sources for a file that was shared before.
    read_sfs_sources(e, made);
    if (!made.url.empty()) add(links, std::move(made));
    return true;
  }
  if (!e.is("reference", references_ns)) return false;
  const auto* media = e.child("media-sharing", sims_ns);
  if (media == nullptr) return false;
  add(links, read_sims(*media));
  return true;
}

}  // namespace stox::xmpp
