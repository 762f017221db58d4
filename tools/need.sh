# Sourced by the scripts here:
#
#   need COMMAND PACKAGE    makes sure that COMMAND can be run
#   need_file FILE PACKAGE  makes sure that FILE is there
#
# Root on Debian gets PACKAGE installed.
# shellcheck shell=bash

# Waits for another apt instead of failing beside it, and lets it be seen what apt
# says if it fails.
install_package() { # PACKAGE
  local options=(--yes --no-install-recommends -o DPkg::Lock::Timeout=300) log
  log=$(mktemp)
  if ! DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$1" &>"$log" </dev/null &&
    ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$1"; } &>"$log" </dev/null; then
    tail -n 5 "$log" >&2
  fi
  rm -f "$log"
}

# Installs PACKAGE unless `there` is true, which is asked again then.
need_package() { # WHAT PACKAGE THERE...
  local me=tools/${0##*/} what=$1 package=$2
  shift 2
  "$@" && return 0
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "$me: installing Debian's package $package" >&2
    install_package "$package"
    "$@" && return 0
  fi
  echo "$me: needs $what (Debian's package $package), which is not here and cannot be installed." >&2
  exit 1
}

is_command() { command -v "$1" >/dev/null; }
need() { need_package "$1" "$2" is_command "$1"; }
need_file() { need_package "$1" "$2" test -e "$1"; }
