#pragma once

#include <cstddef>
#include <utility>

namespace stox {

/// The one account of memory that peers can make us hold: queues, tables, stored responses. New work asks
/// with `try_take` and is refused above the limit; work that was accepted is charged with `take` whatever the
/// level.
class byte_account {
 public:
  explicit byte_account(std::size_t limit) : limit_(limit) {}
  /// A part of `whole`, counted there as well; `whole` outlives it.
  byte_account(std::size_t limit, byte_account& whole) : limit_(limit), whole_(&whole) {}

  [[nodiscard]] bool has_room(std::size_t n) const {
    return n <= limit_ && used_ <= limit_ - n && (whole_ == nullptr || whole_->has_room(n));
  }
  void take(std::size_t n) {
    used_ += n;
    if (whole_ != nullptr) whole_->take(n);
  }
  void give(std::size_t n) {
    used_ -= n < used_ ? n : used_;
    if (whole_ != nullptr) whole_->give(n);
  }
  std::size_t used() const { return used_; }
  std::size_t limit() const { return limit_; }
  void set_limit(std::size_t limit) { limit_ = limit; }

 private:
  std::size_t limit_;
  std::size_t used_ = 0;
  byte_account* whole_ = nullptr;
};

/// A share of the account that is given back when its owner goes.
class charge {
 public:
  charge() = default;
  charge(byte_account& account, std::size_t n) : account_(&account), n_(n) { account.take(n); }
  charge(charge&& other) noexcept
      : account_(std::exchange(other.account_, nullptr)), n_(std::exchange(other.n_, 0)) {}
  charge& operator=(charge&& other) noexcept {
    std::swap(account_, other.account_);
    std::swap(n_, other.n_);
    return *this;
  }
  charge(const charge&) = delete;
  charge& operator=(const charge&) = delete;
  ~charge() {
    if (account_ != nullptr) account_->give(n_);
  }
  /// Changes the share to n bytes.
  void resize(std::size_t n) {
    if (account_ == nullptr) return;
    account_->give(n_);
    account_->take(n);
    n_ = n;
  }
  std::size_t size() const { return n_; }

 private:
  byte_account* account_ = nullptr;
  std::size_t n_ = 0;
};

}  // namespace stox
