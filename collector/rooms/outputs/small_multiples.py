"""Small bar charts side by side, a row a thing: SVG from numbers alone. Every bar carries its number as text.

A file of its own: colours and sizes are attributes, no style sheet and no script, so it prints and opens anywhere.
"""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, PANEL, GAP = 760, 160, 30
TOP, ROW, BAR = 34, 58, 12
NUMBER = 46  # room right of a bar for its number
INK, SOFT, FILL, LINE, SPAN = "#12231b", "#43534a", "#86bdb0", "#d3d6ca", "#0e5a4c"


@dataclass(frozen=True)
class Bar:
    """A bar from 0 to 1, what it says, and the ends of its interval, None without one. note: under the bar."""

    length: float
    text: str
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """A chart: a bar for each row."""

    title: str
    bars: Sequence[Bar]


def small_multiples(title: str, labels: Sequence[str], panels: Sequence[Panel]) -> str:
    """Return the drawing. labels: of the rows. A line through a bar's end shows its 95 % interval."""
    height = TOP + ROW * len(labels) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="13" fill="{INK}">',
        f"<title>{html.escape(title)}</title>",
        *_rows(labels),
    ]
    for place, panel in enumerate(panels):
        parts.extend(_panel(panel, place * (PANEL + GAP)))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(labels: Sequence[str]) -> Iterator[str]:
    for place, label in enumerate(labels):
        y = TOP + ROW * place
        yield f'<line x1="0" y1="{y}" x2="{WIDTH}" y2="{y}" stroke="{LINE}"/>'
        yield f'<text x="0" y="{y + 18}" font-weight="600">{html.escape(" ".join(label.split()))}</text>'


def _panel(panel: Panel, x: int) -> Iterator[str]:
    yield f'<text x="{x}" y="20" fill="{SOFT}">{html.escape(panel.title)}</text>'
    for place, bar in enumerate(panel.bars):
        yield from _bar(bar, x, TOP + ROW * place + 26)


def _bar(bar: Bar, x: int, y: int) -> Iterator[str]:
    full = PANEL - NUMBER
    yield f'<rect x="{x}" y="{y}" width="{full}" height="{BAR}" fill="{LINE}"/>'
    yield f'<rect x="{x}" y="{y}" width="{_two(full * bar.length)}" height="{BAR}" fill="{FILL}"/>'
    if bar.low is not None and bar.high is not None:
        middle, left, right = y + BAR // 2, _two(x + full * bar.low), _two(x + full * bar.high)
        ends = f"M{left} {y}V{y + BAR}M{left} {middle}H{right}M{right} {y}V{y + BAR}"
        yield f'<path d="{ends}" stroke="{SPAN}" fill="none"/>'
    yield f'<text x="{x + full + 6}" y="{y + 11}">{html.escape(bar.text)}</text>'
    if bar.note:
        yield f'<text x="{x}" y="{y + BAR + 14}" font-size="12" fill="{SOFT}">{html.escape(bar.note)}</text>'


def _two(value: float) -> str:
    """Return a length with at most two decimals: the same text on every machine."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
