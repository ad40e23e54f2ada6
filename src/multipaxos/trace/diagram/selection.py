"""Which steps of a long run are shown: a stretch of time, one link, and repetition in one line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from multipaxos.trace.diagram.routine import SYNC
from multipaxos.trace.diagram.steps import Arrow, Banner, BannerKind, Note, Scene, Step, Tip
from multipaxos.trace.diagram.words import joined

REPEATED_MIN = 4
"""Fewer rows of routine or repetition than this are drawn as they are."""

NOTHING_ELSE = ", nothing else"
REPETITION = "repetitions"


def select(
    scene: Scene,
    *,
    since: float | None = None,
    until: float | None = None,
    link: int | None = None,
) -> Scene:
    """
    Return *scene* with the steps from *since* to *until* only, and those about *link* only.

    Times are seconds of the diagram. What has no link (crashes, partitions, timers) stays if it
    happens while the link is in progress.
    """
    first = float("-inf") if since is None else since + scene.origin
    last = float("inf") if until is None else until + scene.origin
    steps = [step for step in scene.steps if first <= step.seconds <= last]
    if link is not None:
        steps = list(_about(steps, link))
    return replace(scene, steps=tuple(steps))


def _about(steps: Sequence[Step], link: int) -> Iterator[Step]:
    places = [step.place for step in steps if step.instance == link]
    if not places:
        return
    first, last = min(places), max(places)
    asked = {
        (step.end, step.start)
        for step in steps
        if isinstance(step, Arrow) and step.by_client and step.instance == link
    }
    for step in steps:
        if step.instance is not None:
            # A greeting names the link that its sender is at, and is not about it.
            belongs = step.instance == link and step.routine != SYNC
        elif isinstance(step, Arrow):
            # Of what has no link only the calls belong to it whose answers name it.
            belongs = step.by_client and (step.start, step.end) in asked and step.place <= last
        else:
            belongs = first <= step.place <= last
        if belongs:
            yield step


def collapse(scene: Scene) -> Scene:
    """
    Return *scene* with one line in place of each row of steps that tell nothing new.

    That is what is routine, and what is drawn above already while nothing has come of it since.
    Where steps are counted, as in an exploration, what never arrives is left out: all that matters
    is what did.
    """
    shown: list[Step] = []
    skipped: list[Step] = []
    above: set[object] = set()
    for step in scene.steps:
        if scene.stepwise and isinstance(step, Arrow) and step.tip is Tip.UNDER_WAY:
            continue
        looks = _looks(step)
        if step.routine or looks in above:
            skipped.append(step)
            continue
        shown += _told_in_short(skipped, is_untimed=scene.untimed)
        skipped = []
        if isinstance(step, Note) or (isinstance(step, Banner) and step.kind != BannerKind.LINK):
            above.clear()
        above.add(looks)
        shown.append(step)
    shown += _told_in_short(skipped, is_untimed=scene.untimed)
    return replace(scene, steps=tuple(shown))


def _looks(step: Step) -> object:
    match step:
        case Arrow():
            return (step.start, step.end, step.words, step.tip)
        case Note() if step.kind in ("timer fired", "timer set"):
            return (step.server, step.kind)
        case Note():
            return (step.server, step.words)
        case Banner():
            return step.words


def _told_in_short(skipped: Sequence[Step], *, is_untimed: bool) -> Iterable[Step]:
    arrows = [step for step in skipped if isinstance(step, Arrow) and step.tip is not Tip.LEAVES]
    if len(arrows) < REPEATED_MIN:
        return skipped
    first, last = skipped[0], skipped[-1]
    purposes = joined(sorted({arrow.routine or REPETITION for arrow in arrows}))
    lost = sum(arrow.tip is Tip.LOST for arrow in arrows)
    words = f"{len(arrows)} messages of {purposes}{f' ({lost} lost)' if lost else ''}{NOTHING_ELSE}"
    if not is_untimed and last.seconds > first.seconds:
        words = f"{_duration(last.seconds - first.seconds)}: {words}"
    return [
        Banner(
            seconds=first.seconds,
            place=first.place,
            instance=last.instance,
            routine=first.routine or REPETITION,
            lives=last.lives,
            words=words,
            kind=BannerKind.SKIPPED,
        )
    ]


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else f"{milliseconds:.1f} ms"
