#pragma once

namespace stox::net {

/// SIGTERM, SIGINT and SIGHUP wait from here on, in this thread and in those that it starts: before the loop
/// takes them, one of them would end the process as it stands.
void hold_signals();
/// They come through to this thread, those that waited at once.
void release_signals();
/// Whether SIGTERM or SIGINT waits.
bool end_is_asked();

}  // namespace stox::net
