#include "translate/chat_text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "payload/html.hpp"
#include "sip/wire/headers.hpp"
#include "translate/language.hpp"
#include "translate/quote.hpp"

namespace stox::translate::pager {

namespace {

constexpr std::string_view corrected = "(corrected) ";
constexpr std::size_t max_file_name = 128;  ///< bytes
constexpr std::size_t max_description = 256;
/// What is longer fits no MESSAGE (RFC 3428 §8), and is not worth a search.
constexpr std::size_t max_searched = 4096;

xmpp::stanza_error not_acceptable(std::string text) {
  return {xmpp::usual_type(xmpp::condition::not_acceptable),
          xmpp::condition::not_acceptable,
          std::move(text),
          {}};
}

/// Whether we write words of our own for what a fallback text of that feature stands in for.
bool is_told_by_us(const xmpp::extras& x, std::string_view feature) {
  if (feature == xmpp::reply::ns) return x.reply_to.has_value();
  if (feature == xmpp::reactions::ns) return x.reactions.has_value();
  if (feature == xmpp::oob_ns || feature == xmpp::sfs_ns || feature == xmpp::sims_ns)
    return std::any_of(x.links.begin(), x.links.end(), [](const auto& l) { return !l.url.empty(); });
  // The first version of XEP-0428 had no names.
  return feature.empty() && x.reactions.has_value();
}

bool is_blank(std::string_view s) { return text::trim(s).empty(); }

/// Without the blank lines that are left in front where something was cut.
std::string_view without_leading_lines(std::string_view s) {
  for (auto end = s.find('\n'); end != std::string_view::npos && is_blank(s.substr(0, end));
       end = s.find('\n'))
    s.remove_prefix(end + 1);
  return s;
}

/// The ranges of one body that we have other words for.
struct told_ranges {
  std::vector<xmpp::fallback::range> all, quote;  ///< `quote`: of a reply
  bool whole = false;                             ///< all of the body
  bool broken = false;                            ///< nobody knows which ones are meant
};

told_ranges ranges_of(const xmpp::extras& x, const xmpp::lang_text& body, telling& told) {
  told_ranges out;
  for (const auto& f : x.fallbacks) {
    if (!is_told_by_us(x, f.feature)) continue;
    const bool of_reply = f.feature == xmpp::reply::ns;
    if (f.whole && of_reply) {
      // A quote without any words of the answer is no answer: somebody forgot to say where it ends.
      told.quote_sent = true;
      continue;
    }
    told.replaced.push_back(f.feature);
    out.whole = out.whole || f.whole;
    out.broken = out.broken || f.broken;
    for (const auto& r : f.ranges) {
      if (!r.lang.empty() && !text::iequals(r.lang, body.lang)) continue;
      out.all.push_back(r);
      if (of_reply) out.quote.push_back(r);
    }
  }
  return out;
}

xmpp::split_body parts_of(const xmpp::lang_text& body, const xmpp::extras& x, telling& told) {
  if (x.retracts) {
    // XEP-0424 §3: its body is there for those who do not know it.
    for (const auto& f : x.fallbacks) told.replaced.push_back(f.feature);
    return {};
  }
  auto ranges = ranges_of(x, body, told);
  if (ranges.whole) return {};
  // Ranges count in the body as it came, so all that is cut is cut at once; only a reply's is of use.
  auto cut = ranges.broken ? std::nullopt : xmpp::split(body.text, std::move(ranges.all));
  if (!cut) {
    const auto is_reply = [](std::string_view feature) { return feature == xmpp::reply::ns; };
    told.quote_sent = told.quote_sent || std::any_of(told.replaced.begin(), told.replaced.end(), is_reply);
    told.replaced.clear();
    return {{}, body.text};
  }
  auto quote = xmpp::split(body.text, std::move(ranges.quote));
  cut->fallback = quote ? std::move(quote->fallback) : std::string();
  if (cut->own.size() != body.text.size()) cut->own = without_leading_lines(cut->own);
  return *std::move(cut);
}

void add_line(std::string& text, std::string_view line) {
  if (line.empty()) return;
  if (!text.empty()) text += '\n';
  text += line;
}

std::string about(std::string_view what, std::string_view joint, const std::optional<std::string>& quoted) {
  std::string out(what);
  if (quoted && !quoted->empty())
    return out.append(joint).append(": \"").append(quoted_line(*quoted)).append("\"");
  return out.append(joint).append(" an earlier message");
}

std::string reaction_line(const xmpp::reactions& r, const std::optional<std::string>& quoted) {
  if (r.emoji.empty()) return about("Took back the reaction", " to", quoted);
  std::string what = "Reacted with";
  for (const auto& emoji : r.emoji) what += ' ' + quoted_line(emoji);
  return about(what, " to", quoted);
}

/// As people read it: "512 bytes", "3.0 MB", "14 GB".
std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> units{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t index = 0;
  std::uint64_t unit = 1;
  for (; bytes / unit >= 1000; unit *= 1000) ++index;
  const auto whole = bytes / unit;
  auto out = std::to_string(whole);
  if (index > 0 && whole < 10) out += '.' + std::to_string(bytes % unit * 10 / unit);
  return out + ' ' + std::string(units[index]);
}

/// What is told of a file beside its address: "summit.jpg, Photo from the summit. (3.0 MB)".
std::string about_file(const xmpp::shared_link& l) {
  const auto line = [](std::string_view s, std::size_t limit) {
    return sip::clean_text(quoted_line(s.substr(0, 4 * limit)), limit);
  };
  auto out = line(l.name, max_file_name);
  const auto description = line(l.description, max_description);
  if (out.empty()) {
    out = description;
  } else if (!description.empty() && description != out) {
    out += ", " + description;
  }
  if (l.size) out += (out.empty() ? "" : " ") + ("(" + size_text(*l.size) + ")");
  return out;
}

std::string link_line(const xmpp::shared_link& l) {
  const auto file = about_file(l);
  return file.empty() ? l.url : file + ": " + l.url;
}

/// Whether `url` stands in `words` by itself: as a part of a longer address it is another one.
bool holds_address(std::string_view words, std::string_view url) {
  static constexpr std::string_view in_address = "-._~/%=&?#@+";
  static constexpr std::string_view after_address = ".,;:!?)]}'\"";  // of a sentence, not of an address
  if (words.size() > max_searched) return false;
  for (auto at = words.find(url); at != std::string_view::npos; at = words.find(url, at + 1)) {
    if (at > 0 && (text::is_alnum(words[at - 1]) || in_address.find(words[at - 1]) != std::string_view::npos))
      continue;
    const auto end = words.find_first_not_of(after_address, at + url.size());
    if (end == std::string_view::npos ||
        std::string_view(" \t\r\n<>").find(words[end]) != std::string_view::npos)
      return true;
  }
  return false;
}

bool holds(std::string_view words, std::string_view line) {
  return words.size() <= max_searched && words.find(line) != std::string_view::npos;
}

/// The sender's words with each address once: one that the words hold is not said again.
void add_links(std::string& words, const xmpp::extras& x, telling& told) {
  for (const auto& l : x.links) {
    if (l.url.empty()) continue;
    told.links.push_back(&l);
    // A body that is the address and nothing else is XEP-0066's fallback: the line says more.
    if (text::trim(words) == l.url) {
      words = link_line(l);
    } else if (!holds_address(words, l.url)) {
      add_line(words, link_line(l));
    } else if (const auto file = about_file(l); !holds(words, file)) {
      add_line(words, file);
    }
  }
}

std::string quote_of(const xmpp::extras& x, std::string_view fallback,
                     const std::optional<std::string>& quoted, telling& told) {
  // What stands in the text as it is needs no second quote.
  if (!x.reply_to || x.retracts || told.quote_sent) return {};
  auto out = short_quote(fallback);
  if (out.empty() && quoted && !quoted->empty()) out = "> " + quoted_line(*quoted);
  told.quote = !out.empty();
  return out;
}

/// Whether nothing in it changes a body.
bool is_plain(const xmpp::extras& x) {
  return !x.attention && !x.retracts && !x.reactions && !x.reply_to && !x.replaces && x.links.empty() &&
         x.fallbacks.empty() && x.forwarded == nullptr;
}

/// XEP-0353 §3.1, XEP-0249 §2, XEP-0045 §7.8.2: somebody waits for an answer to these.
bool is_offer(const xml::element& e) {
  if (e.is("x", "http://jabber.org/protocol/muc#user"))
    return std::any_of(e.children.begin(), e.children.end(), [](const auto& child) {
      const auto* inner = std::get_if<xml::element>(&child.value);
      return inner != nullptr && inner->name == "invite";
    });
  return e.is("propose", "urn:xmpp:jingle-message:0") || e.is("x", "jabber:x:conference");
}

}  // namespace

content content_of(const xmpp::message& m, const xmpp::extras& x) {
  if (x.server_copy) return content::copy;
  const bool written = !m.bodies.empty() || !m.subjects.empty();
  if (x.encrypted && m.bodies.empty()) {
    // XEP-0384 §4.4. What must not be stored is a typing notice or a receipt in an envelope.
    if (!x.encrypted->content || x.hints.no_store) return content::key_exchange;
    return content::text;
  }
  // XEP-0297 §3.2: servers wrap their copies in elements of their own; a bare forward is the user's doing.
  if (written || x.reactions || x.retracts || !x.links.empty() || x.attention || x.html != nullptr ||
      x.forwarded != nullptr)
    return content::text;
  const bool offers =
      std::any_of(x.unknown.begin(), x.unknown.end(), [](const auto* e) { return is_offer(*e); });
  return offers ? content::offer : content::notice;
}

std::string_view quoted_id(const xmpp::extras& x) {
  if (x.retracts) return *x.retracts;
  if (x.reactions) return x.reactions->id;
  if (x.reply_to) return x.reply_to->id;
  return {};
}

std::string_view own_words(const xmpp::message& m, const xmpp::extras& x, std::string& room) {
  const auto* body = choose(m.bodies, m.lang);
  if (body == nullptr) return {};
  if (x.fallbacks.empty() && !x.retracts) return body->text;
  telling told;
  room = parts_of(*body, x, told).own;
  return room;
}

bool is_off_the_record(const xmpp::extras& x) { return x.hints.no_store || x.hints.no_permanent_store; }

boost::system::result<chat_text, xmpp::stanza_error> chat_text_of(const xmpp::message& m,
                                                                  const xmpp::extras& x,
                                                                  const std::optional<std::string>& quoted) {
  if (x.encrypted)
    return not_acceptable(
        "This contact is reached through a gateway and cannot read end-to-end encrypted messages");
  chat_text out;
  out.body = choose(m.bodies, m.lang);
  if (out.body != nullptr && is_plain(x)) return out;
  xmpp::split_body body;
  if (out.body != nullptr) {
    body = parts_of(*out.body, x, out.told);
  } else if (x.html != nullptr && !x.retracts) {
    body.own = payload::html_to_text(xml::write(*x.html, x.html->ns));
    out.told.html = !body.own.empty();
  }
  auto words = std::move(body.own);
  if (!x.retracts) add_links(words, x, out.told);

  auto& text = out.made;
  if (x.attention) add_line(text, "Asks for your attention");
  if (x.retracts) {
    add_line(text, about("Asks to disregard", "", quoted));
  } else if (x.reactions) {
    add_line(text, reaction_line(*x.reactions, quoted));
  }
  add_line(text, quote_of(x, body.fallback, quoted, out.told));
  // XEP-0308 §4: to a client that knows nothing of it, a correction is a second message.
  if (x.replaces && !(words.empty() && text.empty())) words.insert(0, corrected);
  add_line(text, words);
  if (x.forwarded != nullptr) {
    const auto quote = forwarded_quote(*x.forwarded);
    if (!quote.empty()) out.told.forwarded = x.forwarded;
    add_line(text, quote);
  }
  if (text.empty()) {
    if (x.forwarded != nullptr) return not_acceptable("The forwarded message has no text");
    const bool file =
        std::any_of(x.links.begin(), x.links.end(), [](const auto& l) { return l.url.empty(); });
    return not_acceptable(file ? "The file has no web address that could be sent" : "Empty message");
  }
  out.reworded = out.body == nullptr || text != out.body->text;
  return out;
}

}  // namespace stox::translate::pager
