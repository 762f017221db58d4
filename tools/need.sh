# Sourced by the scripts here: need COMMAND PACKAGE [REASON]
# Makes sure that COMMAND can be run; root on Debian gets PACKAGE installed.
# shellcheck shell=bash

need() {
  command -v "$1" >/dev/null && return 0
  local me=tools/${0##*/}
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "$me: installing Debian's package $2" >&2
    if DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$2" &>/dev/null </dev/null ||
      { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$2"; } &>/dev/null </dev/null; then
      command -v "$1" >/dev/null && return 0
    fi
  fi
  echo "$me: needs $1 (Debian's package $2), which is not here and cannot be installed." >&2
  exit 1
}
