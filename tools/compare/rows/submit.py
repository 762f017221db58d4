"""CPython's part of the row `submit`: see submit.cc. Prints seconds and items."""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor


def identity(number: int) -> int:
    return number


def submit_and_collect(executor: ThreadPoolExecutor, n: int, window: int) -> int:
    total = 0
    for begin in range(0, n, window):
        numbers = range(begin, min(n, begin + window))
        futures = [executor.submit(identity, number) for number in numbers]
        total += sum(future.result() for future in futures)
    return total


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--window", required=True, help='a number, or "all"')
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args()
    window = args.n if args.window == "all" else int(args.window)

    with ThreadPoolExecutor(args.workers) as executor:
        submit_and_collect(executor, min(args.n, 1000), window)  # starts the threads
        begin = time.perf_counter()
        total = submit_and_collect(executor, args.n, window)
        seconds = time.perf_counter() - begin
    expected = args.n * (args.n - 1) // 2
    if total != expected:
        raise SystemExit(f"the sum is {total} and should be {expected}")
    print(seconds, args.n)


if __name__ == "__main__":
    main()
