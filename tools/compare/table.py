"""Turns what a row's benchmark wrote into a report, and a report into Markdown.

    table.py RESULTS.json    prints the table

RESULTS.json is Google Benchmark's, with what tools/compare/run adds to its
context: machine, versions, baseline. Needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from dataclasses import dataclass, field
from typing import Any

# Less than this between two contenders is no finding on a shared machine.
NO_FINDING = 1.5
BASELINE = "heddle"

# What Google Benchmark appends to a name that is no parameter of the work.
_SUFFIX = re.compile(r"(real_time|manual_time|process_time|(iterations|repeats|min_time|min_warmup_time):.*)")
_NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
# A run's fields; every other number in it is a counter of the row's own.
_FIELDS = {
    "cpu_time",
    "family_index",
    "items_per_second",
    "bytes_per_second",
    "iterations",
    "per_family_instance_index",
    "real_time",
    "repetition_index",
    "repetitions",
    "threads",
}


class ResultError(Exception):
    """The results cannot be used, for the reason that it names."""


@dataclass(frozen=True)
class CaseName:
    """BM_<work>/<contender>/<name>:<value>/..., taken apart."""

    work: str
    contender: str
    parameters: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, name: str) -> CaseName:
        work, *rest = [part for part in name.split("/") if not _SUFFIX.fullmatch(part)]
        if not work.startswith("BM_") or not rest or not all(":" in part for part in rest[1:]):
            raise ResultError(f"{name} is not of the form BM_<work>/<contender>/<name>:<value>/...")
        pairs = [part.split(":", 1) for part in rest[1:]]
        return cls(work[3:], rest[0], tuple((key, value) for key, value in pairs))

    @property
    def group(self) -> tuple[tuple[str, str], ...]:
        """What the cases that are compared have in common."""
        return tuple((key, value) for key, value in self.parameters if key != "n")

    @property
    def n(self) -> str | None:
        return dict(self.parameters).get("n")

    @property
    def peer(self) -> str:
        """Whose version counts: see peers.txt."""
        return self.contender.split("_", 1)[0]


@dataclass
class Line:
    """One contender's results in one group."""

    contender: str
    version: str
    n: str | None
    nanoseconds: list[float] = field(default_factory=list)  # of an item, in each repetition
    counters: dict[str, list[float]] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.nanoseconds)


@dataclass
class Group:
    """Cases that are compared with each other: the baseline first, then the fastest."""

    title: str
    lines: list[Line]

    def ratio(self, line: Line) -> float | None:
        """How many times the baseline's time `line` took; None if there is no baseline."""
        for candidate in self.lines:
            if candidate.contender == BASELINE:
                return line.median / candidate.median
        return None


@dataclass
class Report:
    work: str
    description: str
    machine: dict[str, str]
    groups: list[Group]
    repetitions: int


def load(results: dict[str, Any]) -> Report:
    context = results["context"]
    versions = context.get("versions", {})
    works: set[str] = set()
    groups: dict[tuple[tuple[str, str], ...], dict[str, Line]] = {}
    # As the row registered them, not as the shuffled run ended them.
    order = ("family_index", "per_family_instance_index")
    for run in sorted(results["benchmarks"], key=lambda run: [run.get(key, 0) for key in order]):
        if run.get("run_type") == "aggregate":
            continue
        if run.get("error_occurred"):
            raise ResultError(f"{run['name']} failed: {run.get('error_message', 'it does not say why')}")
        name = CaseName.parse(run["name"])
        works.add(name.work)
        lines = groups.setdefault(name.group, {})
        line = lines.setdefault(
            name.contender, Line(name.contender, versions.get(name.peer, "?"), name.n)
        )
        if line.n != name.n:
            raise ResultError(f"{name.contender} has several n in one group: {line.n} and {name.n}")
        line.nanoseconds.append(_nanoseconds_of_an_item(run))
        for key, value in run.items():
            if key not in _FIELDS and isinstance(value, (int, float)) and not isinstance(value, bool):
                line.counters.setdefault(key, []).append(float(value))
    if len(works) != 1:
        raise ResultError(f"one row is one work, and this has {len(works)}")
    all_lines = [line for lines in groups.values() for line in lines.values()]
    repetitions = {len(line.nanoseconds) for line in all_lines}
    if len(repetitions) != 1:
        raise ResultError("the cases have different numbers of repetitions: the run did not end")
    return Report(
        work=works.pop(),
        description=context.get("description", ""),
        machine=context.get("machine", {}),
        groups=[_group(key, list(lines.values())) for key, lines in groups.items()],
        repetitions=repetitions.pop(),
    )


def _group(key: tuple[tuple[str, str], ...], lines: list[Line]) -> Group:
    lines.sort(key=lambda line: (line.contender != BASELINE, line.median))
    return Group(", ".join(f"{name} {value}" for name, value in key), lines)


def _nanoseconds_of_an_item(run: dict[str, Any]) -> float:
    if "items_per_second" in run:
        return 1e9 / float(run["items_per_second"])
    return float(run["real_time"]) * _NANOSECONDS[run["time_unit"]]


def number(value: float) -> str:
    """Three digits that count, and no exponent: 1.23, 45.6, 789, 25,100."""
    if value == 0:
        return "0"
    digits = max(0, 2 - _exponent(value))
    rounded = round(value, 2 - _exponent(value))
    # Rounding may have made it longer: 9.996 is 10.0.
    return f"{rounded:,.{min(digits, max(0, 2 - _exponent(rounded)))}f}"


def _exponent(value: float) -> int:
    return int(f"{abs(value):e}".split("e")[1])


def ratio_text(ratio: float | None) -> str:
    if ratio is None:
        return "–"
    if ratio == 1:
        return "1"
    return ("≈ " if 1 / NO_FINDING < ratio < NO_FINDING else "") + number(ratio)


def markdown(report: Report, picture: str | None = None) -> str:
    """The whole page of a row; `picture` is the name of a file beside it."""
    page = [
        f"# {report.work}",
        "",
        "<!-- Written by tools/compare/run: measure again instead of editing. -->",
        "",
        report.description,
        "",
    ]
    if picture is not None:
        page += [f"![{report.work}: nanoseconds per item]({picture})", ""]
    for group in report.groups:
        page += _table(group)
    page += [
        f"Medians of {report.repetitions} repetitions, those of all contenders shuffled in one run. "
        "\"times Heddle's\" is the ratio of medians; "
        f"≈ marks one under {NO_FINDING} either way, which is no finding.",
        "",
    ]
    page += [f"- {name}: {value}" for name, value in report.machine.items()]
    return "\n".join(page).rstrip() + "\n"


def _table(group: Group) -> list[str]:
    with_n = any(line.n is not None for line in group.lines)
    counters = sorted({counter for line in group.lines for counter in line.counters})
    head = ["contender", "ns per item", "min .. max", "times Heddle's", *counters]
    align = [":--", "--:", "--:", "--:", *["--:" for _ in counters]]
    if with_n:
        head.append("n")
        align.append("--:")
    rows = [[*head, "version"], [*align, ":--"]]
    for line in group.lines:
        row = [
            f"**{line.contender}**" if line.contender == BASELINE else line.contender,
            number(line.median),
            f"{number(min(line.nanoseconds))} .. {number(max(line.nanoseconds))}",
            ratio_text(group.ratio(line)),
        ]
        for counter in counters:
            values = line.counters.get(counter)
            row.append(number(statistics.median(values)) if values else "")
        if with_n:
            row.append(f"{int(line.n):,}" if line.n and line.n.isdigit() else line.n or "")
        rows.append([*row, line.version])
    title = [f"## {group.title}", ""] if group.title else []
    return [*title, *["| " + " | ".join(row) + " |" for row in rows], ""]


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        results = json.load(file)
    try:
        print(markdown(load(results)), end="")
    except ResultError as error:
        raise SystemExit(f"{sys.argv[1]}: {error}") from None


if __name__ == "__main__":
    main()
