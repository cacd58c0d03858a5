"""What the peers share: arguments, the loop of each task, and the line of JSON that the harness reads."""

import argparse
import asyncio
import json
import os
import resource
import time

ITEM_COLUMNS = "id, owner, name, email, score, is_active, visits, created_at"
ITEM = f"SELECT {ITEM_COLUMNS} FROM benchmark.items WHERE id = "
ITEMS = f"SELECT {ITEM_COLUMNS} FROM benchmark.items WHERE id > {{}} ORDER BY id LIMIT 1000"
IMPORTS = 100_000
ROWS = 10_000
WARM_UP = 50


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def imported_rows():
    """The rows of the import, made before the clock starts."""
    import datetime
    import uuid

    epoch = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
    return [
        (
            i,
            uuid.UUID(bytes=bytes([(i - 1) & 255]) * 16),
            f"Person number {i}",
            f"person.{i}@mail.example.com",
            i / 7,
            (i - 1) % 3 == 0,
            (i - 1) % 1000,
            epoch + datetime.timedelta(minutes=i - 1),
        )
        for i in range(1, IMPORTS + 1)
    ]


class Measurement:
    def __init__(self, seconds):
        self.seconds = seconds
        self.latencies = []

    async def run(self, workers):
        """Warms every worker up, then lets all of them work until the time is over."""
        await asyncio.gather(*(self._repeat(worker, i, float("inf"), WARM_UP) for i, worker in enumerate(workers)))
        self.latencies = []
        self.begin()
        end = self.started + self.seconds
        await asyncio.gather(*(self._repeat(worker, i, end, None) for i, worker in enumerate(workers)))
        self.stop()

    async def once(self, operation):
        self.begin()
        await operation()
        self.stop()
        self.latencies = [self.wall]

    def begin(self):
        self.cpu = cpu_seconds()
        self.started = time.perf_counter()

    def stop(self):
        self.wall = time.perf_counter() - self.started
        self.cpu = cpu_seconds() - self.cpu

    async def _repeat(self, operation, worker, end, limit):
        key = worker * 577 + 1
        before = time.perf_counter()
        while before < end and limit != 0:
            key = key * 7919 % 9973
            await operation(key + 1)
            now = time.perf_counter()
            self.latencies.append(now - before)
            before = now
            if limit is not None:
                limit -= 1

    def report(self):
        ordered = sorted(self.latencies)
        print(
            json.dumps(
                {
                    "operations": len(ordered),
                    "wall": self.wall,
                    "cpu": self.cpu,
                    "p50": ordered[len(ordered) // 2],
                    "p99": ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
                }
            )
        )


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workload", choices=["W1", "W2", "W3", "W4"], required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    options.url = os.environ["BENCHMARK_URL"]
    return options
