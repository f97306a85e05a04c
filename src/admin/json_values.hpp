#pragma once

#include <boost/json.hpp>
#include <vector>

#include "admin/admin.hpp"

/// What the engine and the daemon give, as JSON.
namespace stox::admin {

boost::json::object sample_object(const engine::sample& s);
boost::json::array list(const std::vector<incident>& incidents);
boost::json::array list(const std::vector<engine::link_status>& links);
boost::json::array list(const std::vector<engine::server_stream>& streams);
boost::json::array list(const std::vector<engine::sip_peer>& peers);
boost::json::array list(const std::vector<engine::session>& sessions);
boost::json::array list(const std::vector<blocked_source>& blocks);
boost::json::array list(const std::vector<settings::changed_key>& changes);
boost::json::array list(const std::vector<engine::peer_fact>& facts);
boost::json::array list(const std::vector<store_report::table>& tables);
boost::json::array list(const std::vector<std::string>& texts);

}  // namespace stox::admin
