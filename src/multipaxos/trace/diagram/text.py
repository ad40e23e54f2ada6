"""The diagram as text for a terminal."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from rich.text import Text

from multipaxos.trace.console import AMBER, GREEN, RED, VIOLET, uid_style
from multipaxos.trace.diagram.canvas import Row, cells_of, shortened
from multipaxos.trace.diagram.layout import Layout, lay_out
from multipaxos.trace.diagram.selection import NOTHING_ELSE, collapse, select
from multipaxos.trace.diagram.staging import stage
from multipaxos.trace.diagram.steps import Arrow, Banner, BannerKind, Life, Note, Scene, Step, Tip
from multipaxos.trace.diagram.words import name_words
from multipaxos.trace.events import TraceEvent

WIDTH = 80
CLIENT_WIDTH_MAX = 14

LIFELINES = {Life.UP: "|", Life.DOWN: " ", Life.PAUSED: ":", Life.TRUSTING: "M"}
TIPS = {Tip.LOST: "x", Tip.LEAVES: "~", Tip.UNDER_WAY: "~", Tip.UNSEEN: "?"}

NOTE_STYLES = {
    "refused": RED,
    "round lost": RED,
    "crashed": f"bold {RED}",
    "halted": f"bold {RED}",
    "wiped": RED,
    "disk": RED,
    "resolved": f"bold {GREEN}",
    "learned": GREEN,
    "caught up": GREEN,
    "lease began": VIOLET,
    "lease ended": VIOLET,
    "foreign lease": VIOLET,
    "paused": AMBER,
    "resumed": AMBER,
    "clock rate": AMBER,
}
BANNER_STYLES = {
    BannerKind.CHOSEN: f"bold {GREEN}",
    BannerKind.CHOSEN_AGAIN: f"bold {RED}",
    BannerKind.BROKEN: f"bold {RED}",
    BannerKind.WIRES: f"bold {AMBER}",
    BannerKind.LINK: "dim",
    BannerKind.SKIPPED: "dim",
}
LEGEND: Sequence[tuple[Callable[[Step], bool], str]] = (
    (lambda step: isinstance(step, Arrow | Note) and step.saved, "# saved first"),
    (lambda step: isinstance(step, Arrow) and step.refused, "! refused"),
    (lambda step: isinstance(step, Arrow) and step.tip is Tip.LOST, "x lost"),
    (lambda step: isinstance(step, Arrow) and step.tag is not None, "~1 goes on at 1~"),
    (lambda step: isinstance(step, Arrow) and step.tip is Tip.UNDER_WAY, "~ still on its way"),
    (lambda step: isinstance(step, Arrow) and step.tip is Tip.UNSEEN, "? not seen to arrive"),
    (lambda step: Life.TRUSTING in step.lives.values(), "M trusts its own lease"),
    (lambda step: Life.PAUSED in step.lives.values(), ": paused"),
)
"""The marks, each with what tells whether it occurs."""

FILLS = {
    BannerKind.CHOSEN: "=",
    BannerKind.CHOSEN_AGAIN: "!",
    BannerKind.BROKEN: "!",
    BannerKind.WIRES: "~",
    BannerKind.LINK: " ",
    BannerKind.SKIPPED: " ",
}


def text_diagram(
    events: Iterable[TraceEvent],
    *,
    width: int = WIDTH,
    since: float | None = None,
    until: float | None = None,
    link: int | None = None,
    collapsed: bool = True,
) -> Text:
    """
    Return the space-time diagram of *events*, in order of time, for a terminal of *width* columns.

    ``str`` of it is the diagram without colours. *since*, *until* (seconds, as the diagram counts
    them) and *link* select what is shown; unless *collapsed*, every repetition is drawn.
    """
    scene = select(stage(events), since=since, until=until, link=link)
    return draw_text(collapse(scene) if collapsed else scene, width=width)


def legend(scene: Scene) -> Text:
    """Return what the marks mean that occur in the drawing of *scene*."""
    told = [words for mark, words in LEGEND if any(mark(step) for step in scene.steps)]
    return Text("; ".join(told), style="dim")


def draw_text(scene: Scene, *, width: int = WIDTH) -> Text:
    """Return *scene* as rows of text, the columns' names first."""
    pen = _Pen(scene, lay_out(scene, width=width))
    return Text("\n").join(pen.lines())


class _Pen:
    """
    Draws the rows of a scene.

    State: the rows so far, and the time that stands in the gutter.
    """

    def __init__(self, scene: Scene, layout: Layout) -> None:
        self.scene = scene
        self.layout = layout
        self._rows: list[Row] = []
        self._time = ""

    def lines(self) -> list[Text]:
        """Return all rows as lines."""
        steps = self.scene.steps
        if not (steps and _is_link(steps[0])):
            self._head("")
        for step in steps:
            match step:
                case Arrow():
                    self._arrow(step)
                case Note():
                    self._note(step)
                case Banner():
                    self._banner(step)
        return [row.line() for row in self._rows]

    # -- rows --------------------------------------------------------------------------------------

    def _head(self, words: str) -> None:
        row = Row(self.layout.width)
        for column, name in self.layout.heads.items():
            start = min(column, self.layout.width - len(cells_of(name)))
            if not words or start > len(words):
                row.write(start, name, _server_style(name, self.scene))
        row.write(0, words, "dim")
        self._rows.append(row)

    def _row(self, step: Step) -> Row:
        row = Row(self.layout.width)
        for name, column in self.layout.columns.items():
            life = step.lives.get(name, Life.UP)
            row.write(column, LIFELINES[life], _life_style(name, life, self.scene))
        time = "" if self.scene.untimed else self.scene.time(step.seconds)
        if time != self._time:
            self._time = time
            row.write(self.layout.gutter - 1 - len(time), time, "dim")
        self._rows.append(row)
        return row

    def _banner(self, banner: Banner) -> None:
        if banner.kind is BannerKind.LINK:
            self._head(banner.words)
            return
        row = self._row(banner)
        start = self.layout.gutter
        room = self.layout.width - start
        if banner.kind is BannerKind.SKIPPED:
            words = f"... {banner.words}"
            if len(words) > room:
                words = words.removesuffix(NOTHING_ELSE)
            row.write(start, f"{shortened(words, room)} ", BANNER_STYLES[banner.kind])
            return
        words = shortened(f" {banner.words} ", room - 2)
        fill = FILLS[banner.kind]
        missing = room - len(cells_of(words))
        line = fill * (missing // 2) + words + fill * (missing - missing // 2)
        row.write(start, line, BANNER_STYLES[banner.kind])

    def _note(self, note: Note) -> None:
        column = self.layout.columns[note.server]
        style = NOTE_STYLES.get(note.kind, _server_style(note.server, self.scene))
        left, right = self.layout.neighbours(column)
        rooms = {True: right - column - 3, False: column - left - 3}
        words = note.words
        goes_right = rooms[True] >= len(cells_of(words)) or rooms[True] >= rooms[False]
        if len(cells_of(words)) > rooms[goes_right]:
            # It covers other lifelines, on the side with more room.
            rooms = {True: self.layout.width - column - 2, False: column - self.layout.gutter - 1}
            goes_right = rooms[True] >= rooms[False]
        for number, part in enumerate(textwrap.wrap(words, max(20, rooms[goes_right]))):
            row = self._row(note)
            if number == 0 and note.saved:
                row.write(column, "#", f"bold {style}")
            elif number == 0 and note.kind in ("crashed", "halted"):
                row.write(column, "X", style)
            width = len(cells_of(part))
            row.write(column + 1 if goes_right else column - 2 - width, f" {part} ", style)

    # -- arrows ------------------------------------------------------------------------------------

    def _arrow(self, arrow: Arrow) -> None:
        columns = self.layout.columns
        start, end = columns[arrow.start], columns[arrow.end]
        row = self._row(arrow)
        left, right = min(start, end), max(start, end)
        style = _arrow_style(arrow, self.scene)
        room = right - left - 1
        label = next((label for label in self._labels(arrow) if _fits(label, arrow, room)), "")
        row.write(left + 1, _shaft(arrow, room, label, to_right=end > start), style)
        if arrow.tip is Tip.ARRIVES and (arrow.saved or arrow.refused):
            row.write(end, "!" if arrow.refused else "#", f"bold {RED if arrow.refused else style}")
        if not label:
            self._beside(row, self._words(arrow, arrow.words), left=left, right=right, style=style)

    def _labels(self, arrow: Arrow) -> Iterator[str]:
        for words in (self._words(arrow, arrow.words), self._words(arrow, arrow.short)):
            yield f"- {words} -"
            # Next to a head that is a letter, a word would seem to end in it.
            yield f"-{words}" if arrow.tip is Tip.ARRIVES else f"-{words}-"

    def _words(self, arrow: Arrow, words: str) -> str:
        words = f"again: {words}" if arrow.again else words
        if arrow.by_client and self.layout.shares_clients:
            client = arrow.end if arrow.start in self.scene.servers else arrow.start
            return f"{shortened(name_words(client), CLIENT_WIDTH_MAX)}: {words}"
        return words

    def _beside(self, row: Row, words: str, *, left: int, right: int, style: str) -> None:
        room_right = self.layout.width - right - 2
        room_left = left - 1 - self.layout.gutter
        width = len(cells_of(words))
        # The blanks keep it from touching another lifeline.
        if room_right >= min(width, room_left):
            row.write(right + 1, f" {shortened(words, room_right)} ", style)
        else:
            shown = shortened(words, room_left)
            row.write(left - 2 - len(cells_of(shown)), f" {shown} ", style)


def _is_link(step: Step) -> bool:
    return isinstance(step, Banner) and step.kind is BannerKind.LINK


def _fits(label: str, arrow: Arrow, room: int) -> bool:
    tips = 1 if arrow.tip is Tip.ARRIVES else 3
    tips += 0 if arrow.tag is None else 1 + len(str(arrow.tag))
    return len(cells_of(label)) + tips <= room


def _shaft(arrow: Arrow, room: int, label: str, *, to_right: bool) -> str:
    tail = head = ""
    if arrow.tag is not None and arrow.tip is not Tip.LEAVES:
        tail = f"{arrow.tag}~" if to_right else f"~{arrow.tag}"
    if arrow.tip is Tip.ARRIVES:
        head = ">" if to_right else "<"
    else:
        head = TIPS[arrow.tip]
        if arrow.tip is Tip.LEAVES:
            head = f"~{arrow.tag}" if to_right else f"{arrow.tag}~"
        # What does not arrive ends before the other lifeline.
        head = f"{head}  " if to_right else f"  {head}"
    length = max(0, room - len(tail) - len(head))
    missing = max(0, length - len(cells_of(label)))
    shaft = "-" * (missing // 2) + label + "-" * (missing - missing // 2)
    return f"{tail}{shaft}{head}" if to_right else f"{head}{shaft}{tail}"


def _arrow_style(arrow: Arrow, scene: Scene) -> str:
    if arrow.refused or arrow.tip is Tip.LOST:
        return RED
    if arrow.proposer is not None:
        return _server_style(arrow.proposer, scene)
    return "" if arrow.by_client else "dim"


def _server_style(uid: str, scene: Scene) -> str:
    return uid_style(uid) if uid in scene.servers else ""


def _life_style(name: str, life: Life, scene: Scene) -> str:
    if life is Life.TRUSTING:
        return f"bold {VIOLET}"
    return _server_style(name, scene) if life is Life.UP else "dim"
