// Boost.JSON, compiled once for whoever speaks JSON: the control socket and stoxctl.
#include <boost/json/src.hpp>
