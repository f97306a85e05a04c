#include "translate/chat_text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "payload/html.hpp"
#include "sip/wire/headers.hpp"
#include "translate/language.hpp"

namespace stox::translate::pager {

namespace {

constexpr std::string_view corrected = "(corrected) ";
constexpr std::size_t max_quote_lines = 3;
constexpr std::size_t max_quote_line = 100;  ///< code points
constexpr std::size_t max_file_name = 128;   ///< bytes
constexpr std::size_t max_description = 256;

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

/// The ranges of `body` that we have other words for. nullopt: all of it.
std::optional<std::vector<xmpp::fallback::range>> ranges_of(const xmpp::extras& x,
                                                            const xmpp::lang_text& body, bool of_reply) {
  std::vector<xmpp::fallback::range> out;
  for (const auto& f : x.fallbacks) {
    if (!is_told_by_us(x, f.feature) || (f.feature == xmpp::reply::ns) != of_reply) continue;
    if (f.whole) {
      // A quote without any words of the answer is no answer: somebody forgot to say where it ends.
      if (of_reply) continue;
      return std::nullopt;
    }
    for (const auto& r : f.ranges) {
      if (r.lang.empty() || text::iequals(r.lang, body.lang)) out.push_back(r);
    }
  }
  return out;
}

bool is_blank(std::string_view s) { return text::trim(s).empty(); }

/// Without the blank lines that are left in front where something was cut.
std::string_view without_leading_lines(std::string_view s) {
  for (auto end = s.find('\n'); end != std::string_view::npos && is_blank(s.substr(0, end));
       end = s.find('\n'))
    s.remove_prefix(end + 1);
  return s;
}

xmpp::split_body parts_of(const xmpp::lang_text& body, const xmpp::extras& x) {
  if (x.retracts) return {};  // XEP-0424 §3: its body is there for those who do not know it
  // Ranges count in the body as it came, so all that is cut is cut at once; only a reply's is of use.
  const auto quote = ranges_of(x, body, true);
  auto others = ranges_of(x, body, false);
  if (!others) return {};
  if (others->empty() && quote->empty()) return {{}, body.text};
  xmpp::split_body out;
  if (!quote->empty()) out.fallback = xmpp::split(body.text, *quote).fallback;
  others->insert(others->end(), quote->begin(), quote->end());
  out.own = xmpp::split(body.text, *std::move(others)).own;
  if (out.own.size() != body.text.size()) out.own = without_leading_lines(out.own);
  return out;
}

void add_line(std::string& text, std::string_view line) {
  if (line.empty()) return;
  if (!text.empty()) text += '\n';
  text += line;
}

/// A readable quote of what a client quoted: a few lines, none of them a quote itself.
std::string short_quote(std::string_view fallback) {
  std::string out;
  std::size_t lines = 0;
  for (const auto raw : text::split(fallback, '\n')) {
    auto line = text::trim(raw);
    if (line.starts_with('>')) line = text::trim(line.substr(1));
    if (line.empty() || line.starts_with('>')) continue;
    if (lines == max_quote_lines) {
      out += " ...";
      break;
    }
    ++lines;
    const auto end = text::code_point_at(line, max_quote_line);
    add_line(out, "> ");
    out += line.substr(0, end.value_or(line.size()));
    if (end && *end < line.size()) out += "...";
  }
  return out;
}

std::string about(std::string_view what, std::string_view joint, const std::optional<std::string>& quoted) {
  std::string out(what);
  if (quoted && !quoted->empty()) return out.append(joint).append(": \"").append(*quoted).append("\"");
  return out.append(joint).append(" an earlier message");
}

std::string reaction_line(const xmpp::reactions& r, const std::optional<std::string>& quoted) {
  if (r.emoji.empty()) return about("Took back the reaction", " to", quoted);
  std::string what = "Reacted with";
  for (const auto& emoji : r.emoji) what += ' ' + emoji;
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

std::string link_line(const xmpp::shared_link& l) {
  auto out = sip::clean_text(l.name.substr(0, 4 * max_file_name), max_file_name);
  const auto description = sip::clean_text(l.description.substr(0, 4 * max_description), max_description);
  if (out.empty()) {
    out = description;
  } else if (!description.empty() && description != out) {
    out += ", " + description;
  }
  if (l.size) out += (out.empty() ? "" : " ") + ("(" + size_text(*l.size) + ")");
  return out.empty() ? l.url : out + ": " + l.url;
}

/// The sender's words with each address once: one that the words hold is not said again.
void add_links(std::string& words, const xmpp::extras& x, telling& told) {
  for (const auto& l : x.links) {
    if (l.url.empty()) continue;
    told.link = true;
    // A body that is the address and nothing else is XEP-0066's fallback: the line says more.
    if (text::trim(words) == l.url) {
      words = link_line(l);
    } else if (words.find(l.url) == std::string::npos) {
      add_line(words, link_line(l));
    }
  }
}

std::string quote_of(const xmpp::extras& x, std::string_view fallback,
                     const std::optional<std::string>& quoted, telling& told) {
  if (!x.reply_to || x.retracts) return {};
  auto out = short_quote(fallback);
  if (out.empty() && quoted && !quoted->empty()) out = "> " + *quoted;
  told.quote = !out.empty();
  return out;
}

/// Whether nothing in it changes a body.
bool is_plain(const xmpp::extras& x) {
  return !x.attention && !x.retracts && !x.reactions && !x.reply_to && !x.replaces && x.links.empty() &&
         x.fallbacks.empty();
}

}  // namespace

content content_of(const xmpp::message& m, const xmpp::extras& x) {
  if (x.server_copy) return content::copy;
  const bool written = !m.bodies.empty() || !m.subjects.empty();
  // XEP-0297 §4: a user who forwards something adds words of his own, or else it is a server's doing.
  if (x.forwarded && !written) return content::copy;
  if (x.encrypted && m.bodies.empty()) {
    // XEP-0384 §4.4 and §5.3. What must not be stored is a typing notice or a receipt in an envelope.
    if (!x.encrypted->content || x.hints.no_store) return content::key_exchange;
    return content::text;
  }
  if (written || x.reactions || x.retracts || !x.links.empty() || x.attention || x.html != nullptr)
    return content::text;
  return content::notice;
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
  room = parts_of(*body, x).own;
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
    body = parts_of(*out.body, x);
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
  if (text.empty()) {
    const bool file =
        std::any_of(x.links.begin(), x.links.end(), [](const auto& l) { return l.url.empty(); });
    return not_acceptable(file ? "The file has no web address that could be sent" : "Empty message");
  }
  out.reworded = out.body == nullptr || text != out.body->text;
  return out;
}

}  // namespace stox::translate::pager
