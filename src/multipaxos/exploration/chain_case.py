"""The exploration of the chain, as a command asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from multipaxos.composition import NEEDLESS_IN_EXPLORATION, compose, strategy_names
from multipaxos.exploration.case import Broken, Case
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_model import Action, ChainModel, State
from multipaxos.exploration.chain_story import ChainStory
from multipaxos.exploration.result import Exploration
from multipaxos.strategies.broken import Bug
from multipaxos.trace import TraceEvent

SERVERS_AT_EASE = 2


def chain_case(bounds: Mapping[str, int], bug: Bug | None = None) -> Case:
    """
    Return the exploration of a chain within *bounds*, with *bug* or without. Raises BoundsError.

    What *bounds* do not say, the bug does. There, *master* and *elected* are 1 or left out.
    """
    usual: Mapping[str, int] = {"writes": 1}
    if bug is not None:
        usual = {"master": int(bug.master), **bug.bounds}
    numbers = {**usual, **bounds}
    master = bool(numbers.pop("master", 0))
    whole = ChainBounds(master=master, **numbers)
    told = _Told(whole, bug)
    stands_for = {
        name: number
        for name, number in asdict(whole).items()
        if number is not None and name != "master"
    }
    with_master = "with masters" if whole.master else "without a master"
    return Case(
        model=told.model(),
        title=f"a few links of a chain, {with_master}, kept by the real servers",
        bounds={**stands_for, "proposers": whole.acting},
        warning=_warning(whole) if bug is None else "",
        tell=told.tell,
        on_the_way=told.on_the_way,
        jobs_max=1,
    )


def _warning(bounds: ChainBounds) -> str:
    if bounds.servers <= SERVERS_AT_EASE:
        return ""
    return (
        "Three servers have a great many states: it may take minutes and gigabytes. Few links, "
        "firings and proposers keep it small."
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a path means, within *bounds* and with *bug*."""

    bounds: ChainBounds
    bug: Bug | None

    def model(self) -> ChainModel:
        hiding = () if self.bug is None else self.bug.unexplored
        strategies = strategy_names(
            master=self.bounds.master, without=(*NEEDLESS_IN_EXPLORATION, *hiding)
        )
        name = None if self.bug is None else self.bug.name
        return ChainModel(self.bounds, compose(strategies, bug=name))

    def tell(self, exploration: Exploration[State, Action]) -> Sequence[TraceEvent]:
        """Return the trace of the path that was found."""
        violation = exploration.violation
        about = {
            "model": "chain",
            **asdict(self.bounds),
            "bug": None if self.bug is None else self.bug.name,
            "broken": None if violation is None else violation.name,
        }
        story = ChainStory(self.model(), about)
        story.play(exploration.path)
        return story.events

    def on_the_way(self, exploration: Exploration[State, Action]) -> Sequence[Broken]:
        """Return nothing: the search ends at the first invariant that breaks."""
        del exploration
        return ()
