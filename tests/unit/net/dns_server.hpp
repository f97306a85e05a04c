#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/net_address.hpp"
#include "base/text.hpp"
#include "net/reactor.hpp"

namespace stox::net {

/// A name server on loopback that knows a few records, and is silent about names that it was told to ignore.
class dns_server {
 public:
  explicit dns_server(reactor& io)
      : socket_(io.context(), boost::asio::ip::udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    receive();
  }

  socket_address address() const {
    return {*ip_address::parse("127.0.0.1"), socket_.local_endpoint().port()};
  }
  void add(std::uint16_t type, const std::string& name, std::string data) {
    records_[{type, name}].push_back(std::move(data));
  }
  /// The data of a RRSIG record, which goes with the records that it is over.
  void sign(std::uint16_t type, const std::string& name, std::string signature) {
    signatures_[{type, name}] = std::move(signature);
  }
  void ignore(std::string name) { ignored_ = std::move(name); }
  void be_silent(bool silent) { silent_ = silent; }
  /// Negative answers say for how many seconds they may be kept.
  void add_soa(std::uint8_t seconds) { soa_ = seconds; }
  int questions() const { return questions_; }

 private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(in_), from_,
                               [this](const boost::system::error_code& ec, std::size_t n) {
                                 if (ec) return;
                                 answer(std::string_view(in_, n));
                                 receive();
                               });
  }

  static std::uint16_t u16(std::string_view s, std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(s[at]) << 8 |
                                      static_cast<unsigned char>(s[at + 1]));
  }
  static std::string u16(std::size_t v) {
    return {static_cast<char>(v >> 8 & 0xFF), static_cast<char>(v & 0xFF)};
  }

  // RFC 1035 §4.1. What follows the question (EDNS) is not looked at.
  void answer(std::string_view query) {
    if (query.size() < 17) return;
    std::size_t at = 12;
    std::string name;
    while (at < query.size() && query[at] != 0) {
      const auto n = static_cast<unsigned char>(query[at]);
      name += (name.empty() ? "" : ".") + text::to_lower(query.substr(at + 1, n));
      at += 1u + n;
    }
    const auto end = at + 5;
    if (end > query.size()) return;
    ++questions_;
    if (silent_ || name == ignored_) return;
    const auto type = u16(query, at + 1);
    const auto found = records_.find({type, name});
    const std::vector<std::string> none;
    const auto& data = found == records_.end() ? none : found->second;
    const bool known =
        std::any_of(records_.begin(), records_.end(), [&](const auto& r) { return r.first.second == name; });
    std::string out(query.substr(0, 2));
    const bool soa = data.empty() && soa_;
    const auto record = [](std::uint16_t of, const std::string& d) {
      return u16(0xC00C) + u16(of) + u16(1) + u16(0) + u16(77) + u16(d.size()) + d;
    };
    const auto signature = data.empty() ? signatures_.end() : signatures_.find({type, name});
    const bool is_signed = signature != signatures_.end();
    out += u16(0x8180 | (known ? 0 : 3)) + u16(1) + u16(data.size() + (is_signed ? 1 : 0)) +
           u16(soa ? 1 : 0) + u16(0);
    out += query.substr(12, end - 12);
    for (const auto& d : data) out += record(type, d);
    if (is_signed) out += record(46, signature->second);
    if (soa) {
      // Of the root: two names "." and five numbers, the last of which is the time (RFC 2308 §4).
      const std::string time = u16(0) + u16(*soa_);
      out += std::string(1, '\0') + u16(6) + u16(1) + time + u16(22) + std::string(2 + 16, '\0') + time;
    }
    socket_.send_to(boost::asio::buffer(out), from_);
  }

  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint from_;
  char in_[1500] = {};
  std::map<std::pair<std::uint16_t, std::string>, std::vector<std::string>> records_;
  std::map<std::pair<std::uint16_t, std::string>, std::string> signatures_;
  std::string ignored_;
  bool silent_ = false;
  std::optional<std::uint8_t> soa_;
  int questions_ = 0;
};

}  // namespace stox::net
