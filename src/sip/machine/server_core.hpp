#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/key_index.hpp"
#include "sip/machine/connections.hpp"
#include "sip/machine/context.hpp"
#include "sip/machine/locator.hpp"
#include "sip/machine/rate_limit.hpp"
#include "sip/machine/response_builder.hpp"
#include "sip/machine/server_tx.hpp"
#include "sip/machine/slot_table.hpp"

namespace stox::sip {

/// The server side: requests come in, are checked in order, become transactions and are answered. What is
/// refused, what OPTIONS asks and what asks for nothing lasting is answered without state (RFC 3261 §8.2.7),
/// so that refusing costs no memory.
///
/// A transaction that was answered keeps its key, the response's bytes, where they go and one timer;
/// everything else is dropped then, so that 160,000 of them waiting for Timer J are a matter of some 100 MB
/// with their responses.
class server_core {
 public:
  server_core(context& ctx, connections& conns, dns::resolver& dns);

  /// A whole request; `size`: of the packet that it came in. `own_hosts`: see admit().
  void handle(request&& r, const peer_info& peer, std::size_t size, const std::vector<std::string>& own_hosts,
              instant now);
  /// One that could not be parsed: answered 400 (505, 501) where it has a Via. False: it was not answered.
  bool handle_malformed(const parse_failure& failure, const peer_info& peer, std::size_t size, instant now);

  void respond(server_tx tx, const reply& r, instant now);
  void timeout(std::uint64_t number, instant now);
  void sent(std::uint64_t number);
  void send_failed(std::uint64_t number, instant now);
  void resolved(const dns::resolver::answered& a, instant now);

 private:
  /// By which stream a response goes; each is tried once, in this order.
  enum class way : std::uint8_t {
    arrived,  ///< the one that the request came on
    source,   ///< a new one to the address that the first one came from, RFC 3261 §18.2.2
    servers,  ///< to the servers of the name in the Via's sent-by, RFC 3263 §5
  };
  /// What only a transaction without a final answer needs.
  struct open_part {
    response_head head;
    std::string tag;
    bool cancelled = false;
  };
  struct record {
    explicit record(server_transaction f) : fsm(std::move(f)) {}
    server_transaction fsm;
    std::string keys;          ///< its server key, then its merge key
    std::size_t key_size = 0;  ///< of the first
    std::uint64_t key_hash = 0, merge_hash = 0;
    reply_route route;
    way by = way::arrived;
    std::unique_ptr<open_part> open;
    timer_handle timer;
    charge memory;
  };
  /// A request on its way through the checks.
  struct arrival {
    request& message;
    essentials& head;
    const peer_info& peer;
    std::size_t size;
    instant now;
  };
  /// What a request is looked up by, built once in one place; each is hashed once.
  struct lookup {
    std::string keys;
    std::size_t key_size = 0;
    std::uint64_t key_hash = 0, merge_hash = 0;
    std::string_view key() const { return std::string_view(keys).substr(0, key_size); }
    std::string_view merge() const { return std::string_view(keys).substr(key_size); }
  };

  void acknowledge(const arrival& a);
  void cancel(const arrival& a);
  std::optional<reply> check(const arrival& a, const boost::system::result<uri, error>& target,
                             const std::vector<std::string>& own_hosts) const;
  bool is_merged(const arrival& a) const;
  reply malformed_reply(const parse_failure& failure) const;
  reply options_reply() const;
  reply unavailable(std::uint16_t status) const;
  void begin(const arrival& a, uri target);

  void reject(const arrival& a, const reply& what);
  /// Answers without state, within what a stranger may get.
  void answer(const response_head& head, const reply& what, const via& top, const peer_info& peer,
              std::size_t size, instant now);
  std::string stateless_tag(const request& r) const;

  void transmit(record& rec, std::uint64_t number, instant now);
  bool next_stream(record& rec, std::uint64_t number, instant now);
  void note_lost(const record& rec);
  void transmit_again(record& rec, std::uint64_t number, instant now);
  void say_trying(record& rec, std::uint64_t number, instant now);
  void update(record& rec, std::uint64_t number);
  void destroy(std::uint64_t number);
  /// Fills lookup_ for a request with that method in its keys.
  void look_for(const request& r, const essentials& head, std::string_view method);
  std::uint64_t find_transaction() const;  ///< by lookup_'s server key; 0: none
  std::uint64_t find_merged() const;       ///< by its merge key

  context& ctx_;
  connections& conns_;
  std::uint64_t seed_;  ///< of what must be repeatable for us and not foreseeable for others
  rate_limit limit_;
  slot_table<record> records_;
  key_index<std::uint64_t> by_key_, by_merge_key_;
  locator locator_;
  std::unordered_map<std::uint64_t, std::deque<target>> servers_;  ///< not tried yet, of way::servers
  lookup lookup_;
};

}  // namespace stox::sip
