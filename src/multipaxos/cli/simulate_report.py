"""What ``multipaxos simulate`` prints: chances, sums, tables and disasters."""

import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from multipaxos.chain.register import Register
from multipaxos.cli.simulated_storage import disks_of
from multipaxos.invariants.names import RULES
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.campaign import CampaignPlan, Tally
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun, RunResult
from multipaxos.simulation.statistics import MEANINGS, Sometimes, Statistics
from multipaxos.trace.console import AMBER, GREEN, RED
from multipaxos.trace.diagram import text_diagram

WIDTH_MAX = 80
INDENT = "  "
LABEL_WIDTH = 18
DIAGRAM_LINES_MAX = 120

COLUMNS = (
    ("", "runs"),
    ("", "links"),
    ("", "messages"),
    ("", "crashes"),
    ("parti-", "tions"),
    ("wasted", "rounds"),
    ("simulated", "time"),
)
GAP = "  "


class Page:
    """Prints on *console*: paragraphs and labelled lines, none wider than a page."""

    def __init__(self, console: Console) -> None:
        """Begin at the top."""
        self.console = console

    @property
    def width(self) -> int:
        """How many columns prose takes."""
        return min(self.console.width, WIDTH_MAX)

    def say(self, text: str = "", style: str = "") -> None:
        """Print a paragraph."""
        for line in textwrap.wrap(text, self.width, break_on_hyphens=False) or [""]:
            self.console.print(Text(line, style=style))

    def label(self, label: str, text: str, style: str = "") -> None:
        """Print *text* with a *label* before it, and wrapped below itself."""
        indent = len(INDENT) + LABEL_WIDTH
        lines = textwrap.wrap(text, max(20, self.width - indent), break_on_hyphens=False)
        for place, line in enumerate(lines or [""]):
            head = label if place == 0 else ""
            self.console.print(
                Text.assemble(INDENT, (f"{head:<{LABEL_WIDTH}}", "dim"), (line, style))
            )


# -- one run ---------------------------------------------------------------------------------------


def tell_plan(page: Page, plan: RunPlan) -> None:
    """Print what the run is, and the chances that are drawn for it."""
    servers = "1 server" if plan.servers == 1 else f"{plan.servers} servers"
    words = [servers, "with masters" if plan.master else "without masters"]
    words += [f"without {name}" for name in plan.without]
    words += [] if plan.state == Register.kind else [f"state: {plan.state}"]
    words += [f"bug {plan.bug}"] if plan.bug is not None else []
    words.append(f"faults: {plan.faults}")
    page.say(f"seed {plan.seed}: {', '.join(words)}", style="bold")
    for line in plan.fault_plan().describe():
        label, _, text = line.partition(": ")
        page.label(label, text)
    page.say()


def tell_result(page: Page, plan: RunPlan, result: RunResult, statistics: Statistics) -> None:
    """Print how a run went in which nothing was wrong."""
    answered = (
        "every request was answered"
        if plan.demands_progress
        else "no answer was demanded: what brings that about is left out"
    )
    page.say(
        f"No invariant was broken in {plan.seconds:g} s under faults and "
        f"{result.peace_seconds:.1f} s of peace; {answered}.",
        style=f"bold {GREEN}",
    )
    page.label(
        "requests",
        f"{result.requests}: {result.answered} answered, {result.refused} refused, "
        f"{result.unknown} given up by their clients",
    )
    page.label("links", f"{statistics.links}")
    page.label(
        "messages",
        f"{statistics.delivered:,} delivered of {statistics.sent:,} sent; "
        f"{statistics.dropped:,} lost, {statistics.duplicated:,} doubled",
    )
    page.label("rounds", f"{statistics.rounds}, {statistics.wasted_rounds} of them wasted")
    happened = ", ".join(f"{kind} {count}" for kind, count in result.happened.items())
    page.label("faults", happened or "none")
    seen = [f"{statistics.count_of(each)} {each}" for each in Sometimes]
    page.label("seen", ", ".join(seen))


# -- a campaign ------------------------------------------------------------------------------------


def tell_tally(page: Page, tally: Tally) -> None:
    """Print the table of what was covered."""
    rows = [
        *((f"faults: {name}", sums) for name, sums in tally.by_level.items()),
        None,
        *tally.by_combination.items(),
        None,
        ("all", tally.total),
    ]
    cells = [None if row is None else [row[0], *_cells(row[1])] for row in rows]
    heads = [["", *(column[line] for column in COLUMNS)] for line in (0, 1)]
    widths = [
        max(len(line[place]) for line in (*heads, *filter(None, cells)))
        for place in range(len(COLUMNS) + 1)
    ]
    gap = GAP if sum(widths) + len(GAP) * len(COLUMNS) <= page.width else " "
    for line in heads:
        page.console.print(Text(_row(line, widths, gap), style="bold"))
    for cells_of_row in cells:
        shown = "" if cells_of_row is None else _row(cells_of_row, widths, gap)
        page.console.print(Text(shown, style="bold" if cells_of_row is cells[-1] else ""))


def _cells(sums: Statistics) -> list[str]:
    return [
        f"{sums.runs:,}",
        f"{sums.links:,}",
        f"{sums.delivered:,}",
        f"{sums.crashes:,}",
        f"{sums.partitions:,}",
        f"{sums.wasted_rounds:,}",
        duration(sums.seconds),
    ]


def _row(cells: Sequence[str], widths: Sequence[int], gap: str) -> str:
    first, *rest = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return gap.join([first, *rest]).rstrip()


def duration(seconds: float) -> str:
    """Return *seconds* in the unit in which people think of so much time."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def tell_sometimes(page: Page, plan: CampaignPlan, total: Statistics) -> bool:
    """Print what happened sometimes; return whether all that had to happen did."""
    page.say()
    page.say("It happened that", style="bold")
    width = max(len(f"{total.count_of(each):,}") for each in Sometimes)
    for each in Sometimes:
        count = total.count_of(each)
        style = (RED if each in plan.demanded else AMBER) if count == 0 else ""
        line = Text.assemble(INDENT, (f"{count:>{width},} times", style), f"  {MEANINGS[each]}")
        page.console.print(line)
    missing = [each.value for each in total.missing if each in plan.demanded]
    if missing:
        page.say()
        page.say(
            f"In so many runs there must be {' and '.join(missing)}, and there were none: what "
            "these runs say of them is worth nothing.",
            style=f"bold {RED}",
        )
    return not missing


def tell_speed(page: Page, total: Statistics, seconds: float) -> None:
    """Print how fast it went: the one thing that differs from machine to machine."""
    if seconds > 0:
        page.say()
        page.say(
            f"{duration(total.seconds)} were simulated in {duration(seconds)}: "
            f"{total.seconds / seconds:,.0f} simulated seconds a second, "
            f"{total.delivered / seconds:,.0f} messages a second.",
        )


# -- a disaster ------------------------------------------------------------------------------------


def tell_violation(page: Page, violation: InvariantViolation) -> None:
    """Print which invariant broke, what it says, and how it was broken."""
    at = "" if violation.link is None else f" at link {violation.link}"
    page.say(f"{violation.name} was broken{at}.", style=f"bold {RED}")
    page.label("the rule", RULES.get(violation.name, ""))
    page.label("what happened", violation.explanation)


def tell_disaster(page: Page, plan: RunPlan, original: RunPlan) -> None:
    """Print the run of *plan*, which was shrunk from *original*, as a diagram."""
    run = RandomRun(replace(plan, traced=True), disks=disks_of(plan))
    violation: InvariantViolation | None = None
    try:
        run.play()
    except InvariantViolation as error:
        violation = error
    assert violation is not None, "equal plans give equal runs"
    page.say()
    page.say(f"The smallest such run that was found: {_size(plan)}, of {_size(original)}.", "bold")
    page.label("what happened", str(violation))
    page.say()
    width = page.console.width if sys.stdout.isatty() else WIDTH_MAX
    for line in _shortened([*text_diagram(run.cluster.trace.events, width=width).split("\n")]):
        page.console.print(line)


def _size(plan: RunPlan) -> str:
    def count(number: int, word: str) -> str:
        return f"{number} {word}" if number == 1 else f"{number} {word}s"

    return ", ".join(
        (
            count(plan.servers, "server"),
            count(len(plan.fault_schedule()), "fault"),
            count(len(plan.request_schedule()), "request"),
            f"{plan.seconds:g} s",
        )
    )


def _shortened(lines: Sequence[Text]) -> Iterator[Text]:
    """Yield *lines*; of very many the head, and the end, where it breaks."""
    if len(lines) <= DIAGRAM_LINES_MAX:
        yield from lines
        return
    yield lines[0]
    left_out = len(lines) - DIAGRAM_LINES_MAX
    yield Text(f"... {left_out} lines, which --trace FILE and multipaxos diagram show", style="dim")
    yield from lines[-DIAGRAM_LINES_MAX + 1 :]


def tell_command(page: Page, plan: RunPlan) -> None:
    """Print the one command that repeats the run of *plan*, whole: it is to be copied."""
    page.say()
    page.say("Again:", "bold")
    page.console.print(Text(plan.command_line()))
