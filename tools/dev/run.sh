#!/usr/bin/env bash
# Starts only the gateway, with a sample configuration and a store in build/run (--folder); says what to set on the servers. Ends on Ctrl-C.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
base=
folder=$here/build/run
stoxd=$here/build/release/src/daemon/stoxd
usage() {
  echo "usage: ./dev run [--port-base N] [--folder FOLDER] [-- FLAGS OF STOXD]   (SIP on N, its proxy expected on N+20; default 5060)" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    --port-base) base=${2:?--port-base wants a port}; shift 2 ;;
    --folder) folder=${2:?--folder wants a folder}; shift 2 ;;
    --stoxd) stoxd=${2:?--stoxd wants a program}; shift 2 ;;
    --) shift; break ;;
    *) usage ;;
  esac
done
case $base in *[!0-9]*) echo "dev: --port-base wants a number" >&2; exit 2 ;; esac
config=$folder/stox.toml
mkdir -p "$folder"
if [ ! -e "$config" ]; then
  first=${base:-5060}
  umask 077
  secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  cat >"$config" <<TXT
# Written once by ./dev run; change it as you like, or delete it for a new one.
[gateway]
sip_domains = ["sip.example"]
xmpp_domains = ["xmpp.example"]

[sip]
listen = ["udp:127.0.0.1:$first", "tcp:127.0.0.1:$first"]
outbound_proxy = "sip:127.0.0.1:$((first + 20));lr"
trusted_peers = ["127.0.0.0/8"]

[[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:5347"
secret = "$secret"

[store]
path = "$folder/stox.db"

[admin]
listen = "127.0.0.1:9464"
control = "$folder/ctl"
TXT
fi
secret=$(sed -n 's/^secret = "\(.*\)"$/\1/p' "$config" | head -n 1)
listen=$(sed -n 's/^listen = \["udp:\([^"]*\)".*/\1/p' "$config" | head -n 1)
metrics=$(sed -n '/^\[admin\]/,$ s/^listen = "\(.*\)"$/\1/p' "$config" | head -n 1)
if [ -n "$base" ]; then
  # Flags win over the file, which stays as its owner wants it.
  listen=127.0.0.1:$base
  set -- --sip.listen="udp:$listen,tcp:$listen" --sip.outbound-proxy="sip:127.0.0.1:$((base + 20));lr" "$@"
fi
cat <<TXT
stoxd runs in the foreground; Ctrl-C ends it.
  configuration   $config
  metrics         http://$metrics/metrics   ready: http://$metrics/readyz

On Prosody (prosody.cfg.lua), then restart it:
  Component "sip.example"
      component_secret = "$secret"

On Kamailio, where a request leaves for a domain that is not yours:
  if (\$rd == "xmpp.example") { \$du = "sip:$listen"; t_relay(); exit; }

TXT
exec "$stoxd" --config "$config" "$@"
