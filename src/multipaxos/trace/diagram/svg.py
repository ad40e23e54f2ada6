"""The diagram as SVG: arrows slant from where a message leaves to where it arrives."""

from bisect import bisect_right
from collections.abc import Iterable
from html import escape
from math import sqrt

from multipaxos.trace.console import GREEN, RED, VIOLET, uid_style
from multipaxos.trace.diagram.selection import collapse
from multipaxos.trace.diagram.staging import stage
from multipaxos.trace.diagram.steps import Arrow, Banner, BannerKind, Life, Note, Scene, Step, Tip
from multipaxos.trace.diagram.words import name_words
from multipaxos.trace.events import TraceEvent

ROW = 40
GAP_MIN = 250
GAP_OF_CLIENTS = 170
TOP = 64
MARGIN = 40
TIME_WIDTH = 64
FONT = 17
CHARACTER_WIDTH, HEAD_CHARACTER_WIDTH = 10, 18
"""How wide a character is on average, and rather more."""
PAUSE_ROWS_MAX = 2
PAUSE_SECONDS = 0.5
"""A silence of this length gets one row of space more, a longer one at most PAUSE_ROWS_MAX."""

KINDS = {
    BannerKind.CHOSEN: "chosen",
    BannerKind.CHOSEN_AGAIN: "bad",
    BannerKind.BROKEN: "bad",
    BannerKind.WIRES: "wires",
}

STYLE = f"""\
svg {{ background: #ffffff; font: {FONT}px "DejaVu Sans", Verdana, sans-serif; }}
text {{ fill: #1b1f23; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }}
.head {{ font-size: 24px; font-weight: bold; }}
.dim {{ fill: #5b6570; }}
.bad {{ fill: {RED}; font-weight: bold; }}
.chosen {{ fill: {GREEN}; font-weight: bold; }}
line, polyline {{ stroke: #5b6570; stroke-width: 2px; fill: none; }}
.paused {{ stroke-dasharray: 3 7; }}
.trusting {{ stroke: {VIOLET}; stroke-width: 7px; }}
.across {{ stroke-width: 3px; }}
.across.chosen {{ stroke: {GREEN}; }}
.across.link {{ stroke-width: 1px; }}
.across.bad {{ stroke: {RED}; }}
.across.wires {{ stroke-dasharray: 10 6; }}
.mark {{ fill: #1b1f23; }}
.underway {{ stroke-dasharray: 2 5; }}
@media (prefers-color-scheme: dark) {{
  svg {{ background: #14181c; }}
  text {{ fill: #e6e9ec; stroke: #14181c; }}
  .dim {{ fill: #9aa5b0; }}
  .mark {{ fill: #e6e9ec; }}
  line, polyline {{ stroke: #9aa5b0; }}
}}
"""


def svg(events: Iterable[TraceEvent]) -> str:
    """Return *events* as an SVG document."""
    return draw_svg(collapse(stage(events)))


def draw_svg(scene: Scene) -> str:
    """Return *scene* as an SVG document, each step in a row of its own, in light and dark."""
    return _Sheet(scene).document()


class _Sheet:
    """
    Draws a scene.

    State: the rows' heights, which are settled first, and the elements so far: lifelines below,
    then arrows, then words.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.steps = [
            step for step in scene.steps if not (isinstance(step, Arrow) and step.tip is Tip.LEAVES)
        ]
        self.x = _columns(scene)
        self.y = _heights(self.steps)
        self.width = max(self.x.values(), default=0) + MARGIN
        self.height = (self.y[-1] if self.y else TOP) + 2 * ROW
        self._acts: dict[str, list[int]] = {name: [] for name in self.x}
        self._below: list[str] = []
        self._arrows: list[str] = []
        self._words: list[str] = []

    def document(self) -> str:
        """Return the whole document."""
        self._heads()
        self._lifelines()
        time = ""
        for row, step in enumerate(self.steps):
            told = "" if self.scene.untimed else self.scene.time(step.seconds)
            if told != time:
                time = told
                self._text(TIME_WIDTH - 8, self.y[row], told, "dim", anchor="end")
            match step:
                case Arrow():
                    self._arrow(row, step)
                case Note():
                    self._note(row, step)
                case Banner():
                    self._banner(row, step)
        size = f'width="{self.width}" height="{self.height}"'
        size += f' viewBox="0 0 {self.width} {self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        parts = [head, "<title>Space-time diagram</title>", f"<style>\n{STYLE}</style>"]
        return "\n".join([*parts, *self._below, *self._arrows, *self._words, "</svg>"]) + "\n"

    # -- columns -----------------------------------------------------------------------------------

    def _heads(self) -> None:
        for name, x in self.x.items():
            color = _color(name, self.scene)
            style = f' style="fill:{color}"' if color else ""
            self._words.append(
                f'<text class="head" x="{x}" y="{TOP - 28}" text-anchor="middle"{style}>'
                f"{escape(name_words(name))}</text>"
            )

    def _lifelines(self) -> None:
        for name, x in self.x.items():
            start, life = TOP - 12, Life.UP
            ends = zip(self.y, self.steps, strict=True)
            for y, step in [*ends, (self.height - ROW // 2, None)]:
                now = None if step is None else step.lives.get(name, Life.UP)
                if now is not life:
                    if life is not Life.DOWN:
                        drawn = f'<line class="{life}" x1="{x}" y1="{start}" x2="{x}" y2="{y}"/>'
                        self._below.append(drawn)
                    start, life = y, now or Life.UP

    # -- steps -------------------------------------------------------------------------------------

    def _arrow(self, row: int, arrow: Arrow) -> None:
        x_from, x_to, y_to = self.x[arrow.start], self.x[arrow.end], self.y[row]
        y_from = self._departure(row, arrow)
        side = -1 if x_to > x_from else 1
        color = RED if arrow.refused or arrow.tip is Tip.LOST else _arrow_color(arrow, self.scene)
        style = f' style="stroke:{color}"' if color else ""
        x_end: float = x_to
        if arrow.tip is not Tip.ARRIVES:
            x_end = x_to + side * abs(x_to - x_from) / 4
        kind = ' class="underway"' if arrow.tip in (Tip.UNDER_WAY, Tip.UNSEEN) else ""
        coordinates = f'x1="{x_from}" y1="{y_from}" x2="{x_end:.1f}" y2="{y_to}"'
        self._arrows.append(f"<line{kind} {coordinates}{style}/>")
        if arrow.tip is Tip.ARRIVES:
            self._arrows.append(_head(x_from, y_from, x_end, y_to, color))
            self._acts[arrow.end].append(row)
        elif arrow.tip is Tip.LOST:
            self._arrows.append(_cross(x_end, y_to))
        words = f"again: {arrow.words}" if arrow.again else arrow.words
        words += " ?" if arrow.tip is Tip.UNSEEN else ""
        anchor = "end" if side < 0 else "start"
        self._text(x_end + side * 16, y_to + 15, words, "", anchor=anchor, color=color)
        if arrow.saved:
            self._mark(x_to, y_to)
        if arrow.refused:
            self._arrows.append(_cross(x_to, y_to))

    def _departure(self, row: int, arrow: Arrow) -> float:
        """Return the height at which *arrow* leaves: that of what its sender did last before."""
        if arrow.left is None:
            return self.y[row] - ROW // 3
        acts = self._acts[arrow.start]
        before = bisect_right(acts, arrow.left, key=lambda act: self.steps[act].place)
        if before:
            return self.y[acts[before - 1]]
        earlier = bisect_right(self.steps, arrow.left, key=lambda step: step.place)
        return self.y[min(earlier, row)] - ROW // 2

    def _note(self, row: int, note: Note) -> None:
        x, y = self.x[note.server], self.y[row]
        self._acts[note.server].append(row)
        is_last = x == max(self.x.values())
        kind = "bad" if note.kind in ("refused", "crashed", "halted", "wiped") else ""
        color = "" if kind else _color(note.server, self.scene)
        if note.saved:
            self._mark(x, y)
        if note.kind in ("crashed", "halted"):
            self._arrows.append(_cross(x, y))
        place = (x - 14, "end") if is_last else (x + 14, "start")
        # Above the arrows that leave from here.
        self._text(place[0], y - 5, note.words, kind, anchor=place[1], color=color)

    def _banner(self, row: int, banner: Banner) -> None:
        y, left, right = self.y[row], 0 if self.scene.untimed else TIME_WIDTH, self.width
        kind = KINDS.get(banner.kind, "dim")
        middle = (left + right) / 2
        if banner.kind is BannerKind.LINK:
            self._text(left, y - 6, banner.words, kind, anchor="start")
            self._rule(left, right, y, "link")
            return
        self._text(middle, y + 6, banner.words, kind, anchor="middle")
        if banner.kind is not BannerKind.SKIPPED:
            half = len(banner.words) * CHARACTER_WIDTH / 2 + 8
            self._rule(left, middle - half, y, kind)
            self._rule(middle + half, right, y, kind)

    def _rule(self, left: float, right: float, y: float, kind: str) -> None:
        if left < right:
            ends = f'x1="{left}" y1="{y}" x2="{right:.1f}" y2="{y}"'
            self._below.append(f'<line class="across {kind}" {ends}/>')

    # -- shapes ------------------------------------------------------------------------------------

    def _text(
        self, x: float, y: float, words: str, kind: str, *, anchor: str, color: str = ""
    ) -> None:
        style = f' style="fill:{color}"' if color else ""
        name = f' class="{kind}"' if kind else ""
        self._words.append(
            f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>'
            f"{escape(words)}</text>"
        )

    def _mark(self, x: float, y: float) -> None:
        self._arrows.append(f'<rect x="{x - 6}" y="{y - 6}" width="12" height="12" class="mark"/>')


def _columns(scene: Scene) -> dict[str, int]:
    longest = max((len(name_words(name)) for name in (*scene.clients, *scene.servers)), default=0)
    start = (0 if scene.untimed else TIME_WIDTH) + max(MARGIN, longest * HEAD_CHARACTER_WIDTH // 2)
    columns = {client: start + place * GAP_OF_CLIENTS for place, client in enumerate(scene.clients)}
    first = start + len(scene.clients) * GAP_OF_CLIENTS
    return columns | {uid: first + place * GAP_MIN for place, uid in enumerate(scene.servers)}


def _heights(steps: Iterable[Step]) -> list[int]:
    heights: list[int] = []
    height, before = TOP, None
    for step in steps:
        silence = 0.0 if before is None else step.seconds - before
        height += ROW + int(ROW * min(PAUSE_ROWS_MAX, max(0.0, silence) / PAUSE_SECONDS))
        before = step.seconds
        heights.append(height)
    return heights


def _color(name: str, scene: Scene) -> str:
    return uid_style(name) if name in scene.servers else ""


def _arrow_color(arrow: Arrow, scene: Scene) -> str:
    return "" if arrow.proposer is None else _color(arrow.proposer, scene)


def _head(x_from: float, y_from: float, x_to: float, y_to: float, color: str) -> str:
    across, down = x_to - x_from, y_to - y_from
    length = sqrt(across * across + down * down)
    across, down = across / length, down / length
    x, y = x_to - 5 * across, y_to - 5 * down
    points = [
        (x, y),
        (x - 13 * across - 6 * down, y - 13 * down + 6 * across),
        (x - 13 * across + 6 * down, y - 13 * down - 6 * across),
    ]
    listed = " ".join(f"{one:.1f},{other:.1f}" for one, other in points)
    return f'<polygon points="{listed}" fill="{color or "#7a8590"}"/>'


def _cross(x: float, y: float) -> str:
    arms = f"M{x - 7:.1f} {y - 7:.1f}l14 14m-14 0l14 -14"
    return f'<path d="{arms}" stroke="{RED}" stroke-width="4" fill="none"/>'
