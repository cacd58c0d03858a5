"""Draws the report's plots as SVG, the same bytes for the same data."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "persistence",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#dddddd",
        "grid.linewidth": 0.6,
        "figure.facecolor": "white",
    }
)

COLORS = ["#1f6feb", "#d1570a", "#2e9e5b", "#8250df", "#6e7781"]


def save(figure, file):
    figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # matplotlib leaves blanks at the ends of lines.
    text = file.read_text(encoding="utf-8")
    file.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")


def plain(value, _position=None):
    """1000000 as 1M, 0.001 as 0.001."""
    for size, letter in [(1e9, "G"), (1e6, "M"), (1e3, "k")]:
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def draw_curve(curve, file):
    figure, axes = plt.subplots(figsize=(6.4, 3.4))
    for index, series in enumerate(curve["series"]):
        points = series["points"]
        axes.plot(
            [point[0] for point in points],
            [point[1] for point in points],
            marker="o",
            markersize=4,
            linewidth=1.6,
            color=COLORS[index % len(COLORS)],
            label=series["name"],
        )
    for axis, scale, ticks in [(curve["x"], axes.set_xscale, axes.xaxis), (curve["y"], axes.set_yscale, axes.yaxis)]:
        if axis["isLogarithmic"]:
            scale("log")
            ticks.set_minor_locator(matplotlib.ticker.NullLocator())
        ticks.set_major_formatter(FuncFormatter(plain))
    if not curve["y"]["isLogarithmic"]:
        axes.set_ylim(bottom=0)
    axes.set_xlabel(curve["x"]["label"])
    axes.set_ylabel(curve["y"]["label"])
    axes.set_title(curve["title"], loc="left", fontsize=11)
    axes.legend(frameon=False)
    save(figure, file)


def draw_workloads(workloads, clients, values, file):
    """Bars of throughput, C being 1; `values` is by workload and client, and may lack some."""
    figure, axes = plt.subplots(figsize=(8.2, 3.6))
    width = 0.8 / len(clients)
    for index, client in enumerate(clients):
        places = [place for place, workload in enumerate(workloads) if (workload, client) in values]
        axes.bar(
            [place + (index - (len(clients) - 1) / 2) * width for place in places],
            [values[(workloads[place], client)] for place in places],
            width * 0.92,
            color=COLORS[index % len(COLORS)],
            label=client,
        )
    axes.axhline(1, color="#24292f", linewidth=1)
    axes.set_xticks(range(len(workloads)), workloads)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("throughput, raw libpq in C = 1")
    axes.set_title("Operations per second against C in the same round", loc="left", fontsize=11)
    axes.legend(frameon=False, ncols=len(clients), loc="upper left", fontsize=9)
    axes.set_ylim(top=axes.get_ylim()[1] * 1.15)
    save(figure, file)
