# Sourced by the scripts that compile without Bazel: include_flags
# Sets `flags`, with which a compiler finds what the sources of this repository
# include, and `includes`, the folder in which heddle/ is this repository. The
# folder is in the cache, because what an editor reads has to go on to be true.
# shellcheck shell=bash disable=SC2154

include_flags() {
  local repository
  repository=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
  "$repository/tools/bazel" info release >/dev/null </dev/null || return # prepares, and says so where the rest is silent

  # "heddle/sync/lock.h" is sync/lock.h, as the macro in cc.bzl makes it.
  includes=$(sha256sum <<<"$repository")
  includes=$cache/include-${includes:0:16}
  mkdir -p "$includes" && ln -sfn "$repository" "$includes/heddle"
  flags=(-std=c++20 "-I$includes")

  folder_of() { # LABEL: where this Bazel put the package
    local place
    place=$("$repository/tools/bazel" query --output=location "$1" 2>/dev/null </dev/null) ||
      die "Bazel does not find $1; what does it say to: tools/bazel query --output=location $1"
    echo "${place%%/BUILD*}"
  }
  local absl googletest benchmark
  absl=$(folder_of @com_google_absl//absl/base:core_headers) || exit
  googletest=$(folder_of @com_google_googletest//:gtest) || exit
  benchmark=$(folder_of @com_github_google_benchmark//:benchmark) || exit
  flags+=(
    -isystem "${absl%/absl/base}"
    -isystem "$benchmark/include"
    -isystem "$googletest/googletest/include"
    -isystem "$googletest/googlemock/include"
  )
}

# Prints, each ended by a zero, the sources that these flags are enough for: all
# that git tracks or would track, but for those that need the peers of
# tools/compare, those of the consumer, a repository of its own, and those that
# must not compile.
sources_to_compile() {
  git ls-files -z --cached --others --exclude-standard -- \
    '*.cc' ':!tools/compare/peers' ':!tools/compare/rows' ':!examples/consumer' ':!tools/mistakes'
}
