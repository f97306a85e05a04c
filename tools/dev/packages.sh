# shellcheck shell=bash
# What a fresh Debian 12 misses, by group, and how it is installed: sourced by ./dev, not run.

packages_of() {
  case $1 in
    build) echo g++ cmake ninja-build pkg-config ccache python3-minimal \
      libboost1.81-dev libssl-dev libexpat1-dev libicu-dev libmimalloc-dev libsqlite3-dev libunbound-dev zlib1g-dev libtomlplusplus-dev libcli11-dev \
      libspdlog-dev libsystemd-dev prometheus-cpp-dev libgtest-dev libgmock-dev libbenchmark-dev ;;
    # lua-unbound: Prosody asks another name server than the system's. man-db, systemd and libseccomp2: the tests of the manual pages, of the
    # unit, and of the daemon under the unit's filter.
    peers) echo netbase openssl prosody lua-unbound ejabberd kamailio kamailio-tls-modules sip-tester unbound tshark \
      python3 python3-slixmpp man-db systemd libseccomp2 ;;
    demo) echo baresip-core ;;
    clang) echo clang llvm libclang-rt-14-dev clang-format clang-tidy python3 ;;
    # Clients that are not ours, for ./dev e2e --clients. npm brings Converse.js; a Node.js that is not Debian's has its own.
    clients)
      echo chromium chromium-driver fonts-dejavu-core linphone-cli baresip-core
      command -v npm >/dev/null || echo npm
      ;;
    comparison) echo kamailio kamailio-xmpp-modules ;;
    *) echo "dev: no package group \"$1\"; there are build, peers, demo, clang, clients, comparison" >&2; return 1 ;;
  esac
}

# The packages of the groups that are not installed.
missing_packages() {
  local group package all=()
  for group in "$@"; do
    # shellcheck disable=SC2207
    all+=($(packages_of "$group")) || return 1
  done
  for package in "${all[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || echo "$package"
  done | sort -u
}

policy=/usr/sbin/policy-rc.d
policy_mark='# made by the dev script of Stox, process'

# A policy-rc.d that forbids service starts (invoke-rc.d asks it); one that is there already is somebody's decision and stays. Ours
# names its process, so that one left by a killed run is taken over.
block_services() {
  local owner
  if [ -e "$policy" ]; then
    owner=$(sed -n "s/^$policy_mark //p" "$policy" 2>/dev/null || true)
    { [ -n "$owner" ] && ! [ -e "/proc/$owner" ]; } || return 0
  fi
  printf '#!/bin/sh\n%s %s\nexit 101\n' "$policy_mark" "$$" | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
}
unblock_services() {
  if grep -qsx "$policy_mark $$" "$policy"; then "${as_root[@]}" rm -f "$policy"; fi
}

apt_run() { # LOG arguments...: quiet, its own words only when it fails
  local log=$1
  shift
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1 </dev/null || {
    tail -n 30 "$log" >&2
    echo "dev: apt-get $1 failed (see $log)" >&2
    return 1
  }
}

# Converse.js as npm's registry has it: this version with this content, in build/clients/converse.js.
converse_version=14.0.0
converse_sha512=LFUg030jDalV47vI/vyVPqYPZfJYXFbubq8v0cFDe2zXNeeGEk3Up0Fj/WTzT6t+6do+cAIToy73eAj7RNDj2Q==

setup_converse() {
  local folder=$here/build/clients archive sum
  ! grep -qs "\"version\": \"$converse_version\"" "$folder/converse.js/package.json" || return 0
  printf '== setup: Converse.js %s (log: build/clients/npm.log)\n' "$converse_version"
  rm -rf "$folder"
  mkdir -p "$folder/new"
  archive=$folder/converse.js-$converse_version.tgz
  npm pack --ignore-scripts --pack-destination "$folder" "converse.js@$converse_version" >"$folder/npm.log" 2>&1 </dev/null || {
    tail -n 20 "$folder/npm.log" >&2
    return 1
  }
  sum=$(openssl dgst -sha512 -binary "$archive" | base64 -w0)
  [ "$sum" = "$converse_sha512" ] || { echo "dev: $archive is not what it was when this was written" >&2; return 1; }
  tar -xzf "$archive" -C "$folder/new" package/dist package/LICENSE package/package.json
  mv "$folder/new/package" "$folder/converse.js"
  rm -rf "$folder/new" "$archive"
}

# setup [group...]: installs what the groups miss; does nothing, also without a network, when all is there.
setup() {
  [ -z "${STOX_NO_SETUP:-}" ] || return 0
  local groups=("$@")
  [ $# -gt 0 ] || groups=(build peers demo clang)
  setup_packages "${groups[@]}" || return 1
  case " ${groups[*]} " in *" clients "*) setup_converse ;; esac
}

setup_packages() {
  local groups=("$@") missing=() os log
  if ! command -v dpkg-query >/dev/null; then
    echo "dev: this installs packages of Debian 12; here is another system. Install what tools/dev/packages.sh names by your own means, then set STOX_NO_SETUP=1." >&2
    return 1
  fi
  mapfile -t missing < <(missing_packages "${groups[@]}")
  [ "${#missing[@]}" -gt 0 ] || return 0
  os=$(. /etc/os-release && echo "${ID:-unknown} ${VERSION_ID:-}")
  if [ "$os" != "debian 12" ]; then
    printf 'dev: this is %s, and Stox is built on Debian 12. Missing here: %s\ndev: install them by your own means, then set STOX_NO_SETUP=1.\n' "$os" "${missing[*]}" >&2
    return 1
  fi
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { printf 'dev: need root or sudo to install: %s\n' "${missing[*]}" >&2; return 1; }
    as_root=(sudo)
  fi
  mkdir -p "$here/build"
  log=$here/build/setup.log
  : >"$log"
  printf '== setup: installing %s packages (log: %s)\n   %s\n' "${#missing[@]}" "build/setup.log" "${missing[*]}"
  (
    trap unblock_services EXIT
    trap 'exit 130' INT TERM HUP
    block_services
    apt_run "$log" update
    apt_run "$log" install --yes --no-install-recommends "${missing[@]}"
  )
}
