#include "net/resolver.hpp"

#include <arpa/nameser.h>
#include <sys/stat.h>
#include <unbound.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "net/errc.hpp"

namespace stox::net {
namespace {

namespace asio = boost::asio;

constexpr int class_in = 1;
constexpr std::string_view servers_key = "dns.servers", anchor_key = "dns.trust_anchor";
// RFC 1035 §4.1.1: response codes.
constexpr int rcode_ok = 0, rcode_no_name = 3;

struct context_deleter {
  void operator()(ub_ctx* c) const { ub_ctx_delete(c); }
};
struct result_deleter {
  void operator()(ub_result* r) const { ub_resolve_free(r); }
};
using context_ptr = std::unique_ptr<ub_ctx, context_deleter>;
using result_ptr = std::unique_ptr<ub_result, result_deleter>;

io::lookup_status status_of(int err, const ub_result* r) {
  if (err != 0 || r == nullptr || r->bogus != 0) return io::lookup_status::failed;
  if (r->havedata != 0) return io::lookup_status::found;
  if (r->nxdomain != 0 || r->rcode == rcode_no_name) return io::lookup_status::no_name;
  return r->rcode == rcode_ok ? io::lookup_status::no_data : io::lookup_status::failed;
}

// RFC 2308 §5: how long there is nothing stands in the SOA record; without one the answer is not to be kept.
bool may_be_kept(const ub_result& r) {
  ns_msg message;
  if (ns_initparse(static_cast<const u_char*>(r.answer_packet), r.answer_len, &message) != 0) return false;
  for (int i = 0; i < ns_msg_count(message, ns_s_ns); ++i) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_ns, i, &record) == 0 && ns_rr_type(record) == ns_t_soa) return true;
  }
  return false;
}

// libunbound names a server "192.0.2.1@5353".
std::string server_name(const socket_address& a) { return a.ip.to_string() + "@" + std::to_string(a.port); }

// libunbound is made to ask the root servers: it has few ports, and gives a silent server minutes to recover.
// We have few servers, which must be tried again at once when they come back.
constexpr std::pair<const char*, const char*> tuning[] = {
    // Resolvers on this machine are the usual case, and refused by default.
    {"do-not-query-localhost:", "no"},
    // Seconds; what is remembered of a silent server goes with it.
    {"infra-host-ttl:", "1"},
    // As many as the core asks at the same time.
    {"num-queries-per-thread:", "512"},
    {"outgoing-range:", "512"},
};

/// Whether the file names a server. One that does not is half written, or is nobody's.
bool names_server(const std::string& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto words = text::trim(line);
    if (words.starts_with("nameserver") && words.size() > 11 && (words[10] == ' ' || words[10] == '\t'))
      return true;
  }
  return false;
}

struct made_context {
  context_ptr context;
  bool without_system_servers = false;
};

/// What tells one state of a file from another: whoever writes it anew gives it another inode or time.
struct file_stamp {
  dev_t device{};
  ino_t inode{};
  off_t size{};
  std::int64_t seconds = 0, nanoseconds = 0;
  friend bool operator==(const file_stamp&, const file_stamp&) = default;
};
/// Of a file that cannot be found, all 0.
file_stamp stamp_of(const std::string& file) {
  struct stat s {};
  if (stat(file.c_str(), &s) != 0) return {};
  return {s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
}

error dns_error(std::string_view key, std::string_view why) {
  return {errc::dns, std::string(key) + ": " + std::string(why)};
}

result<made_context> make_context(const settings::dns& dns, const std::string& system_file) {
  errno = 0;
  made_context out{context_ptr(ub_ctx_create()), false};
  ub_ctx* const c = out.context.get();
  // Not all of its failures set errno, and "Success" helps nobody.
  if (c == nullptr) return dns_error(servers_key, errno == 0 ? "out of memory" : std::strerror(errno));
  // A thread, not a process of its own.
  int bad = ub_ctx_async(c, 1);
  for (const auto& [key, value] : tuning)
    if (bad == 0) bad = ub_ctx_set_option(c, key, value);
  for (const auto& s : dns.servers)
    if (bad == 0) bad = ub_ctx_set_fwd(c, server_name(s).c_str());
  if (bad != 0) return dns_error(servers_key, ub_strerror(bad));
  // Without servers libunbound would ask the root, as a resolver of its own.
  if (dns.servers.empty()) {
    out.without_system_servers = !names_server(system_file);
    bad = out.without_system_servers ? ub_ctx_set_fwd(c, "127.0.0.1")
                                     : ub_ctx_resolvconf(c, system_file.c_str());
    if (bad != 0) return dns_error(servers_key, ub_strerror(bad));
  }
  if (const auto& anchor = dns.trust_anchor; !anchor.empty()) {
    // libunbound would say only that it cannot begin.
    if (access(anchor.c_str(), R_OK) != 0)
      return dns_error(anchor_key, anchor + ": " + std::string(std::strerror(errno)));
    bad = ub_ctx_add_ta_file(c, anchor.c_str());
    if (bad != 0) return dns_error(anchor_key, ub_strerror(bad));
  }
  ub_ctx_hosts(c, nullptr);
  // Last, because this ends the time of settings. libunbound answers these itself; who has a name server of
  // his own may use them there (RFC 6761, RFC 8375).
  bad = ub_ctx_zone_remove(c, "test.");
  if (bad != 0 && !dns.trust_anchor.empty())
    return dns_error(anchor_key, dns.trust_anchor + " holds no keys as the DNS writes them (DS or DNSKEY records)");
  if (bad != 0) return dns_error(servers_key, ub_strerror(bad));
  ub_ctx_zone_add(c, "home.arpa.", "transparent");
  return out;
}

}  // namespace

struct resolver::impl {
  impl(reactor& r, event_sink& s, made_context m)
      : sink(s), made(std::move(m)), readable(r.context(), ub_fd(made.context.get())) {}
  result<> ask_others(settings::dns others);
  // The descriptor is libunbound's to close.
  ~impl() { readable.release(); }

  // What libunbound keeps of a question until its answer.
  struct question {
    impl* owner = nullptr;
    io::lookup asked;
    int async_id = 0;
  };

  static void answered(void* question_ptr, int err, ub_result* r) {
    auto& q = *static_cast<question*>(question_ptr);
    q.owner->tell(q.asked.id, err, result_ptr(r));
  }
  void tell(io::lookup_id id, int err, const result_ptr& r);
  bool ask(question& q);
  void fail(io::lookup_id id);
  void wait();
  void replace(made_context m);

  event_sink& sink;
  made_context made;
  settings::dns dns;
  system_servers system;
  file_stamp read;  // the system's file, as it was when it was read
  steady_time looked_at{};
  asio::posix::stream_descriptor readable;
  std::map<io::lookup_id, question> open;
};

void resolver::impl::tell(io::lookup_id id, int err, const result_ptr& r) {
  io::looked_up e;
  e.id = id;
  e.status = status_of(err, r.get());
  const bool found = e.status == io::lookup_status::found;
  if (r && (found || may_be_kept(*r))) e.ttl = static_cast<std::uint32_t>(std::max(r->ttl, 0));
  if (found) {
    e.secure = r->secure != 0;
    for (int i = 0; r->data[i] != nullptr; ++i)
      e.data.emplace_back(r->data[i], static_cast<std::size_t>(r->len[i]));
  }
  open.erase(id);
  sink.on_event(e);
}

bool resolver::impl::ask(question& q) {
  return ub_resolve_async(made.context.get(), q.asked.name.c_str(), static_cast<int>(q.asked.type), class_in,
                          &q, &answered, &q.async_id) == 0;
}

// Told as an event, like any answer: the core is in the middle of asking.
void resolver::impl::fail(io::lookup_id id) {
  open.erase(id);
  sink.on_event(io::looked_up{id, io::lookup_status::failed, 0, {}});
}

// The old context ends without a word about its questions.
void resolver::impl::replace(made_context m) {
  auto& executor = readable.get_executor();
  readable.release();
  made = std::move(m);
  readable = asio::posix::stream_descriptor(executor, ub_fd(made.context.get()));
  wait();
  std::vector<io::lookup_id> refused;
  for (auto& [id, q] : open)
    if (!ask(q)) refused.push_back(id);
  for (const auto id : refused) fail(id);
}

void resolver::impl::wait() {
  readable.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& ec) {
    if (ec) return;
    wait();
    ub_process(made.context.get());
    sink.on_batch_end();
  });
}

result<std::unique_ptr<resolver>> resolver::start(reactor& io, event_sink& sink,
                                                  const settings::dns& dns, system_servers system) {
  const auto stamp = stamp_of(system.file);  // before it is read: what is written meanwhile is seen later
  auto context = make_context(dns, system.file);
  if (!context) return context.error();
  auto made = std::make_unique<impl>(io, sink, std::move(*context));
  made->dns = dns;
  made->system = std::move(system);
  made->read = stamp;
  made->looked_at = std::chrono::steady_clock::now();
  made->wait();
  return std::unique_ptr<resolver>(new resolver(std::move(made)));
}

resolver::resolver(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
resolver::~resolver() = default;

result<> resolver::impl::ask_others(settings::dns others) {
  const auto stamp = stamp_of(system.file);
  auto context = make_context(others, system.file);
  if (!context) return context.error();
  dns = std::move(others);
  read = stamp;
  replace(std::move(*context));
  return {};
}

result<> resolver::restart(const settings::dns& dns) { return impl_->ask_others(dns); }

bool resolver::look_at_system() {
  const auto now = std::chrono::steady_clock::now();
  if (!impl_->dns.servers.empty() || now - impl_->looked_at < impl_->system.look_every) return false;
  impl_->looked_at = now;
  const auto found = stamp_of(impl_->system.file);
  // One that is gone or names nobody is perhaps being written anew.
  return found != impl_->read && names_server(impl_->system.file) && impl_->ask_others(impl_->dns);
}

bool resolver::without_system_servers() const { return impl_->made.without_system_servers; }

void resolver::lookup(const io::lookup& q) {
  auto& entry = impl_->open[q.id];
  entry = {impl_.get(), q, 0};
  if (!impl_->ask(entry)) impl_->fail(q.id);
}

void resolver::cancel(io::lookup_id id) {
  const auto at = impl_->open.find(id);
  if (at == impl_->open.end()) return;
  ub_cancel(impl_->made.context.get(), at->second.async_id);
  impl_->open.erase(at);
}

}  // namespace stox::net
