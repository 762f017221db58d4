"""Tests table.py and progress.py; scripts_test.cc runs it under Bazel."""

from __future__ import annotations

import copy
import json
import unittest
from pathlib import Path
from typing import Any

from progress import Progress
from table import CaseName, ResultError, load, markdown, number, ratio_text

HERE = Path(__file__).resolve().parent


def result(name: str, ns: float, **fields: Any) -> dict[str, Any]:
    return {"name": name, "run_type": "iteration", "items_per_second": 1e9 / ns, **fields}


def results(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"context": {}, "benchmarks": list(runs)}


class CaseNameTest(unittest.TestCase):
    def test_what_google_benchmark_appends_is_no_parameter(self) -> None:
        name = CaseName.parse("BM_Lock/std_mutex/outside:50ns/n:10/iterations:1/real_time/threads:4")
        self.assertEqual((name.work, name.contender, name.peer, name.n), ("Lock", "std_mutex", "std", "10"))
        self.assertEqual(name.group, (("outside", "50ns"), ("threads", "4")))

    def test_other_names_are_refused(self) -> None:
        for name in ["Lock/heddle", "BM_Lock", "BM_Lock/heddle/4"]:
            with self.subTest(name), self.assertRaises(ResultError):
                CaseName.parse(name)


class TableTest(unittest.TestCase):
    def test_recorded_run_gives_expected_page(self) -> None:
        recorded = json.loads((HERE / "testdata" / "recorded.json").read_text(encoding="utf-8"))
        expected = (HERE / "testdata" / "expected.md").read_text(encoding="utf-8")
        self.assertEqual(markdown(load(recorded)), expected)

    def test_ratio_is_that_of_medians(self) -> None:
        times = {"heddle": [100, 900, 110], "std_mutex": [50, 330, 10_000]}
        runs = [result(f"BM_Lock/{name}", ns) for name, all_ns in times.items() for ns in all_ns]
        (group,) = load(results(*runs)).groups
        self.assertEqual([line.contender for line in group.lines], ["heddle", "std_mutex"])
        self.assertAlmostEqual(group.lines[0].median, 110)
        self.assertAlmostEqual(group.ratio(group.lines[1]) or 0, 3)

    def test_n_does_not_part_contenders_but_is_shown(self) -> None:
        report = load(results(result("BM_Submit/heddle/n:1000", 5), result("BM_Submit/std_async/n:10", 50)))
        self.assertEqual(len(report.groups), 1)
        self.assertIn("| std_async | 50.0 | 50.0 .. 50.0 | 10.0 | 10 | ? |", markdown(report))

    def test_without_items_the_time_is_that_of_an_iteration(self) -> None:
        run = {"name": "BM_Lock/heddle", "run_type": "iteration", "real_time": 2.5, "time_unit": "us"}
        self.assertEqual(load(results(run)).groups[0].lines[0].median, 2500)

    def test_group_without_heddle_has_no_ratios(self) -> None:
        self.assertIn("| – |", markdown(load(results(result("BM_Lock/std_mutex", 5)))))

    def test_counters_of_a_row_get_columns(self) -> None:
        runs = [result("BM_Submit/heddle", 5, allocations=value) for value in (1.0, 3.0, 2.0)]
        page = markdown(load(results(*runs, *[result("BM_Submit/std_async", 5)] * 3)))
        self.assertIn("| times Heddle's | allocations | version |", page)
        self.assertIn("| 1 | 2.00 | ? |", page)

    def test_failed_case_is_refused_with_its_reason(self) -> None:
        failed = {"name": "BM_Submit/heddle", "run_type": "iteration", "error_occurred": True}
        with self.assertRaisesRegex(ResultError, "the sum is 3"):
            load(results({**failed, "error_message": "the sum is 3"}))

    def test_unfinished_run_is_refused(self) -> None:
        recorded = json.loads((HERE / "testdata" / "recorded.json").read_text(encoding="utf-8"))
        cut = copy.deepcopy(recorded)
        cut["benchmarks"] = cut["benchmarks"][:-2]
        for bad in [cut, {**recorded, "benchmarks": []}]:
            with self.assertRaises(ResultError):
                load(bad)


class NumberTest(unittest.TestCase):
    def test_three_digits_count(self) -> None:
        cases: dict[float, str] = {0: "0", 0.01234: "0.0123", 1.234: "1.23", 9.996: "10.0", 45.64: "45.6"}
        cases.update({789.4: "789", 999.6: "1,000", 25_149: "25,100"})
        for value, text in cases.items():
            self.assertEqual(number(value), text)

    def test_gaps_that_are_no_finding_are_marked(self) -> None:
        for ratio, text in [(1.0, "1"), (1.49, "≈ 1.49"), (1.5, "1.50"), (0.67, "≈ 0.670"), (0.5, "0.500")]:
            self.assertEqual(ratio_text(ratio), text)


class ProgressTest(unittest.TestCase):
    def test_trials_are_no_repetitions(self) -> None:
        progress = Progress(["BM_A/x", "BM_A/y"], repetitions=2)
        self.assertIsNone(progress.seconds_left())
        for now, line in enumerate(["BM_A/x 1", "BM_A/x 10", "BM_A/y 1", "BM_A/x 10"]):
            self.assertTrue(progress.take(f"compare-progress {line}\n", float(now)))
        self.assertEqual((progress.started, progress.total), (3, 4))
        # This one of x and one of y, a second each.
        self.assertAlmostEqual(progress.seconds_left() or 0, 2)
        self.assertEqual(progress.text(), "repetition 3 of 4, about 0:02 left: x")

    def test_other_lines_are_left_to_others(self) -> None:
        self.assertFalse(Progress([], 1).take("***WARNING*** CPU scaling is enabled\n", 0))


if __name__ == "__main__":
    unittest.main()
