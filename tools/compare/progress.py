"""Tells how far a row's run is, from what its benchmark says on stderr.

Google Benchmark reports a case only after its last repetition, which in a
shuffled run is near the end. Each case therefore says when it starts over
(TellProgress() in compare.cc), and the rest is counted here.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

_PREFIX = "compare-progress "


@dataclass
class _Case:
    # Google Benchmark tries growing numbers of iterations until one is enough;
    # with that number it goes on, so the number tells trials from repetitions.
    iterations: int = 0
    started: int = 0
    seconds: list[float] = field(default_factory=list)


class Progress:
    """REQUIRES: `cases` are named as on stderr; each runs `repetitions` times."""

    def __init__(self, cases: list[str], repetitions: int) -> None:
        self._cases = {case: _Case() for case in cases}
        self._repetitions = repetitions
        self._current: str | None = None
        self._since = 0.0

    def take(self, line: str, now: float) -> bool:
        """True if `line`, read at `now`, is one of those that tell progress."""
        if not line.startswith(_PREFIX):
            return False
        name, iterations_text = line[len(_PREFIX) :].split()
        self._end_current(now)
        self._current, self._since = name, now
        case = self._cases.setdefault(name, _Case())
        iterations = int(iterations_text)
        if iterations > case.iterations:
            case.iterations, case.started, case.seconds = iterations, 0, []
        case.started += 1
        return True

    def _end_current(self, now: float) -> None:
        if self._current is not None:
            self._cases[self._current].seconds.append(now - self._since)

    @property
    def total(self) -> int:
        return len(self._cases) * self._repetitions

    @property
    def started(self) -> int:
        return sum(min(case.started, self._repetitions) for case in self._cases.values())

    def seconds_left(self) -> float | None:
        """A guess, from what each case took so far; None when nothing is known."""
        known = [second for case in self._cases.values() for second in case.seconds]
        if not known:
            return None
        typical = statistics.fmean(known)
        left = 0.0
        for name, case in self._cases.items():
            ahead = max(0, self._repetitions - case.started) + (name == self._current)
            left += ahead * (statistics.fmean(case.seconds) if case.seconds else typical)
        return left

    def text(self) -> str:
        """As in: repetition 23 of 154, about 2:10 left: heddle/workers:2"""
        left = self.seconds_left()
        guess = "" if left is None else f", about {int(left) // 60}:{int(left) % 60:02} left"
        case = (self._current or "").split("/", 1)[-1]
        return f"repetition {self.started} of {self.total}{guess}: {case}"
