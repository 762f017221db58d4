#!/usr/bin/env python3
"""Weakens each memory order, and drops each wake-up and re-check, one at a time.

    tools/mutate/orders.py [--limit N] FILE... -- TARGET...

For each mutant of the FILEs the model tests TARGET... run (--config=model). A
mutant that no test notices has survived; the last line counts. A FILE is put back
as it was, also after Ctrl-C. Survivors are to be listed with a reason, or killed
by another model.

A line can have several mutants; comments are not mutated. What counts:
  order    seq_cst -> acq_rel (or acquire, release), acq_rel -> acquire and
           -> release, acquire -> relaxed, release -> relaxed
  wake     a statement that wakes somebody goes: Wake..., Post(...)
  recheck  the condition of a `while` becomes an `if`
"""

import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEAKER = {
    "seq_cst": ["acq_rel"],
    "acq_rel": ["acquire", "release"],
    "acquire": ["relaxed"],
    "release": ["relaxed"],
}
WAKE = re.compile(r"^\s*(?:if \([^;]*\)\s*)?[\w.\->]*(?:Wake\w*|Post)\([^;{]*\);")


def mutants(source):
    """Yields (line number, what, the new line)."""
    for number, line in enumerate(source.split("\n")):
        code = line.split("//")[0]
        for match in re.finditer(r"memory_order_(\w+)", code):
            for weaker in WEAKER.get(match[1], []):
                # A load cannot release, and a store cannot acquire.
                if match[1] == "seq_cst" and ".load(" in code:
                    weaker = "acquire"
                elif match[1] == "seq_cst" and ".store(" in code:
                    weaker = "release"
                start, end = match.span(1)
                yield number, f"{match[1]} -> {weaker}", line[:start] + weaker + line[end:]
        if WAKE.match(code):
            yield number, "wake-up dropped", re.sub(r"[\w.\->]*(?:Wake\w*|Post)\([^;{]*\);", ";", line, count=1)
        if re.match(r"\s*while \(.*\{\s*$", code):
            yield number, "re-check dropped", line.replace("while (", "if (", 1)


def test(targets):
    """'killed', 'survived', or 'stillborn' if it does not compile."""
    status = subprocess.run(
        ["tools/bazel", "test", "--config=model", "--noshow_progress", "--test_output=errors",
         "--test_timeout=600", *targets],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        check=False).returncode
    return {0: "survived", 3: "killed"}.get(status, "stillborn")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=None, help="stop after so many mutants")
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("arguments", nargs="+", metavar="FILE... -- TARGET...")
    known, rest = parser.parse_known_args(sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else None)
    if rest:
        parser.error(f"what is {rest[0]}?")
    targets = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    if not targets and not known.list:
        parser.error("no TARGET")

    counts = {"killed": 0, "survived": 0, "stillborn": 0}
    if not known.list and test(targets) != "survived":
        print("tools/mutate/orders.py: the tests fail before anything is changed.", file=sys.stderr)
        return 2
    for name in known.arguments:
        path = ROOT / name
        original = path.read_text()
        lines = original.split("\n")
        try:
            for number, what, line in mutants(original):
                if known.limit is not None and sum(counts.values()) == known.limit:
                    break
                if known.list:
                    print(f"{name}:{number + 1}: {what}")
                    continue
                path.write_text("\n".join([*lines[:number], line, *lines[number + 1 :]]))
                outcome = test(targets)
                counts[outcome] += 1
                print(f"{outcome:9} {name}:{number + 1}: {what}", flush=True)
        finally:
            path.write_text(original)
    if known.list:
        return 0
    print(f"{counts['killed']} killed, {counts['survived']} survived, {counts['stillborn']} do not compile")
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
