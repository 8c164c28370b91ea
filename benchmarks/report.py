"""Writes the tables of docs/performance.md, between their markers, and its plot, from docs/performance.json."""

from collections.abc import Iterable, Sequence

from benchmarks import results
from benchmarks.measure import ROOT
from benchmarks.pipeline import STAGES
from benchmarks.results import Entry

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"


def write_report() -> None:
    """Put what was measured into the page; what was not measured has no table."""
    entries = results.read()
    of = {
        measure: [entry for entry in entries if entry["measure"] == measure]
        for measure in ("compare", "small_files", "old_batches", "tick", "idle", "queries", "page", "postgres")
    }
    tables = {
        "compare": _contestants(of["compare"]),
        "stages": _stages(of["compare"], "a first run"),
        "ticks": _ticks(of["tick"], of["idle"]),
        "tick-stages": _stages(of["tick"], "an incremental run") + _stages(of["idle"], "nothing new"),
        "small-files": _contestants(of["small_files"]),
        "old-batches": _old_batches(of["old_batches"]),
        "queries": _queries(of["queries"]),
        "page": _page(of["page"]),
        "postgres": _postgres(of["postgres"]),
    }
    page = PAGE.read_text()
    for name, lines in tables.items():
        before, found, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not (found and end):
            raise ValueError(f"{PAGE} has no place for {name}: <!-- {name} --> and <!-- end -->, each on a line")
        content = "\n".join(["", *lines]).rstrip() + "\n\n" if lines else ""
        page = before + found + content + end + after
    PAGE.write_text(page)
    _plot(of["compare"])


def _contestants(entries: Sequence[Entry]) -> list[str]:
    rows = []
    for entry in entries:
        limit = entry["contestants"]["handwritten"]
        for name, figures in entry["contestants"].items():
            rows.append(
                (
                    f"{entry['events']:,}",
                    entry["format"],
                    name,
                    f"{figures['wall']:.1f}",
                    f"{figures['cpu']:.1f}",
                    f"{figures['memory']:.2f}",
                    f"{entry['events'] / figures['wall']:,.0f}",
                    f"{figures['wall'] / limit['wall']:.2f}",
                    f"{figures['cpu'] / limit['cpu']:.2f}",
                )
            )
    return _table(
        ("events", "format", "", "s", "CPU-s", "GB", "events/s", "wall ÷ script", "CPU ÷ script"), rows, text=3
    ) + _sources(entries)


def _stages(entries: Sequence[Entry], what: str) -> list[str]:
    rows = []
    for entry in entries:
        wall = sum(stage[0] for stage in entry["stages"].values())
        cpu = sum(stage[1] for stage in entry["stages"].values())
        for unit, total in ((0, wall), (1, cpu)):
            shares = (entry["stages"][stage][unit] for stage in STAGES)
            rows.append(
                (
                    f"{entry['events']:,}",
                    entry["format"],
                    "CPU-s" if unit else "s",
                    f"{total:.1f}",
                    *(f"{share:.1f} ({100 * share / total:.0f} %)" for share in shares),
                )
            )
    return _table((f"{what}, events", "format", "", "in all", *STAGES), rows, text=3)


def _ticks(ticks: Sequence[Entry], idle: Sequence[Entry]) -> list[str]:
    rows = []
    for entries, what in ((ticks, "10,000 new events"), (idle, "nothing new")):
        for entry in entries:
            smallest = next(one for one in entries if one["format"] == entry["format"])
            rows.append(
                (
                    what,
                    f"{entry['events']:,}",
                    entry["format"],
                    f"{entry['wall']:.1f}",
                    f"{entry['cpu']:.1f}",
                    f"{entry['memory']:.2f}",
                    f"{entry['wall'] / smallest['wall']:.2f}",
                    f"{entry['cpu'] / smallest['cpu']:.2f}",
                )
            )
    heading = ("", "on a history of", "format", "s", "CPU-s", "GB", "wall ÷ smallest", "CPU ÷ smallest")
    return _table(heading, rows, text=1) + _sources([*ticks, *idle])


def _old_batches(entries: Sequence[Entry]) -> list[str]:
    rows = [
        (f"{entry['events']:,}", f"{int(batches):,}", f"{figures['wall']:.1f}", f"{figures['cpu']:.1f}")
        for entry in entries
        for batches, figures in entry["of_batches"].items()
    ]
    return _table(("10,000 new events on", "in batches", "s", "CPU-s"), rows, text=0) + _sources(entries)


def _queries(entries: Sequence[Entry]) -> list[str]:
    rows = [
        (f"{entry['events']:,}", name, f"{kept:.1f}", f"{fresh:.1f}")
        for entry in entries
        for name, (kept, fresh) in entry["milliseconds"].items()
    ]
    return _table(("events", "query", "ms, connection kept", "ms, connection opened"), rows, text=2) + _sources(entries)


_PAGE = {
    "first_byte": "first byte, the first request for 30 days, ms",
    "first_byte_again": "first byte, a later request for the same days, ms",
    "first_byte_filtered": "first byte with every filter set, ms",
    "people_same": "50 people at once on the same days, ms",
    "people_other": "50 people at once, each on other days, ms",
    "memory": "memory of the process through 100 publications, MB",
}


def _page(entries: Sequence[Entry]) -> list[str]:
    rows = [(f"{entry['events']:,}", what, f"{entry[name]:,.0f}") for entry in entries for name, what in _PAGE.items()]
    return _table(("events", "", ""), rows, text=2) + _sources(entries)


_POSTGRES = {
    "rows": "rows in PostgreSQL",
    "first_seconds": "first publication, s",
    "first_work_seconds": "of these, PostgreSQL's own work, s",
    "tick_seconds": "publication after 10,000 new events, s",
    "tick_work_seconds": "of these, PostgreSQL's own work, s",
    "tick_moved": "rows that it wrote or deleted",
    "again_seconds": "publication of the same file, s",
    "reading_seconds": "of each of these, reading the file, s",
    "check_seconds": "the check after a publication, s",
}


def _postgres(entries: Sequence[Entry]) -> list[str]:
    rows = [(f"{entry['events']:,}", what, f"{entry[name]:,}") for entry in entries for name, what in _POSTGRES.items()]
    return _table(("events", "", ""), rows, text=2) + _sources(entries)


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], text: int) -> list[str]:
    """A table whose columns after the first few are numbers; nothing when it has no rows."""
    if not rows:
        return []
    ruler = ["---"] * text + ["--:"] * (len(heading) - text)
    return [*(f"| {' | '.join(row)} |" for row in (heading, ruler, *rows)), ""]


def _sources(entries: Iterable[Entry]) -> list[str]:
    """When and where the figures of a table come from."""
    said: dict[str, list[str]] = {}
    for entry in entries:
        note = f"; {entry['note']}" if entry["note"] else ""
        source = f"medians of {entry['runs']}, {entry['date']}, {entry['machine']}{note}"
        said.setdefault(source, []).append(f"{entry['events']:,}")
    return [*(f"- {' and '.join(dict.fromkeys(sizes))}: {source}." for source, sizes in said.items()), ""]


def _plot(entries: Sequence[Entry]) -> None:
    """Seconds and CPU-seconds by number of events, a line for each contestant."""
    if not entries:
        return
    import matplotlib

    matplotlib.use("svg")
    # The same figures give the same file.
    matplotlib.rcParams["svg.hashsalt"] = "contact-reports"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, figure_name, label in ((axes[0], "wall", "seconds"), (axes[1], "cpu", "CPU-seconds")):
        for file_format in dict.fromkeys(entry["format"] for entry in entries):
            of_format = [entry for entry in entries if entry["format"] == file_format]
            for name in ("pipeline", "handwritten", "pandas"):
                points = [
                    (entry["events"], entry["contestants"][name][figure_name])
                    for entry in of_format
                    if name in entry["contestants"]
                ]
                style = "-" if file_format == "parquet" else "--"
                axis.plot(*zip(*points, strict=True), style, marker="o", label=f"{name}, {file_format}")
        axis.set(xscale="log", yscale="log", xlabel="events", ylabel=label)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    figure.savefig(PLOT, metadata={"Date": None})
    pyplot.close(figure)
