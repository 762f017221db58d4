"""CPython's part of the row `python_pool`: see python_pool.cc. Prints seconds and items."""

import argparse
import time
from multiprocessing.pool import ThreadPool


def increment(number: int) -> int:
    return number + 1


def run(pool: ThreadPool, call: str, n: int) -> int:
    if call == "map":
        return sum(pool.map(increment, range(n)))
    results = [pool.apply_async(increment, (number,)) for number in range(n)]
    return sum(result.get() for result in results)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--call", choices=["map", "apply_async"], required=True)
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args()

    with ThreadPool(args.workers) as pool:
        run(pool, args.call, 1000)
        begin = time.perf_counter()
        total = run(pool, args.call, args.n)
        seconds = time.perf_counter() - begin
    expected = args.n * (args.n + 1) // 2
    if total != expected:
        raise SystemExit(f"the sum is {total} and should be {expected}")
    print(seconds, args.n)


if __name__ == "__main__":
    main()
