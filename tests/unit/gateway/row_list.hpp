#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/stored_row.hpp"

namespace stox::gateway {

/// What a book wants kept, in order: the rim's end of a row_sink.
class row_list final : public row_sink {
 public:
  void save(stored_row row) override { saved.push_back(std::move(row)); }
  void remove(row_key key) override { removed.push_back(std::move(key)); }

  /// "ADDRESS FEATURE VALUE HOW" of each capability that was saved.
  std::vector<std::string> capabilities() const {
    std::vector<std::string> out;
    for (const auto& row : saved) {
      const auto* c = std::get_if<capability_row>(&row);
      if (c != nullptr) out.push_back(c->address + " " + c->feature + " " + c->value + " " + c->how);
    }
    return out;
  }

  std::vector<stored_row> saved;
  std::vector<row_key> removed;
};

}  // namespace stox::gateway
