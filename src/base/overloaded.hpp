#pragma once

namespace stox {

/// One lambda for each alternative of a std::visit; a missing one does not compile.
template <class... F>
struct overloaded : F... {
  using F::operator()...;
};
template <class... F>
overloaded(F...) -> overloaded<F...>;

}  // namespace stox
