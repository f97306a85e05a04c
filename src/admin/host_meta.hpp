#pragma once

#include <string>
#include <string_view>

#include "admin/admin.hpp"

namespace stox::admin {

/// The host-meta.json (XEP-0487) of the domain that the Host field names: the ports on which other servers
/// reach it with TLS from the first byte. An error says why there is none; a document that names no way in
/// would be worse, since who has one asks the DNS no more.
result<std::string> host_meta(std::string_view host, const federation& here);

}  // namespace stox::admin
