# Sourced by the scripts that keep what they prepare: sets $cache, the folder for
# it, and gives them words to say and a lock. $me is the name they go by.
# shellcheck shell=bash

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "$*"; exit 1; }

cache=${XDG_CACHE_HOME:-}
[[ $cache == /* ]] || cache=${HOME:-$(cd ~ && pwd)}/.cache
cache+=/heddle

# Runs the rest of the script alone: two first runs at once do the work once.
# The lock ends with unlock or with the process, however it ends.
lock() {
  mkdir -p "$cache" 2>/dev/null || die "cannot make the cache folder $cache; set XDG_CACHE_HOME to a folder that can be written."
  exec 9>"$cache/lock"
  if ! flock --nonblock 9; then
    say "waiting for another script that is preparing $cache"
    flock 9
  fi
}
unlock() { exec 9>&-; }

# Prints the address of the first Debian archive that this machine installs from,
# as apt itself reads it from its sources (of either format).
debian_archive() {
  # shellcheck disable=SC2016  # the format is apt's, not the shell's
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
    sed -n 's/^Debian //p' | head -n 1
}
