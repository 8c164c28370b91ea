"""Draws the picture of the README from a published file: `python -m benchmarks.picture [published file]`.

One SVG for light pages and one for dark ones. It asks a report function, as a reader would, and shows the query.
"""

import html
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "data" / "published" / "contact_reports.duckdb"
PICTURES = ROOT / "docs"

DAYS = 28
METRICS = ("added", "deleted", "merged")

_SANS = "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
_MONO = "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace"

# In pixels. A row has its number on the left and its bars on the right.
_WIDTH, _MARGIN, _NUMBERS, _AXIS = 880, 28, 150, 34
_TOP, _ROW, _BAR_HEIGHT, _BOTTOM = 76, 96, 66, 40


@dataclass(frozen=True)
class Theme:
    """The colours of a page, and those of the metrics, each with a contrast of at least 3 to 1 to the page."""

    page: str
    ink: str
    muted: str
    line: str
    metrics: tuple[str, str, str]


THEMES = {
    "light": Theme("#ffffff", "#1f2328", "#59636e", "#d1d9e0", ("#0969da", "#bc4c00", "#8250df")),
    "dark": Theme("#0d1117", "#f0f6fc", "#9198a1", "#3d444d", ("#4493f8", "#f0883e", "#ab7df8")),
}


def draw(published: Path, folder: Path) -> list[Path]:
    """Write a picture for each theme. Returns their paths. Raises duckdb.Error if the file cannot be read."""
    with duckdb.connect(str(published), read_only=True, config={"enable_external_access": False}) as connection:
        (last,) = connection.execute("select max(report_date) - 1 from reports.contacts_overview").fetchall()[0]
        query = f"from reports.contacts_overview_between('{last - timedelta(days=DAYS - 1)}', '{last}')"
        rows = connection.execute(query).fetchall()
    paths = []
    for name, theme in THEMES.items():
        path = folder / f"overview-{name}.svg"
        path.write_text("\n".join(_svg(query, rows, theme)) + "\n")
        paths.append(path)
    return paths


def _svg(query: str, rows: Sequence[tuple[date, int, int, int]], theme: Theme) -> Iterator[str]:
    height = _TOP + _ROW * len(METRICS) + _BOTTOM
    days = [row[0] for row in rows]
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="{_SANS}" role="img">'
    yield f"<title>Contacts added, deleted and merged by day, {days[0]} to {days[-1]}</title>"
    frame = f'width="{_WIDTH - 1}" height="{height - 1}" rx="10" fill="{theme.page}" stroke="{theme.line}"'
    yield f'<rect x="0.5" y="0.5" {frame}/>'
    prompt = f'<tspan fill="{theme.muted}">D </tspan>{html.escape(query)}<tspan fill="{theme.muted}">;</tspan>'
    yield f'<text x="{_MARGIN}" y="41" font-family="{_MONO}" font-size="14" fill="{theme.ink}">{prompt}</text>'
    yield f'<line x1="0.5" x2="{_WIDTH - 0.5}" y1="64.5" y2="64.5" stroke="{theme.line}"/>'
    for i, metric in enumerate(METRICS):
        counts = tuple(zip(*rows, strict=True))[i + 1]
        yield from _row(f"contacts {metric}", counts, _TOP + _ROW * i, theme, theme.metrics[i])
    yield from _dates(days, _TOP + _ROW * len(METRICS), theme)
    yield "</svg>"


def _row(name: str, counts: Sequence[int], top: float, theme: Theme, colour: str) -> Iterator[str]:
    """A metric: its sum, its name and a bar for each day. Each has a scale of its own, marked at its highest day."""
    base, most = top + 18 + _BAR_HEIGHT, max(*counts, 1)
    yield (
        f'<text x="{_MARGIN}" y="{base - 24}" font-size="30" font-weight="600" fill="{colour}">{sum(counts):,}</text>'
        f'<text x="{_MARGIN}" y="{base - 3}" font-size="13" fill="{theme.muted}">{name}</text>'
    )
    right = _WIDTH - _MARGIN - _AXIS
    yield f'<line x1="{_MARGIN + _NUMBERS}" x2="{right}" y1="{base + 0.5}" y2="{base + 0.5}" stroke="{theme.line}"/>'
    yield (
        f'<text x="{right + 8}" y="{base - _BAR_HEIGHT + 9}" font-size="11" fill="{theme.muted}">{most:,}</text>'
        f'<text x="{right + 8}" y="{base + 4}" font-size="11" fill="{theme.muted}">0</text>'
    )
    step = _step(len(counts))
    bars = []
    for i, count in enumerate(counts):
        if count:
            high = max(_BAR_HEIGHT * count / most, 1.5)
            bars.append(f"M{_MARGIN + _NUMBERS + step * i + 2.5:.1f} {base}v-{high:.1f}h{step - 5:.1f}v{high:.1f}z")
    yield f'<path d="{"".join(bars)}" fill="{colour}"/>'


def _dates(days: Sequence[date], top: float, theme: Theme) -> Iterator[str]:
    """The axis: each Monday has its date."""
    step = _step(len(days))
    for i, day in enumerate(days):
        if day.isoweekday() == 1:
            at = _MARGIN + _NUMBERS + step * (i + 0.5)
            text = f"{day.day} {day:%b}"
            yield (
                f'<text x="{at:.1f}" y="{top + 14}" font-size="12" text-anchor="middle" fill="{theme.muted}">'
                f"{text}</text>"
            )


def _step(days: int) -> float:
    return (_WIDTH - 2 * _MARGIN - _NUMBERS - _AXIS) / days


if __name__ == "__main__":
    for path in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED, PICTURES):
        print(path)
