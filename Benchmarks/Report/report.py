"""Writes docs/engine-report.md, docs/plots/ and README's headline table from what Scripts/benchmark measured."""

import importlib.metadata
import pathlib
import sys

import figures as f
import plots
import tables

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
DATA = DOCS / "data"
PLOTS = DOCS / "plots"

EXECUTOR = "library's executor"
GLOBAL = "global pool"
PEERS = ["asyncpg", "psycopg", "pgbench"]
BEGIN, END = "<!-- benchmark table, written by Scripts/benchmark --report -->", "<!-- end of the benchmark table -->"

WORKLOADS = {
    "W1": "One row of 8 columns by primary key, prepared; ×n tasks on n connections.",
    "W1 shared": "The same on 2 connections that all tasks share, in pipelines (`PostgresSharedReader`).",
    "W2": "1,000 such rows, decoded into structs.",
    "W3": "100,000 rows in; one operation is the whole import.",
    "W4": "BEGIN, select for update, update, insert, COMMIT; C makes 5 round trips. Commits don't wait for the disk, so that the clients are what differs; in the durable table they do.",
    "TLS": "W1 and W3 over TLS, against C over TLS.",
}

# What README shows: a workload, the engine's contender, and what to call it.
HEADLINES = [
    ("W1×1", EXECUTOR, "one row by key, 1 task"),
    ("W1×16", EXECUTOR, "one row by key, 16 tasks"),
    ("W1×64", EXECUTOR, "one row by key, 64 tasks"),
    ("W1×64 shared", EXECUTOR, "the same on 2 shared, pipelined connections"),
    ("W2×1", EXECUTOR, "1,000 rows into structs, 1 task"),
    ("W2×8", EXECUTOR, "1,000 rows into structs, 8 tasks"),
    ("W3", "binary COPY", "100,000 rows in by COPY"),
    ("W4×8", "BEGIN fused, 4 flights", "transaction of 5 statements, 8 tasks"),
    ("W4×8", "2 flights", "the same, sent in 2 flights"),
]


def group(comparison):
    if "TLS" in comparison:
        return "TLS"
    if "shared" in comparison:
        return "W1 shared"
    return comparison[:2]


def machine_lines(machine):
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ["asyncpg", "psycopg", "uvloop"]]
    rows = [
        ["Processor", f"{machine['processor']}, {machine['cores']} cores, shared by client and server"],
        ["Memory", f"{machine['memoryGB']} GB"],
        ["Kernel", machine["kernel"]],
        ["Server", f"PostgreSQL {machine['postgres']}, over TCP on the same machine, its own defaults"],
        ["Client", f"libpq {machine['libpq']}, {machine['swift'] or 'Swift'}, release build"],
        ["Peers", f"{', '.join(versions)} on Python {sys.version.split()[0]}; pgbench and psql {machine['postgres']}"],
        ["Run", f"{machine['plan']}, interleaved, on {machine['date']}"],
    ]
    return f.table(["", ""], rows, left=2)


def curve_lines(curves):
    lines = []
    for curve in curves["curves"]:
        plots.draw_curve(curve, PLOTS / f"{curve['id']}.svg")
        lines += [f"![{curve['title']}](plots/{curve['id']}.svg)", ""]
        lines += [f"- {note}" for note in curve["notes"]] + ([""] if curve["notes"] else [])
    return lines + tables.other_lines(curves["results"])


def soak_lines(soak):
    def text(value):
        # What was counted is told to the last one.
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:,}"
        return f.amount(value) if isinstance(value, float) else str(value)

    def name(entry):
        return entry["name"].removeprefix("soak.").replace(".", " · ").replace("-", " ")

    return f.table(["What the soak saw", ""], [[name(entry), text(entry["value"])] for entry in soak])


def fuzz_lines(fuzz):
    """Names are of a fuzzer and of what was counted: `values executions`."""
    rows = {}
    for entry in fuzz:
        fuzzer, _, what = entry["name"].rpartition(" ")
        rows.setdefault(fuzzer, {})[what] = entry["value"]
    columns = list(dict.fromkeys(what for row in rows.values() for what in row))
    return f.table(
        ["Fuzzer", *columns],
        [[name, *(f"{row[what]:,}" if what in row else "" for what in columns)] for name, row in rows.items()],
    )


def headline_lines(results):
    rows = []
    for comparison, contender, label in HEADLINES:
        speed = results.value(comparison, contender, "throughput of C")
        if speed is None:
            continue
        # A peer has no shared connections and no flights: what it does for the same work is its plain row.
        plain = comparison.removesuffix(" shared")
        theirs = [results.value(plain, peer, "throughput of C") for peer in PEERS]
        peers = ["" if value is None else f"{value:.2f}" for value in theirs]
        cost = results.value(comparison, contender, "CPU of C")
        rows.append([label, f"**{speed:.2f}**", *peers, f"{cost:.2f}"])
    return f.table(["Throughput, raw libpq in C = 1", "here", *PEERS, "CPU here"], rows)


def draw_headlines(results):
    labels, values = [], {}
    clients = ["this library", *PEERS]
    for comparison, contender, _ in HEADLINES:
        label = comparison + (", 2 flights" if contender == "2 flights" else "")
        speed = results.value(comparison, contender, "throughput of C")
        if speed is None:
            continue
        labels.append(label.replace(" shared", "\nshared").replace(", 2", "\n2"))
        values[(labels[-1], clients[0])] = speed
        for peer in PEERS:
            theirs = results.value(comparison, peer, "throughput of C")
            if theirs is not None and contender != "2 flights":
                values[(labels[-1], peer)] = theirs
    plots.draw_workloads(labels, clients, values, PLOTS / "workloads.svg")


def main():
    entries, machine = f.load(DATA / "benchmark.json"), f.load(DATA / "machine.json")
    if entries is None or machine is None:
        sys.exit("docs/data has no figures yet: Scripts/benchmark --publish")
    PLOTS.mkdir(exist_ok=True)
    results = f.Figures(entries)
    curves, soak, fuzz = (f.load(DATA / f"{name}.json") for name in ["curves", "soak", "fuzz"])
    targets = results.with_targets() + [e for e in (curves or {}).get("results", []) if e["target"] is not None]
    met = sum(1 for entry in targets if entry["met"])

    lines = [
        "# Engine report",
        "",
        "What the PostgreSQL engine costs, measured. Written by `Scripts/benchmark --report` from the files in `data/`;",
        "the text in the section on targets that are not met is from `engine-report-notes.md`. How it is measured is in",
        "[Benchmarks](../Benchmarks/README.md).",
        "",
        "## Machine",
        "",
        *machine_lines(machine),
        "## Commands",
        "",
        "```sh",
        "Scripts/benchmark --publish --short   # measures everything, writes data/ and this report",
        "Scripts/benchmark --publish           # the same with five longer rounds",
        "Scripts/benchmark --report            # writes the report again from data/",
        "```",
        "",
        "## Speed",
        "",
        f"**{met} of {len(targets)} targets are met** (with those of growth). A ratio is the median of the ratios of",
        "each round to the first line of its table; differences under 10% are noise. ✓ and ✗ stand behind targets.",
        "",
        "![Throughput by workload](plots/workloads.svg)",
        "",
    ]
    last = None
    for comparison, contenders in results.comparisons().items():
        if group(comparison) != last:
            last = group(comparison)
            lines += [f"### {last}", "", WORKLOADS[last], ""]
        lines += tables.comparison_lines(results, comparison, contenders)
    lines += ["### Other figures", "", *tables.other_lines(results.others())]
    draw_headlines(results)
    if curves:
        lines += ["## Growth", "", *curve_lines(curves)]
    if soak:
        lines += ["## Faults", "", "From `Scripts/soak`, which injects faults at random.", "", *soak_lines(soak)]
    if fuzz:
        lines += ["## Hostile input", "", "From `Scripts/fuzz`.", "", *fuzz_lines(fuzz)]
    lines += ["## Targets that are not met", "", *tables.missed_lines(targets)]
    notes = DOCS / "engine-report-notes.md"
    if notes.exists():
        lines += [notes.read_text(encoding="utf-8").strip(), ""]
    (DOCS / "engine-report.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    tables.write_readme(REPOSITORY, BEGIN, END, headline_lines(results))
    print(f"docs/engine-report.md: {met} of {len(targets)} targets are met")


main()
