#!/usr/bin/env python3
"""Draws what tests/bench/broker measured: of --scale one SVG a sweep, of --peers one that compares; a panel for each figure.

usage: tests/bench/plot.py FILE.TSV FOLDER

Lines join medians, thin bars reach from the smallest to the largest round. An axis is logarithmic where its values span more than
a factor of twenty, else it begins at zero; bars always do. Colours suit a light and a dark page.
"""
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, PANEL_HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 800, 200, 58, 48, 52, 54
LOG_FROM = 20  # a span this large makes an axis logarithmic

AT_RATE, URGENT = "latency at 500/s, ms", "latency of an urgent article, ms"

# Title, name of the x axis, and what the latency is of.
SWEEPS = {
    "queue": ("Queue length", "articles waiting in the broker", URGENT),
    "size": ("Article size", "KB an article", AT_RATE),
    "workers": ("Workers", "worker processes a stage", AT_RATE),
    "stages": ("Stages", "stages in a row", AT_RATE),
}

# Title of a panel: its figures and what they are called at the end of the line.
PANELS = (
    ("articles/s", (("articles_per_s", ""),)),
    ("CPU, s per 1000 articles", (("cpu_s_per_1000", "all"), ("cpu_broker_s_per_1000", "broker"))),
    (AT_RATE, (("p99_ms", "p99"), ("p50_ms", "p50"))),
    ("memory of the broker, MiB", (("rss_mib", ""),)),
)

STYLE = """
text { font: 12px system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif; fill: #59636e }
.title { font-size: 15px; font-weight: 600; fill: #1f2328 }
.panel { font-weight: 600; fill: #1f2328 }
.grid { stroke: #8b949e; stroke-opacity: .28; fill: none }
.axis { stroke: #8b949e; fill: none }
.line0 { stroke: #0969da; fill: none; stroke-width: 2 } .dot0 { fill: #0969da } .name0 { fill: #0969da }
.line1 { stroke: #bc4c00; fill: none; stroke-width: 2 } .dot1 { fill: #bc4c00 } .name1 { fill: #bc4c00 }
.spread { stroke-width: 1 }
.bar0 { fill: #0969da } .bar1 { fill: #8b949e; fill-opacity: .55 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .title, .panel { fill: #f0f6fc }
.line0 { stroke: #58a6ff } .dot0, .name0 { fill: #58a6ff }
.line1 { stroke: #f0883e } .dot1, .name1 { fill: #f0883e }
.bar0 { fill: #58a6ff }
}
"""


def short(value):
    """A number for an axis: 300k, 2.5k, 0.05."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def nice_step(span, parts):
    """1, 2 or 5 times a power of ten, so that `span` has about `parts` of them."""
    raw = span / parts
    power = 10 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw * 0.999)


class Axis:
    """Maps values to [0, 1] and says where marks belong. Zero on a logarithmic axis stands a little before its start."""

    def __init__(self, values, ticks=None, room=1.0):
        positive = [v for v in values if v > 0]
        self.is_log = bool(positive) and max(positive) / min(positive) > LOG_FROM
        top = max(positive, default=1) * room
        if self.is_log:
            self.low, self.high = math.log10(min(positive) / room), math.log10(top)
            if 0 in values:
                self.low -= (self.high - self.low) * 0.15
            self.ticks = ticks or self.log_ticks()
        else:
            step = nice_step(top, 4)
            self.low, self.high = 0, max(ticks) if ticks else step * math.ceil(top / step)
            self.ticks = ticks or [step * i for i in range(round(self.high / step) + 1)]

    def log_ticks(self):
        steps = (1,) if self.high - self.low > 2.2 else (1, 2, 5)
        marks = [step * 10.0 ** power for power in range(math.floor(self.low), math.ceil(self.high) + 1) for step in steps]
        return [mark for mark in marks if self.low <= math.log10(mark) <= self.high]

    def at(self, value):
        if self.is_log:
            value = math.log10(value) if value > 0 else self.low
        return (value - self.low) / (self.high - self.low)


def read(path):
    """{sweep: {figure: [(value, median, min, max)]}}; in a comparison the value is a name."""
    found = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines()[1:]:
        sweep, value, figure, *numbers = line.split("\t")
        value = float(value) if sweep in SWEEPS else value
        found.setdefault(sweep, {}).setdefault(figure, []).append((value, *map(float, numbers)))
    return found


def text(x, y, words, kind="", anchor="start"):
    kind = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'


class Panel:
    """A pair of axes inside the picture."""

    def __init__(self, x, y, width, height, series):
        self.left, self.top, self.right, self.bottom = x + LEFT, y, x + width - RIGHT, y + height
        values = sorted({row[0] for rows, _ in series for row in rows})
        self.x_axis = Axis(values, ticks=values)
        self.y_axis = Axis([n for rows, _ in series for row in rows for n in row[1:]], room=1.12)
        self.series = series

    def point(self, value, number):
        x = self.left + self.x_axis.at(value) * (self.right - self.left)
        return x, self.bottom - self.y_axis.at(number) * (self.bottom - self.top)

    def grid(self):
        for mark in self.y_axis.ticks:
            _, y = self.point(self.x_axis.ticks[0], mark)
            yield f'<path class="grid" d="M{self.left:.1f} {y:.1f}H{self.right:.1f}"/>'
            yield text(self.left - 7, y + 4, short(mark), anchor="end")
        yield f'<path class="axis" d="M{self.left:.1f} {self.bottom:.1f}H{self.right:.1f}"/>'
        free_from = -math.inf
        for mark in self.x_axis.ticks:
            x, _ = self.point(mark, self.y_axis.ticks[-1])
            yield f'<path class="axis" d="M{x:.1f} {self.bottom:.1f}v4"/>'
            half = 3.6 * len(short(mark))
            if x - half > free_from:
                yield text(x, self.bottom + 17, short(mark), anchor="middle")
                free_from = x + half + 3

    def lines(self):
        for number, (rows, name) in enumerate(self.series):
            points = [self.point(row[0], row[1]) for row in rows]
            for row in rows:
                if row[3] > row[2]:
                    (x, high), (_, low) = self.point(row[0], row[3]), self.point(row[0], row[2])
                    yield f'<path class="line{number} spread" d="M{x:.1f} {high:.1f}V{low:.1f}"/>'
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            yield f'<path class="line{number}" d="M{path}"/>'
            yield "".join(f'<circle class="dot{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in points)
            yield text(points[-1][0] + 8, points[-1][1] + 4, name, f"name{number}")

    def draw(self, title, x_label):
        yield text(self.left, self.top - 12, title, "panel")
        yield from self.grid()
        yield from self.lines()
        yield text((self.left + self.right) / 2, self.bottom + 35, x_label, anchor="middle")


def frame(title, height, parts):
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    yield f"<style>{STYLE}</style>"
    yield text(LEFT, 22, title, "title")
    yield from parts
    yield "</svg>"


def sweep_picture(sweep, figures):
    title, x_label, latency = SWEEPS[sweep]
    panels = []
    for name, wanted in PANELS:
        series = [(sorted(figures[figure]), label) for figure, label in wanted if figure in figures]
        if series:
            panels.append((latency if name == AT_RATE else name, series))
    height = TOP + PANEL_HEIGHT + BOTTOM

    def parts():
        for i, (name, series) in enumerate(panels):
            panel = Panel(i % 2 * WIDTH / 2, 10 + i // 2 * height + TOP, WIDTH / 2, PANEL_HEIGHT, series)
            yield from panel.draw(name, x_label)

    return frame(title, 24 + math.ceil(len(panels) / 2) * height, parts())


# --- contenders: rows of bars

BAR, NAME_WIDTH = 24, 150
BAR_PANELS = (("articles/s", "articles_per_s"), ("CPU, s per 1000", "cpu_s_per_1000"), ("p99 at 500/s, ms", "p99_ms"))


def bars(names, figures, left, width, top):
    """One column: a bar for each name, its spread, and its number behind it."""
    rows = {name: row for name, *row in figures}
    scale = (width - 74) / max(high for _, _, high in rows.values())
    for i, name in enumerate(names):
        if name not in rows:
            continue
        median, low, high = (number * scale for number in rows[name])
        y, middle = top + i * BAR, top + i * BAR + (BAR - 8) / 2
        kind = 0 if name.startswith("copydesk") else 1
        yield f'<rect class="bar{kind}" x="{left:.1f}" y="{y:.1f}" width="{max(median, 1):.1f}" height="{BAR - 8}" rx="2"/>'
        if high > low:
            yield f'<path class="axis" d="M{left + low:.1f} {middle:.1f}H{left + high:.1f}"/>'
        yield text(left + high + 6, y + 12, short(float(f"{rows[name][0]:.3g}")))


def contender_picture(title, figures):
    names = [row[0] for row in figures["articles_per_s"]]
    width, top = (WIDTH - NAME_WIDTH) / len(BAR_PANELS), 74

    def parts():
        for i, name in enumerate(names):
            yield text(NAME_WIDTH - 10, top + i * BAR + 12, name.replace("_", " "), anchor="end")
        for i, (label, figure) in enumerate(BAR_PANELS):
            left = NAME_WIDTH + i * width
            yield text(left, top - 14, label, "panel")
            yield from bars(names, figures.get(figure, ()), left, width, top) if figure in figures else ()

    return frame(title, top + len(names) * BAR + 8, parts())


def draw(path, folder):
    """Writes FOLDER/NAME.svg for every sweep or comparison in the table."""
    for name, figures in read(path).items():
        if name in SWEEPS:
            lines = sweep_picture(name, figures)
        else:
            lines = contender_picture(f"Brokers side by side, {name.rpartition('-')[2]}", figures)
        (Path(folder) / f"{name}.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: tests/bench/plot.py FILE.TSV FOLDER")
    draw(sys.argv[1], sys.argv[2])
