"""Every rule in Heddle comes from here, so that what must hold everywhere is said once.

Only this file loads the C++ rules: native in Bazel 4, Starlark in Bazel 9.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

# Bazel 4 does not take the headers of other repositories for system headers, so
# only what Abseil's pass in GCC 12 and clang 14 can be here (-Wsign-conversion,
# -Wredundant-decls and -Wuseless-cast it does not). -Wthread-safety is clang's
# alone and therefore in .bazelrc under `clang`.
_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wcast-qual",
    "-Wconversion",
    "-Wextra-semi",
    "-Wformat=2",
    "-Wimplicit-fallthrough",
    "-Wmissing-declarations",
    "-Wnon-virtual-dtor",
    "-Wold-style-cast",
    "-Woverloaded-virtual",
    "-Wshadow",
    "-Wundef",
    "-Wunused",
    "-Wvla",
    "-Wwrite-strings",
    "-Werror",
    # What the newest Abseil deprecates may be the only way that the oldest has.
    "-Wno-error=deprecated-declarations",
]

# absl/flags, which only a main() may use, does not pass these two in GCC 12.
_MAIN_WARNINGS = [
    "-Wno-conversion",
    "-Wno-non-virtual-dtor",
]

# What a target includes it must also depend on, and every header must compile on
# its own. Toolchains without these features (GCC: the first) pass over them.
_FEATURES = [
    "layering_check",
    "parse_headers",
]

# Under --config=model everything of Heddle's is in namespace heddle::model, so
# that no object file of one kind of build links with one of the other, and no
# source has a line about it.
_DEFINES = select({
    "//tools:model": [
        "HEDDLE_MODEL=1",
        "heddle=heddle::model",
    ],
    "//conditions:default": [],
})

# What only makes sense under --config=model, and what only does without it; in
# the other kind of build `bazel test //...` passes over it.
MODEL_ONLY = select({
    "//tools:model": [],
    "//conditions:default": ["//tools:other_kind_of_build"],
})

_ORDINARY_ONLY = select({
    "//tools:model": ["//tools:other_kind_of_build"],
    "//conditions:default": [],
})

_HEADER_SUFFIXES = (".h", ".hh", ".hpp", ".inc")

def _in_main_repository():
    # repository_name() goes away after Bazel 8 and repo_name() came with it.
    if hasattr(native, "repo_name"):
        return native.repo_name() == ""
    return native.repository_name() == "@"

def _copts(copts, warnings = _WARNINGS):
    # Warnings are ours to see and to fix. In another project's build they would
    # be noise, and with a compiler that we never met -Werror would break it.
    return (warnings if _in_main_repository() else []) + copts

def _check_srcs(rule, name, srcs):
    for src in srcs:
        if src.endswith(_HEADER_SUFFIXES):
            fail("%s(name = \"%s\"): %s is a header and belongs in the hdrs of a heddle_cc_library, not in srcs" % (rule, name, src))

def heddle_cc_library(name, srcs = [], hdrs = [], copts = [], defines = [], features = [], **kwargs):
    """A cc_library whose headers are included as "heddle/<folder>/<file>.h".

    The prefix is what keeps a consumer who has a sync/lock.h of its own safe.

    Args:
      name: as in cc_library.
      srcs: only sources: a header in srcs is an error, because it would be
        includable without being in any interface. May not be a select().
      hdrs: every header, also a private one: visibility is what hides it.
      copts: come after the warnings.
      defines: as in cc_library.
      features: come after layering_check and parse_headers.
      **kwargs: as in cc_library.
    """
    _check_srcs("heddle_cc_library", name, srcs)
    cc_library(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        copts = _copts(copts),
        defines = _DEFINES + defines,
        features = _FEATURES + features,
        include_prefix = "heddle",
        strip_include_prefix = "/",
        **kwargs
    )

def heddle_cc_binary(name, srcs = [], copts = [], features = [], model = False, **kwargs):
    """A cc_binary; headers go in a library.

    Args:
      name: as in cc_binary.
      srcs: only sources.
      copts: come after the warnings.
      features: come after layering_check and parse_headers.
      model: it only makes sense under --config=model, as it does only without.
      **kwargs: as in cc_binary.
    """
    _check_srcs("heddle_cc_binary", name, srcs)
    cc_binary(
        name = name,
        srcs = srcs,
        copts = _copts(copts, _WARNINGS + _MAIN_WARNINGS),
        features = _FEATURES + features,
        target_compatible_with = MODEL_ONLY if model else _ORDINARY_ONLY,
        **kwargs
    )

def heddle_cc_test(name, srcs = [], deps = [], copts = [], features = [], **kwargs):
    """A cc_test with GoogleTest and its main().

    Args:
      name: as in cc_test.
      srcs: only sources.
      deps: what is tested; GoogleTest is added.
      copts: come after the warnings.
      features: come after layering_check and parse_headers.
      **kwargs: as in cc_test: size, tags, data, args ...
    """
    _check_srcs("heddle_cc_test", name, srcs)
    cc_test(
        name = name,
        srcs = srcs,
        copts = _copts(copts),
        features = _FEATURES + features,
        target_compatible_with = _ORDINARY_ONLY,
        deps = deps + [
            "@com_google_googletest//:gtest",
            "@com_google_googletest//:gtest_main",
        ],
        **kwargs
    )

def heddle_cc_model_test(name, srcs = [], deps = [], copts = [], features = [], size = "medium", tags = [], **kwargs):
    """A test that explores schedules: only under --config=model, else skipped.

    Args:
      name: <what>_model_test, of <what>_model.cc.
      srcs: only sources.
      deps: what is explored; //tools/explore, GoogleTest and its main() are added.
      copts: come after the warnings.
      features: come after layering_check and parse_headers.
      size: as in cc_test.
      tags: "model" is added.
      **kwargs: as in cc_test.
    """
    _check_srcs("heddle_cc_model_test", name, srcs)
    cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _copts(copts),
        features = _FEATURES + features,
        # What lies in the program lies at the same address in every run.
        linkopts = ["-no-pie"],
        linkstatic = True,
        tags = tags + ["model"],
        target_compatible_with = MODEL_ONLY,
        deps = deps + [
            "//tools/explore",
            "@com_google_googletest//:gtest",
            "@com_google_googletest//:gtest_main",
        ],
        **kwargs
    )

def heddle_cc_benchmark(name, srcs = [], deps = [], copts = [], features = [], tags = [], size = "small", model = False, **kwargs):
    """A Google Benchmark binary, and <name>_smoke_test which runs each benchmark once.

    Measure with `bazel run -c opt <name>`. The smoke test carries the tag
    "benchmark_smoke": --test_tag_filters=-benchmark_smoke leaves it out.

    Args:
      name: the binary.
      srcs: only sources.
      deps: what is measured; Benchmark and its main() are added.
      copts: come after the warnings.
      features: come after layering_check and parse_headers.
      tags: for both targets.
      size: of the smoke test.
      model: whether it is for --config=model only, instead of for all other builds.
      **kwargs: for both targets, as in cc_binary.
    """
    compatible = MODEL_ONLY if model else _ORDINARY_ONLY
    _check_srcs("heddle_cc_benchmark", name, srcs)

    # Compiled once for both; alwayslink because nothing refers to a benchmark,
    # it registers itself.
    lib = name + "_lib"
    cc_library(
        name = lib,
        testonly = True,
        srcs = srcs,
        alwayslink = True,
        copts = _copts(copts),
        features = _FEATURES + features,
        linkstatic = True,
        tags = tags,
        target_compatible_with = compatible,
        visibility = ["//visibility:private"],
        deps = deps + ["@com_github_google_benchmark//:benchmark"],
    )
    both = [":" + lib, "@com_github_google_benchmark//:benchmark_main"]
    cc_binary(
        name = name,
        testonly = True,
        tags = tags,
        target_compatible_with = compatible,
        deps = both,
        **kwargs
    )
    cc_test(
        name = name + "_smoke_test",
        size = size,
        # No time at all is over after the first iteration.
        args = ["--benchmark_min_time=0"],
        tags = tags + ["benchmark_smoke"],
        target_compatible_with = compatible,
        deps = both,
        **kwargs
    )

def heddle_readme_test(name, readme, snippets, same_as = {}):
    """Builds and runs every ```cpp fence of a README, each a whole program.

    A program passes if it compiles without a warning and returns 0. A fence more
    or less than `snippets` lists is an error.

    Args:
      name: of the test suite; the programs' tests are <name>_1, <name>_2 ...
      readme: the file.
      snippets: for each fence in its order, the deps of its program.
      same_as: fence number -> a source file that the fence must be equal to.
    """
    tests = []
    for i, deps in enumerate(snippets):
        test = "%s_%d" % (name, i + 1)
        twin = same_as.get(i + 1)
        native.genrule(
            name = test + "_source",
            testonly = True,
            srcs = [readme] + ([twin] if twin else []),
            outs = [test + ".cc"],
            cmd = "awk -v want=%d -v total=%d -f $(location //tools:snippet.awk) $(location %s) > $@" %
                  (i + 1, len(snippets), readme) + (" && diff -u $(location %s) $@ >&2" % twin if twin else ""),
            message = "Taking program %d out of %s" % (i + 1, readme),
            tools = ["//tools:snippet.awk"],
        )
        cc_test(
            name = test,
            size = "small",
            srcs = [test + ".cc"],
            copts = _copts([], _WARNINGS + _MAIN_WARNINGS),
            tags = ["readme"],
            target_compatible_with = _ORDINARY_ONLY,
            deps = deps,
        )
        tests.append(":" + test)
    native.test_suite(name = name, tests = tests)

def heddle_header_examples_test(name, template, headers, deps):
    """Compiles the examples in the comments of headers.

    Args:
      name: of the test, which runs what there is to run in the examples.
      template: a source with a line "//@example FOLDER/HEADER" in the place of
        each example, and before it what its reader would have.
      headers: every header of the folder that has an example, and no other.
      deps: what the examples and the template include.
    """
    source = name + "_source"
    native.genrule(
        name = source,
        testonly = True,
        srcs = [template] + headers,
        outs = [name + ".cc"],
        cmd = "awk -f $(location //tools:header_examples.awk) $(location %s) %s > $@" %
              (template, " ".join(["$(location %s)" % header for header in headers])),
        message = "Taking the examples out of headers for %s" % name,
        tools = ["//tools:header_examples.awk"],
    )
    cc_test(
        name = name,
        size = "small",
        srcs = [name + ".cc"],
        # An example declares variables that it does not use, and the like; but it
        # does not ignore a result that nobody should. And it calls functions that
        # are nowhere defined: nobody calls the example, so with optimization it is
        # not there when the program is linked.
        copts = ["-Wno-all", "-Wno-extra", "-Werror=unused-result", "-O1"],
        tags = ["readme"],
        target_compatible_with = _ORDINARY_ONLY,
        deps = deps + [
            "@com_google_googletest//:gtest",
            "@com_google_googletest//:gtest_main",
        ],
    )
