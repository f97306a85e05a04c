#include "engine/row_text.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/overloaded.hpp"
#include "base/text.hpp"

namespace stox::engine {

namespace {

constexpr std::string_view capability_word = "capability=", receipt_word = "receipt=";

bool is_plain(char c) { return c > ' ' && c < 0x7F && c != ',' && c != '%'; }

/// Values with commas between them.
class joiner {
 public:
  explicit joiner(std::string_view word) : out_(word) {}
  joiner& operator()(std::string_view value) {
    if (!std::exchange(first_, false)) out_ += ',';
    text::percent_encode(out_, value, is_plain);
    return *this;
  }
  joiner& operator()(bool value) { return (*this)(std::string_view(value ? "1" : "0")); }
  joiner& operator()(unsigned value) { return (*this)(std::to_string(value)); }
  joiner& operator()(wall_time t) {
    const auto s = std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
    return (*this)(std::to_string(s < 0 ? 0 : s));
  }
  joiner& operator()(const std::string& value) { return (*this)(std::string_view(value)); }
  joiner& operator()(const receipt_key& k) { return (*this)(k.to_sip)(k.jid)(k.aor)(k.id); }
  std::string text() && { return std::move(out_); }

 private:
  std::string out_;
  bool first_ = true;
};

/// Takes them apart again; after a value that does not fit, nothing counts.
class splitter {
 public:
  explicit splitter(std::string_view values) : values_(text::split(values, ',')) {}
  splitter& operator()(std::string& out) {
    auto value = next();
    if (value) out = *std::move(value);
    return *this;
  }
  splitter& operator()(bool& out) {
    std::uint64_t n = 0;
    number(n, 1);
    out = n != 0;
    return *this;
  }
  splitter& operator()(unsigned& out) {
    std::uint64_t n = 0;
    number(n, UINT32_MAX);
    out = static_cast<unsigned>(n);
    return *this;
  }
  splitter& operator()(wall_time& out) {
    constexpr std::uint64_t last_second = 9'000'000'000;  // of the year 2255; wall_time ends in 2262
    std::uint64_t n = 0;
    number(n, last_second);
    out = wall_time(std::chrono::seconds(n));
    return *this;
  }
  bool whole() const { return ok_ && at_ == values_.size(); }

 private:
  std::optional<std::string> next() {
    auto value = at_ < values_.size() ? text::percent_decode(values_[at_++]) : std::nullopt;
    ok_ = ok_ && value.has_value();
    return value;
  }
  void number(std::uint64_t& out, std::uint64_t most) {
    const auto value = next();
    const auto n = value ? text::to_number(*value, most) : std::nullopt;
    ok_ = ok_ && n.has_value();
    out = n.value_or(0);
  }

  std::vector<std::string_view> values_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::optional<stored_row> parse_capability(std::string_view values) {
  capability_row r;
  splitter in(values);
  in(r.address)(r.feature)(r.value)(r.how)(r.learned)(r.domain)(r.engine)(r.expiry);
  return in.whole() ? std::optional<stored_row>(std::move(r)) : std::nullopt;
}

std::optional<stored_row> parse_receipt(std::string_view values) {
  receipt_row r;
  splitter in(values);
  in(r.key.to_sip)(r.key.jid)(r.key.aor)(r.key.id)(r.delivered)(r.failed)(r.displayed)(r.original_id)(
      r.reply_to)(r.date_time)(r.call_id)(r.type)(r.route)(r.original_to)(r.domain)(r.engine)(r.expiry);
  return in.whole() ? std::optional<stored_row>(std::move(r)) : std::nullopt;
}

}  // namespace

std::string row_text(const stored_row& row) {
  return std::visit(
      overloaded{
          [](const capability_row& r) {
            joiner out(capability_word);
            out(r.address)(r.feature)(r.value)(r.how)(r.learned)(r.domain)(r.engine)(r.expiry);
            return std::move(out).text();
          },
          [](const receipt_row& r) {
            joiner out(receipt_word);
            out(r.key)(r.delivered)(r.failed)(r.displayed)(r.original_id)(r.reply_to)(r.date_time)(r.call_id)(
                r.type)(r.route)(r.original_to)(r.domain)(r.engine)(r.expiry);
            return std::move(out).text();
          },
      },
      row);
}

std::string key_text(const row_key& key) {
  return std::visit(overloaded{
                        [](const capability_key& k) {
                          joiner out(capability_word);
                          out(k.address);
                          return std::move(out).text();
                        },
                        [](const receipt_key& k) {
                          joiner out(receipt_word);
                          out(k);
                          return std::move(out).text();
                        },
                    },
                    key);
}

std::optional<stored_row> parse_row(std::string_view word) {
  if (word.starts_with(capability_word)) return parse_capability(word.substr(capability_word.size()));
  if (word.starts_with(receipt_word)) return parse_receipt(word.substr(receipt_word.size()));
  return std::nullopt;
}

}  // namespace stox::engine
