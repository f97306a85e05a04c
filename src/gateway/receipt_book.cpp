#include "gateway/receipt_book.hpp"

#include <utility>

namespace stox::gateway {

namespace {

constexpr std::size_t entry_bytes = 128;  ///< what containers spend on one entry beside its texts

std::string text_of(const receipt_key& k) {
  // No address and no id holds a NUL, so no two keys give one text.
  std::string out;
  out.reserve(k.jid.size() + k.aor.size() + k.id.size() + 3);
  out.append(1, k.to_sip ? 's' : 'x')
      .append(k.jid)
      .append(1, '\0')
      .append(k.aor)
      .append(1, '\0')
      .append(k.id);
  return out;
}

std::size_t cost(const receipt_row& r) {
  const auto key = r.key.jid.size() + r.key.aor.size() + r.key.id.size();
  return sizeof(receipt_row) + entry_bytes + 2 * key + r.original_id.size() + r.reply_to.size() +
         r.date_time.size() + r.call_id.size() + r.type.size() + r.route.size() + r.original_to.size() +
         r.domain.size();
}

bool is_open(const receipt_row& r) { return r.delivered || r.failed || r.displayed; }

/// Spends what has come to pass and what it rules out; whether the sender asked to be told.
bool spend(receipt_row& r, receipt_kind what) {
  switch (what) {
    case receipt_kind::delivered: r.failed = false; return std::exchange(r.delivered, false);
    case receipt_kind::displayed: r.failed = false; return std::exchange(r.displayed, false);
    case receipt_kind::failed:
      // Not asked for, or ruled out by what came before: that stands.
      if (!r.failed) return false;
      r.delivered = r.failed = r.displayed = false;
      return true;
  }
  return false;
}

}  // namespace

void receipt_book::open(receipt_row asked, instant now, row_sink& rows) {
  if (!is_open(asked)) return;
  asked.expiry = std::chrono::floor<std::chrono::seconds>(now.wall) + lasts;
  rows.save(asked);
  keep(std::move(asked), now.steady);
}

/// What is remembered must not take the place of messages.
void receipt_book::keep(receipt_row row, steady_time now) {
  const auto name = text_of(row.key);
  const auto coming = cost(row);
  while (share_.used() + coming > memory_.limit() / 8 && entries_.forget_stalest()) {
  }
  auto& e = entries_.get(name, now);
  e.row = std::move(row);
  e.memory = charge(share_, coming);
}

std::optional<receipt_row> receipt_book::take(const receipt_key& key, receipt_kind what, instant now,
                                              row_sink& rows) {
  const auto name = text_of(key);
  auto* e = entries_.find(name, now.steady);
  if (e == nullptr || e->row.expiry <= now.wall) return std::nullopt;
  auto before = e->row;
  e->arrived |= what != receipt_kind::failed;
  const bool tell = spend(e->row, what);
  if (!is_open(e->row)) {
    entries_.erase(name);
    rows.remove(key);
  } else if (e->row != before) {
    rows.save(e->row);
  }
  return tell ? std::optional(std::move(before)) : std::nullopt;
}

void receipt_book::accepted(const receipt_key& key, instant now, row_sink& rows) {
  auto* e = entries_.find(text_of(key), now.steady);
  if (e == nullptr || e->arrived || e->row.failed) return;
  e->row.failed = true;
  rows.save(e->row);
}

void receipt_book::close(const receipt_key& key, row_sink& rows) {
  if (entries_.erase(text_of(key))) rows.remove(key);
}

void receipt_book::restore(receipt_row row, instant now) {
  if (row.expiry > now.wall && is_open(row)) keep(std::move(row), now.steady);
}

}  // namespace stox::gateway
