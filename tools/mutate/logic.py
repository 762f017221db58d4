#!/usr/bin/env python3
"""Makes the mistakes of mutants.py, one at a time, and sees that models find them.

    tools/mutate/logic.py [--list] [WORD...]

With WORDs, only the mutants in whose description or file one of them occurs. The
files are put back as they were, also after Ctrl-C. The last line counts; without
WORDs, a model that no mutant names is a failure too.
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from mutants import MUTANTS  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 300


def bazel(*arguments):
    return subprocess.run(["tools/bazel", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)


def models_of_the_tree():
    found = set()
    for path in ROOT.glob("*/**/*_model.cc"):
        found.update(f"{suite}.{name}" for suite, name in re.findall(r"^TEST\((\w+), (\w+)\)", path.read_text(), re.M))
    return found


def outcome(bin_folder, target, model):
    """'found' if the model fails, with the first line that says why."""
    binary = bin_folder / target.removeprefix("//").replace(":", "/")
    try:
        run = subprocess.run([binary, f"--gtest_filter={model}"], cwd=ROOT, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "not found", f"not done after {SECONDS} s"
    if "[==========] Running 1 test " not in run.stdout:
        return "not found", "there is no such model"
    if run.returncode == 0:
        return "not found", "the model passes"
    why = re.search(r"^(?:data race|deadlock|livelock|leak|use after|.*(?:failed|Failure|thrown|terminate)).*$", run.stdout + run.stderr, re.M)
    return "found", why[0] if why else f"exit code {run.returncode}"


def main():
    words = [argument for argument in sys.argv[1:] if argument != "--list"]
    if any(word.startswith("-") for word in words):
        print(__doc__, file=sys.stderr)
        return 2
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant[0] + mutant[1] for word in words)]
    if "--list" in sys.argv:
        for what, name, *_ in chosen:
            print(f"{name}: {what}")
        return 0
    if not chosen:
        print("tools/mutate/logic.py: no mutant is called so.", file=sys.stderr)
        return 2

    targets = sorted({target for mutant in chosen for target, _ in mutant[4]})
    built = bazel("build", "--config=model", *targets)
    if built.returncode != 0:
        print(built.stderr, "tools/mutate/logic.py: does not build before anything is changed.", file=sys.stderr)
        return 2
    bin_folder = pathlib.Path(bazel("info", "--config=model", "bazel-bin").stdout.strip())
    found = missed = 0
    for what, name, old, new, models in chosen:
        path = ROOT / name
        original = path.read_text()
        if original.count(old) != 1:
            print(f"NOT TRIED  {name}: {what}: the text is there {original.count(old)} times, not once", flush=True)
            missed += 1
            continue
        try:
            path.write_text(original.replace(old, new))
            built = bazel("build", "--config=model", *sorted({target for target, _ in models}))
            if built.returncode != 0:
                errors = [line for line in built.stderr.split("\n") if "error" in line]
                print(f"NOT TRIED  {name}: {what}: does not compile: {errors[:1]}", flush=True)
                missed += 1
                continue
            for target, model in models:
                result, why = outcome(bin_folder, target, model)
                found += result == "found"
                missed += result != "found"
                print(f"{result.upper():9}  {name}: {what}: {model}: {why[:120]}", flush=True)
        finally:
            path.write_text(original)

    if not words:
        named = {model for mutant in MUTANTS for _, model in mutant[4]}
        for model in sorted(models_of_the_tree() - named):
            print(f"NO MUTANT  {model}", flush=True)
            missed += 1
    print(f"{found} found, {missed} not found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
