#include "dns/record.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace stox::dns {
namespace {

// Takes fields off the front of a record's data. After one that was not there all others are missing, too: it
// is enough to look at the last.
class data_reader {
 public:
  explicit data_reader(std::string_view data) : rest_(data) {}

  std::optional<std::string_view> bytes(std::size_t n) {
    ended_ = ended_ || rest_.size() < n;
    if (ended_) return std::nullopt;
    const auto out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  std::optional<std::uint8_t> u8() {
    const auto b = bytes(1);
    if (!b) return std::nullopt;
    return static_cast<std::uint8_t>((*b)[0]);
  }
  std::optional<std::uint16_t> u16() {
    const auto b = bytes(2);
    if (!b) return std::nullopt;
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>((*b)[0]) << 8 |
                                      static_cast<std::uint8_t>((*b)[1]));
  }
  // RFC 1035 §3.3: <character-string>, a length byte and so many bytes.
  std::optional<std::string_view> text() {
    const auto n = u8();
    if (!n) return std::nullopt;
    return bytes(*n);
  }
  result<std::string> name();
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ended_ = false;
};

bool is_name_char(char c) { return text::is_alnum(c) || c == '-' || c == '_'; }

// RFC 1035 §3.1: labels, then the empty one. Not compressed: that is undone before the data gets here
// (RFC 3597 §4).
result<std::string> data_reader::name() {
  constexpr std::size_t longest_label = 63, longest_name = 253;
  std::string out;
  for (;;) {
    const auto n = u8();
    if (!n) return error(errc::truncated, "domain name");
    if (*n == 0) return out;
    if (*n > longest_label) return error(errc::bad_name, "label of more than 63 bytes");
    const auto label = bytes(*n);
    if (!label) return error(errc::truncated, "domain name");
    if (!std::all_of(label->begin(), label->end(), is_name_char)) {
      return error(errc::bad_name, "a byte that is no letter, digit, hyphen or underscore");
    }
    if (!out.empty()) out += '.';
    out += text::to_lower(*label);
    if (out.size() > longest_name) return error(errc::bad_name, "name of more than 253 bytes");
  }
}

result<record> address(data_reader& in, std::size_t size) {
  const auto bytes = in.bytes(size);
  if (!bytes) return error(errc::truncated, "address");
  ip_address out;
  if (size == 4) out.bytes[10] = out.bytes[11] = 0xFF;
  std::copy(bytes->begin(), bytes->end(), out.bytes.end() - static_cast<std::ptrdiff_t>(size));
  return record(out);
}

result<record> service(data_reader& in) {
  const auto priority = in.u16(), weight = in.u16(), port = in.u16();
  if (!port) return error(errc::truncated, "SRV");
  auto target = in.name();
  if (!target) return target.error();
  return record(srv_record{*priority, *weight, *port, std::move(*target)});
}

result<record> naming_pointer(data_reader& in) {
  const auto order = in.u16(), preference = in.u16();
  const auto flags = in.text(), services = in.text(), regexp = in.text();
  if (!regexp) return error(errc::truncated, "NAPTR");
  auto replacement = in.name();
  if (!replacement) return replacement.error();
  return record(naptr_record{*order, *preference, text::to_lower(*flags), text::to_lower(*services),
                             std::string(*regexp), std::move(*replacement)});
}

result<record> certificate_association(data_reader& in, std::size_t size) {
  const auto head = in.bytes(3);
  const auto data = head ? in.bytes(size - 3) : std::nullopt;
  if (!data || data->empty()) return error(errc::truncated, "TLSA");
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>((*head)[at]); };
  return record(tlsa_record{byte(0), byte(1), byte(2), std::string(*data)});
}

result<record> parse_fields(io::record_type type, data_reader& in, std::size_t size) {
  switch (type) {
    case io::record_type::a: return address(in, 4);
    case io::record_type::aaaa: return address(in, 16);
    case io::record_type::srv: return service(in);
    case io::record_type::naptr: return naming_pointer(in);
    case io::record_type::tlsa: return certificate_association(in, size);
  }
  return error(errc::trailing, "unknown type");
}

}  // namespace

const char* errc_name(errc e) {
  switch (e) {
    case errc::truncated: return "truncated";
    case errc::trailing: return "trailing";
    case errc::bad_name: return "bad_name";
  }
  return "?";
}

result<record> parse_record(io::record_type type, std::string_view data) {
  data_reader in(data);
  auto out = parse_fields(type, in, data.size());
  if (out && !in.done()) return error(errc::trailing, "bytes behind the record");
  return out;
}

std::size_t size_of(const question& q, const answer& a) {
  std::size_t n = 400 + 2 * q.name.size();
  for (const auto& r : a.records) {
    n += sizeof(record);
    if (const auto* s = std::get_if<srv_record>(&r)) n += s->target.size();
    if (const auto* t = std::get_if<tlsa_record>(&r)) n += t->data.size();
    if (const auto* p = std::get_if<naptr_record>(&r)) {
      n += p->flags.size() + p->service.size() + p->regexp.size() + p->replacement.size();
    }
  }
  return n;
}

std::string to_string(const question& q) { return std::string(io::to_string(q.type)) + ' ' + q.name; }

}  // namespace stox::dns
