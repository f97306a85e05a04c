#include "translate/message_head.hpp"

#include <utility>

namespace stox::translate {

sip::request begin_message(message_head h) {
  using sip::header;
  sip::request r;
  r.method = sip::method::message;
  r.method_name = "MESSAGE";
  r.headers.reserve(16, 512);
  r.headers.add(header::max_forwards, "70");
  h.from.append(";tag=").append(h.from_tag);
  r.headers.add(header::from, std::move(h.from));
  r.headers.add(header::to, std::move(h.to));
  r.headers.add(header::call_id, std::move(h.call_id));
  r.headers.add(header::cseq, "1 MESSAGE");
  if (!h.asserted.empty()) r.headers.add(header::p_asserted_identity, std::move(h.asserted));
  return r;
}

std::string angled(const sip::uri& u) {
  std::string out;
  out.reserve(u.host.size() + 64);
  add_angled(out, u);
  return out;
}

void add_angled(std::string& out, const sip::uri& u) {
  out += '<';
  sip::write_to(out, u);
  out += '>';
}

}  // namespace stox::translate
