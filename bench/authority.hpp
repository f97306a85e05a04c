#pragma once

#include <memory>
#include <string>

namespace bench {

/// A certificate for one XMPP domain and its key, as PEM files.
struct identity {
  std::string chain, key;
};

/// An authority of our own for one run: what it issues proves a domain in both roles of TLS (DNS name,
/// serverAuth and clientAuth).
class authority {
 public:
  /// `folder`: for the files, with a slash at its end.
  explicit authority(std::string folder);
  ~authority();
  authority(const authority&) = delete;
  authority& operator=(const authority&) = delete;

  std::string file() const { return folder_ + "ca.pem"; }
  identity issue(const std::string& domain);

 private:
  struct keys;
  std::string folder_;
  std::unique_ptr<keys> keys_;
  long serial_ = 1;
};

}  // namespace bench
