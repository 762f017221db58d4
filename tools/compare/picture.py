"""Draws a report as an SVG, with matplotlib."""

from __future__ import annotations

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  (after the choice of where to draw)

from table import BASELINE, Report, number, ratio_text  # noqa: E402

_HEDDLE_COLOR = "#c2410c"
_PEER_COLOR = "#475569"
_INCHES_PER_LINE = 0.34
_INCHES_PER_GROUP = 1.0


def draw(report: Report, path: str) -> None:
    """Writes one panel per group: a dot for the median, a line from min to max."""
    # Text stays text, and the same report makes the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": report.work, "font.size": 10})
    heights = [len(group.lines) * _INCHES_PER_LINE + _INCHES_PER_GROUP for group in report.groups]
    figure, panels = pyplot.subplots(
        len(report.groups),
        1,
        figsize=(9, sum(heights)),
        height_ratios=heights,
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    everything = [ns for group in report.groups for line in group.lines for ns in line.nanoseconds]
    for panel, group in zip(panels[:, 0], report.groups):
        for place, line in enumerate(group.lines):
            color = _HEDDLE_COLOR if line.contender == BASELINE else _PEER_COLOR
            panel.hlines(place, min(line.nanoseconds), max(line.nanoseconds), color=color, alpha=0.45, linewidth=5)
            panel.plot(line.median, place, "o", color=color, markersize=7)
            ratio = group.ratio(line)
            times = "" if ratio is None or line.contender == BASELINE else f"  ({ratio_text(ratio)}×)"
            panel.annotate(
                f"{number(line.median)} ns{times}",
                (max(line.nanoseconds), place),
                xytext=(8, 0),
                textcoords="offset points",
                verticalalignment="center",
                color=color,
            )
        panel.set_yticks(range(len(group.lines)), [line.contender for line in group.lines])
        panel.set_ylim(len(group.lines) - 0.4, -0.6)
        panel.set_xscale("log")
        panel.set_xlim(min(everything) / 1.4, max(everything) * 6)  # room for the texts
        panel.set_title(group.title, loc="left", fontsize=10)
        panel.grid(axis="x", which="major", color="#e2e8f0")
        panel.set_axisbelow(True)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(axis="y", length=0)
    panels[-1, 0].set_xlabel("nanoseconds per item, median and min to max; less is better (logarithmic)")
    figure.suptitle(report.work, x=0.01, horizontalalignment="left", fontweight="bold")
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    # matplotlib leaves blanks at the ends of lines.
    with open(path, encoding="utf-8") as file:
        lines = [line.rstrip() for line in file]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
