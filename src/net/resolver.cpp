#include "net/resolver.hpp"

#include <unbound.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <map>
#include <utility>

#include "net/errc.hpp"

namespace stox::net {
namespace {

namespace asio = boost::asio;

constexpr int class_in = 1;
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

// libunbound names a server "192.0.2.1@5353".
std::string server_name(const socket_address& a) { return a.ip.to_string() + "@" + std::to_string(a.port); }

result<context_ptr> make_context(const std::vector<socket_address>& servers) {
  context_ptr c(ub_ctx_create());
  if (!c) return error(errc::dns, "out of memory");
  // A thread, not a process of its own.
  int bad = ub_ctx_async(c.get(), 1);
  // Resolvers on this machine are the usual case, and refused by default.
  if (bad == 0) bad = ub_ctx_set_option(c.get(), "do-not-query-localhost:", "no");
  for (const auto& s : servers)
    if (bad == 0) bad = ub_ctx_set_fwd(c.get(), server_name(s).c_str());
  if (bad != 0) return error(errc::dns, ub_strerror(bad));
  // libunbound answers these itself; who has a name server of his own may use them there (RFC 6761, RFC
  // 8375).
  ub_ctx_zone_remove(c.get(), "test.");
  ub_ctx_zone_add(c.get(), "home.arpa.", "transparent");
  // Without these files libunbound asks the root servers, as a resolver of its own.
  if (servers.empty()) ub_ctx_resolvconf(c.get(), nullptr);
  ub_ctx_hosts(c.get(), nullptr);
  return c;
}

}  // namespace

struct resolver::impl {
  impl(reactor& r, event_sink& s, context_ptr c)
      : sink(s), context(std::move(c)), readable(r.context(), ub_fd(context.get())) {}
  // The descriptor is libunbound's to close.
  ~impl() { readable.release(); }

  // What libunbound keeps of a question until its answer.
  struct question {
    impl* owner = nullptr;
    io::lookup_id id{};
    int async_id = 0;
  };

  static void answered(void* question_ptr, int err, ub_result* r) {
    auto& q = *static_cast<question*>(question_ptr);
    q.owner->tell(q.id, err, result_ptr(r));
  }
  void tell(io::lookup_id id, int err, const result_ptr& r);
  void fail(io::lookup_id id);
  void wait();

  event_sink& sink;
  context_ptr context;
  asio::posix::stream_descriptor readable;
  std::map<io::lookup_id, question> open;
};

void resolver::impl::tell(io::lookup_id id, int err, const result_ptr& r) {
  io::looked_up e;
  e.id = id;
  e.status = status_of(err, r.get());
  if (r) e.ttl = static_cast<std::uint32_t>(std::max(r->ttl, 0));
  if (e.status == io::lookup_status::found) {
    for (int i = 0; r->data[i] != nullptr; ++i)
      e.data.emplace_back(r->data[i], static_cast<std::size_t>(r->len[i]));
  }
  open.erase(id);
  sink.on_event(e);
}

void resolver::impl::wait() {
  readable.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& ec) {
    if (ec) return;
    wait();
    ub_process(context.get());
    sink.on_batch_end();
  });
}

result<std::unique_ptr<resolver>> resolver::start(reactor& io, event_sink& sink,
                                                  const std::vector<socket_address>& servers) {
  auto context = make_context(servers);
  if (!context) return context.error();
  auto made = std::make_unique<impl>(io, sink, std::move(*context));
  made->wait();
  return std::unique_ptr<resolver>(new resolver(std::move(made)));
}

resolver::resolver(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
resolver::~resolver() = default;

void resolver::lookup(const io::lookup& q) {
  auto& entry = impl_->open[q.id];
  entry = {impl_.get(), q.id, 0};
  const int bad = ub_resolve_async(impl_->context.get(), q.name.c_str(), static_cast<int>(q.type), class_in,
                                   &entry, &impl::answered, &entry.async_id);
  if (bad == 0) return;
  // Told as an event, like any answer: the core is in the middle of asking.
  impl_->open.erase(q.id);
  impl_->sink.on_event(io::looked_up{q.id, io::lookup_status::failed, 0, {}});
}

void resolver::cancel(io::lookup_id id) {
  const auto at = impl_->open.find(id);
  if (at == impl_->open.end()) return;
  ub_cancel(impl_->context.get(), at->second.async_id);
  impl_->open.erase(at);
}

}  // namespace stox::net
