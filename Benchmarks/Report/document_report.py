"""Writes docs/document-report.md and README's table of documents from what Scripts/benchmark-documents measured."""

import importlib.metadata
import pathlib
import sys

import figures as f
import tables

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
DATA = DOCS / "data"

EXECUTOR, DIRECT, PEER = "database's executor", "executor, DocumentCodable", "pymongo, a thread each"
BEGIN = "<!-- document table, written by Scripts/benchmark-documents --report -->"
END = "<!-- end of the document table -->"

WORKLOADS = {
    "insert": "One document of ten fields; ×n tasks on n clients.",
    "find": "One document by its `_id`, into a struct.",
    "update": "One field of one document incremented, by its `_id`.",
    "bulk": "1,000 inserts in one bulk write; one operation is the whole bulk.",
    "scan": "100,000 documents into structs; one operation is a task's part of them.",
}

# What README shows: a workload and what to call it.
HEADLINES = [
    ("insert×8", "insert one document, 8 tasks"),
    ("find×1", "find one by `_id`, 1 task"),
    ("find×8", "find one by `_id`, 8 tasks"),
    ("update×8", "update one by `_id`, 8 tasks"),
    ("bulk×8", "bulk of 1,000 inserts, 8 tasks"),
    ("scan×1", "scan 100,000 into structs, 1 task"),
    ("scan×8", "scan 100,000 into structs, 8 tasks"),
]


def peer_version():
    try:
        return f"pymongo {importlib.metadata.version('pymongo')} on Python {sys.version.split()[0]}"
    except importlib.metadata.PackageNotFoundError:
        return ""


def machine_lines(machine):
    rows = [
        ["Processor", f"{machine['processor']}, {machine['cores']} cores, shared by client and server"],
        ["Memory", f"{machine['memoryGB']} GB"],
        ["Kernel", machine["kernel"]],
        ["Server", f"reports MongoDB {machine['server']}, over TCP on the same machine"],
        ["Client", f"libmongoc {machine['libmongoc']}, {machine['swift'] or 'Swift'}, release build"],
        ["Peer", peer_version()],
        ["Run", f"{machine['plan']}, interleaved, on {machine['date']}"],
    ]
    return f.table(["", ""], rows, left=2)


def headline_lines(results):
    rows = []
    for comparison, label in HEADLINES:
        # What is not coded has no row of its own for coding itself.
        best = DIRECT if results.value(comparison, DIRECT, "throughput of C") is not None else EXECUTOR
        values = [
            results.value(comparison, contender, what)
            for contender, what in [
                (EXECUTOR, "throughput of C"),
                (best, "throughput of C"),
                (PEER, "throughput of C"),
                (EXECUTOR, "CPU of C"),
                (best, "CPU of C"),
                (PEER, "CPU of C"),
            ]
        ]
        if values[0] is not None:
            cells = ["" if value is None else f"{value:.2f}" for value in values]
            cells[1] = f"**{cells[1]}**"
            rows.append([label, *cells])
    head = ["libmongoc in C = 1", "here", "`DocumentCodable`", "pymongo", "CPU here", "`DocumentCodable`", "pymongo"]
    return f.table(head, rows)


def coding_lines(results):
    rows = []
    for entry in results.others():
        name, _, what = entry["name"].rpartition(" · ")
        if what != "time of C":
            continue
        rows.append(
            [
                name,
                f.quantity(results.get(name, "time")),
                f.quantity(results.get(name, "time in C")),
                f.amount(entry["value"]),
                f.target(entry),
            ]
        )
    return f.table(["One document", "here", "libbson in C", "of C", "target"], rows)


def main():
    entries, machine = f.load(DATA / "documents.json"), f.load(DATA / "documents-machine.json")
    if entries is None or machine is None:
        sys.exit("docs/data has no figures yet: Scripts/benchmark-documents --publish")
    results = f.Figures(entries)
    targets = results.with_targets()
    met = sum(1 for entry in targets if entry["met"])
    lines = [
        "# Document report",
        "",
        "What the MongoDB engine and `BSON` cost, measured. Written by `Scripts/benchmark-documents --report` from the files",
        "in `data/`; the text on targets that are not met is from `document-report-notes.md`. How it is measured is in",
        "[Benchmarks](../Benchmarks/README.md#documents).",
        "",
        "## Machine",
        "",
        *machine_lines(machine),
        "## Commands",
        "",
        "```sh",
        "Scripts/benchmark-documents --publish --short   # measures everything, writes data/ and this report",
        "Scripts/benchmark-documents --publish           # the same with five longer rounds",
        "Scripts/benchmark-documents --report            # writes the report again from data/",
        "```",
        "",
        "## Speed",
        "",
        f"**{met} of {len(targets)} targets are met.** A ratio is the median of the ratios of each round to the first line",
        "of its table; differences under 10% are noise. ✓ and ✗ stand behind targets.",
        "",
        "`global pool` is a task as Swift runs it unless told otherwise, with `Codable`; `database's executor` the same on",
        "the threads that run the driver's calls (`MongoDatabase.executor`); `executor, DocumentCodable` with types that code",
        "themselves. The rest of the time is the server's, which on this machine shares the processors with the client.",
        "",
    ]
    last = None
    for comparison, contenders in results.comparisons().items():
        group = comparison.split("×")[0]
        if group != last:
            last = group
            lines += [f"### {group}", "", WORKLOADS[group], ""]
        lines += tables.comparison_lines(results, comparison, contenders)
    lines += [
        "## Coding",
        "",
        "Without a server: hand-written loops on libbson in C, and the same work here. `DocumentReadable` and",
        "`DocumentWritable` types code themselves; the others are `Codable`.",
        "",
        *coding_lines(results),
        "## Targets that are not met",
        "",
        *tables.missed_lines(targets),
    ]
    notes = DOCS / "document-report-notes.md"
    if notes.exists():
        lines += [notes.read_text(encoding="utf-8").strip(), ""]
    (DOCS / "document-report.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    tables.write_readme(REPOSITORY, BEGIN, END, headline_lines(results))
    print(f"docs/document-report.md: {met} of {len(targets)} targets are met")


main()
