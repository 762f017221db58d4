"""CPython's part of the row `python_queue`: see python_queue.cc. Prints seconds and items."""

import argparse
import queue
import threading
import time

ITEMS = 50_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=["Queue", "SimpleQueue"], required=True)
    parser.add_argument("--threads", choices=["1P1C", "2P2C"], required=True)
    args = parser.parse_args()
    pairs = int(args.threads[0])
    items: "queue.Queue[int] | queue.SimpleQueue[int]" = getattr(queue, args.kind)()
    sums = [0] * pairs
    each = ITEMS // pairs

    def put() -> None:
        for _ in range(each):
            items.put(1)

    def get(member: int) -> None:
        total = 0
        for _ in range(each):
            total += items.get()
        sums[member] = total

    threads = [threading.Thread(target=put) for _ in range(pairs)]
    threads += [threading.Thread(target=get, args=(member,)) for member in range(pairs)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    if sum(sums) != each * pairs:
        raise SystemExit(f"the sum is {sum(sums)} and should be {each * pairs}")
    print(seconds, each * pairs)


if __name__ == "__main__":
    main()
