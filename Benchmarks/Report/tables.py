"""The tables that every report has."""

import sys

import figures as f


def comparison_lines(results, comparison, contenders):
    rows = []
    for contender in contenders:
        speed, cost = (results.get(comparison, contender, what) for what in ["throughput of C", "CPU of C"])
        rows.append(
            [
                contender,
                f.amount(results.value(comparison, contender, "operations per second")),
                f.amount(speed["value"]) if speed else "1",
                f.target(speed),
                f.time(results.value(comparison, contender, "p50")),
                f.time(results.value(comparison, contender, "p99")),
                f.time(results.value(comparison, contender, "CPU per operation")),
                f.amount(cost["value"]) if cost else "1",
                f.target(cost),
            ]
        )
    head = [comparison, "op/s", "of C", "target", "p50", "p99", "CPU per op", "of C", "target"]
    return f.table(head, rows)


def other_lines(entries):
    return f.table(["Figure", "", "target"], [[e["name"], f.quantity(e), f.target(e)] for e in entries])


def missed_lines(entries):
    missed = [entry for entry in entries if not entry["met"]]
    if not missed:
        return ["Every target is met.", ""]
    return f.table(
        ["Not reached in this run", "", "target"], [[e["name"], f.quantity(e), f.target(e)] for e in missed]
    )


def write_readme(repository, begin, end, lines):
    """Puts lines into README between two lines that stand there."""
    readme = repository / "README.md"
    text = readme.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        sys.exit(f"README.md has no lines\n{begin}\n{end}")
    head, rest = text.split(begin, 1)
    _, tail = rest.split(end, 1)
    body = "\n".join(lines)
    readme.write_text(f"{head}{begin}\n\n{body}\n{end}{tail}", encoding="utf-8")
