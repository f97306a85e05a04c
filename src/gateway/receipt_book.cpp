#include "gateway/receipt_book.hpp"

#include <algorithm>
#include <utility>

#include "base/deadline.hpp"

namespace stox::gateway {

namespace {

constexpr std::size_t entry_bytes = 256;  ///< what containers spend on one entry beside its texts

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
  return sizeof(receipt_row) + entry_bytes + 3 * key + r.original_id.size() + r.reply_to.size() +
         r.date_time.size() + r.call_id.size() + r.type.size() + r.route.size() + r.original_to.size() +
         r.domain.size();
}

const std::string& sender_of(const receipt_key& k) { return k.to_sip ? k.jid : k.aor; }

bool is_open(const receipt_row& r) { return r.delivered || r.failed || r.displayed; }

/// Spends what has come to pass and what it rules out; whether the sender asked to be told.
bool spend(receipt_row& r, receipt_kind what) {
  switch (what) {
    case receipt_kind::delivered: r.failed = false; return std::exchange(r.delivered, false);
    case receipt_kind::displayed: r.failed = false; return std::exchange(r.displayed, false);
    case receipt_kind::failed: {
      const bool asked = r.failed;
      r.delivered = r.failed = r.displayed = false;
      return asked;
    }
  }
  return false;
}

}  // namespace

std::string_view to_string(receipt_kind what) {
  switch (what) {
    case receipt_kind::delivered: return "delivered";
    case receipt_kind::failed: return "failed";
    case receipt_kind::displayed: return "displayed";
  }
  return "?";
}

receipt_book::place::~place() {
  if (all_ == nullptr) return;
  const auto at = all_->find(sender_);
  at->second.erase(number_);
  if (at->second.empty()) all_->erase(at);
}

void receipt_book::open(receipt_row asked, instant now, row_sink& rows) {
  if (!is_open(asked)) return;
  // Who has many open pushes out his own.
  if (const auto mine = senders_.find(sender_of(asked.key));
      mine != senders_.end() && mine->second.size() >= most_of_one) {
    // What is pending has to know yet whether it arrived; there are never so many.
    const auto oldest = std::find_if(mine->second.begin(), mine->second.end(),
                                     [this](const auto& at) { return !entries_.peek(at.second)->pending; });
    const auto name = (oldest != mine->second.end() ? oldest : mine->second.begin())->second;
    rows.remove(entries_.peek(name)->row.key);
    entries_.erase(name);
  }
  asked.expiry = std::chrono::floor<std::chrono::seconds>(now.wall) + lasts;
  rows.save(asked);
  const bool pending = asked.key.to_sip;
  keep(std::move(asked), now.steady + lasts, now.steady).pending = pending;
}

/// What is remembered must not take the place of messages.
receipt_book::entry& receipt_book::keep(receipt_row row, steady_time until, steady_time now) {
  const auto name = text_of(row.key);
  const auto coming = cost(row);
  while (share_.used() + coming > memory_.limit() / 8 && entries_.forget_stalest()) {
  }
  auto& e = entries_.get(name, now);
  const auto& sender = sender_of(row.key);
  e.among = place(senders_, sender, ++last_number_);
  senders_[sender].emplace(last_number_, name);
  e.row = std::move(row);
  e.until = until;
  e.memory = charge(share_, coming);
  return e;
}

std::optional<receipt_row> receipt_book::take(const receipt_key& key, receipt_kind what, instant now,
                                              row_sink& rows) {
  const auto name = text_of(key);
  auto* e = entries_.find(name, now.steady);
  if (e == nullptr || e->until <= now.steady) return std::nullopt;
  if (what == receipt_kind::failed && (e->arrived || e->pending)) {
    e->failed_early = !e->arrived;
    return std::nullopt;
  }
  auto before = e->row;
  e->arrived |= what != receipt_kind::failed;
  const bool tell = spend(e->row, what);
  if (!is_open(e->row)) {
    // What is pending may get an error yet, which must not contradict.
    if (!e->pending) entries_.erase(name);
    rows.remove(key);
  } else if (e->row != before) {
    rows.save(e->row);
  }
  return tell ? std::optional(std::move(before)) : std::nullopt;
}

std::optional<receipt_row> receipt_book::accepted(const receipt_key& key, instant now, row_sink& rows) {
  const auto name = text_of(key);
  auto* e = entries_.find(name, now.steady);
  if (e == nullptr || !std::exchange(e->pending, false)) return std::nullopt;
  if (e->failed_early && !e->arrived) {
    auto row = std::move(e->row);
    close(key, rows);
    return row;
  }
  if (!is_open(e->row)) {
    entries_.erase(name);
  } else if (!e->arrived) {
    e->row.failed = true;
    rows.save(e->row);
  }
  return std::nullopt;
}

bool receipt_book::arrived(const receipt_key& key) const {
  const auto* e = entries_.peek(text_of(key));
  return e != nullptr && e->arrived;
}

void receipt_book::sent_again(const receipt_key& key, instant now) {
  if (auto* e = entries_.find(text_of(key), now.steady); e != nullptr) e->failed_early = false;
}

bool receipt_book::close(const receipt_key& key, row_sink& rows) {
  const auto name = text_of(key);
  const auto* e = entries_.peek(name);
  if (e == nullptr) return false;
  const bool arrived = e->arrived;
  entries_.erase(name);
  rows.remove(key);
  return arrived;
}

void receipt_book::restore(receipt_row row, instant now) {
  if (row.expiry <= now.wall || !is_open(row)) return;
  const auto until = deadline_of(row.expiry, now, lasts);
  keep(std::move(row), until, now.steady);
}

}  // namespace stox::gateway
