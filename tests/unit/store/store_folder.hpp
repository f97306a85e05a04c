#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "store/sqlite.hpp"
#include "store/sqlite_store.hpp"

namespace stox::store {

/// A folder of its own for each test; the file is looked into through a second connection, past our class.
class store_folder : public testing::Test {
 protected:
  store_folder() {
    std::string name = testing::TempDir() + "stox-store-XXXXXX";
    folder = mkdtemp(name.data());
    path = folder + "/stox.db";
  }
  ~store_folder() override { std::filesystem::remove_all(folder); }

  static database raw(const std::string& file) {
    sqlite3* db = nullptr;
    sqlite3_open(file.c_str(), &db);
    return database(db);
  }
  /// Every row as its columns joined by '|'.
  static std::vector<std::string> rows(const std::string& file, const char* sql) {
    const auto db = raw(file);
    const auto s = prepare(db.get(), sql);
    std::vector<std::string> out;
    while (s && sqlite3_step(s.get()) == SQLITE_ROW) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count(s.get()); ++i) {
        if (i > 0) row += '|';
        row += reinterpret_cast<const char*>(sqlite3_column_text(s.get(), i));
      }
      out.push_back(row);
    }
    return out;
  }
  static incident sample(const std::string& detail, std::chrono::seconds lifetime = std::chrono::hours(24)) {
    const wall_time at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return {at, "sip.example", at + lifetime, 3, "message.to_sip.in_doubt", detail};
  }

  std::string folder, path;
};

}  // namespace stox::store
