"""CPython's part of the row `round_trip`: see round_trip.cc. Prints seconds and items."""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

PAUSES = {"back_to_back": 0.0, "asleep": 0.002}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, required=True)
    parser.add_argument("--mode", choices=sorted(PAUSES), required=True)
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args()
    pause = PAUSES[args.mode]

    seconds = 0.0
    with ThreadPoolExecutor(args.workers) as executor:
        for _ in range(100):
            executor.submit(time.perf_counter).result()
        for _ in range(args.n):
            if pause > 0:
                time.sleep(pause)
            submitted = time.perf_counter()
            started = executor.submit(time.perf_counter).result()
            ended = time.perf_counter()
            if not submitted <= started <= ended:
                raise SystemExit("a task ran at no time between its submission and its result")
            seconds += ended - submitted
    print(seconds, args.n)


if __name__ == "__main__":
    main()
