"""Flags of those peers that need one: for `copts` of whatever includes their headers."""

GLIB_COPTS = [
    "-isystem",
    "/usr/include/glib-2.0",
]

GOMP_COPTS = ["-fopenmp"]
