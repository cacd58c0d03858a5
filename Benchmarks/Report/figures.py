"""The figures that Scripts/benchmark wrote, by name, and how they look in a table."""

import json


class Figures:
    """Names have three parts for a comparison: the workload, the contender, and what was measured."""

    def __init__(self, entries):
        self.entries = entries
        self.by_name = {entry["name"]: entry for entry in entries}

    def get(self, *parts):
        return self.by_name.get(" · ".join(parts))

    def value(self, *parts):
        entry = self.get(*parts)
        return None if entry is None else entry["value"]

    def comparisons(self):
        """Each workload with its contenders, in the order in which they were measured."""
        found = {}
        for entry in self.entries:
            parts = entry["name"].split(" · ")
            if len(parts) == 3 and parts[2] == "operations per second":
                found.setdefault(parts[0], []).append(parts[1])
        return found

    def others(self):
        """What belongs to no contender's row."""
        measured = {"operations per second", "throughput of C", "p50", "p99", "CPU per operation", "CPU of C"}
        return [entry for entry in self.entries if entry["name"].split(" · ")[-1] not in measured]

    def with_targets(self):
        return [entry for entry in self.entries if entry["target"] is not None]


def load(file):
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def amount(value):
    """A number as a person would write it."""
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 0.1 or value == 0:
        return f"{value:.2f}"
    return f"{value:.3g}"


def time(seconds):
    if seconds is None:
        return ""
    for unit, size in [("s", 1), ("ms", 1e-3), ("µs", 1e-6)]:
        if seconds >= size:
            return f"{amount(seconds / size)} {unit}"
    return f"{amount(seconds / 1e-9)} ns"


def quantity(entry):
    if entry["unit"] == "s":
        return time(entry["value"])
    return amount(entry["value"]) + ("" if entry["unit"] == "ratio" else f" {entry['unit']}")


def target(entry):
    """The target with its verdict, or nothing."""
    if entry is None or entry["target"] is None:
        return ""
    wanted = time(entry["target"]) if entry["unit"] == "s" else amount(entry["target"])
    return f"{entry['bound']} {wanted} {'✓' if entry['met'] else '✗'}"


def table(head, rows, left=1):
    """A table in Markdown; the first columns to the left, the others to the right."""
    align = ["---" if index < left else "---:" for index in range(len(head))]
    return ["| " + " | ".join(row) + " |" for row in [head, align, *rows]] + [""]
