"""The exploration of the roles, as a command asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from composable_paxos import PaxosInstance, Quorums
from multipaxos.exploration.case import Broken, Case
from multipaxos.exploration.result import Exploration
from multipaxos.exploration.role_bounds import RoleBounds
from multipaxos.exploration.role_story import RoleStory
from multipaxos.exploration.roles import RolesModel
from multipaxos.invariants.names import AGREEMENT, NAMES, VALUE_IS_SAFE
from multipaxos.strategies.broken import Bug
from multipaxos.trace import TraceEvent


def role_case(bounds: Mapping[str, int], bug: Bug | None = None) -> Case:
    """
    Return the exploration of the roles within *bounds*, with *bug* or without. Raises BoundsError.

    With a bug that breaks agreement, the search goes on to two chosen values; which other
    invariants break on the way is told afterwards. What *bounds* do not say, the bug does.
    """
    # Without a crash there is less to search, and most bugs need none.
    usual = {} if bug is None else {"crashes": 0, **bug.bounds}
    whole = RoleBounds(**{**usual, **bounds})
    checked = (AGREEMENT,) if bug is not None and AGREEMENT in bug.breaks else NAMES
    told = _Told(whole, bug)
    model = told.model(checked)
    return Case(
        model=model,
        title="one link, agreed on by the roles of composable_paxos",
        bounds=asdict(whole),
        warning=whole.warning if bug is None else "",
        tell=told.tell,
        on_the_way=told.on_the_way,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What a path means, within *bounds* and with *bug*."""

    bounds: RoleBounds
    bug: Bug | None

    def model(self, checked: Sequence[str]) -> RolesModel:
        """Return a model that is held against the invariants *checked*."""
        roles: type[PaxosInstance] = PaxosInstance
        quorums: Any = Quorums.majority
        if self.bug is not None:
            roles, quorums = self.bug.roles or roles, self.bug.quorums or quorums
        return RolesModel(self.bounds, roles=roles, quorums=quorums, checked=checked)

    def tell(self, exploration: Exploration[int, Any]) -> list[TraceEvent]:
        """Return the trace of the path that was found."""
        violation = exploration.violation
        about = {
            "model": "roles",
            **asdict(self.bounds),
            "bug": None if self.bug is None else self.bug.name,
            "broken": None if violation is None else violation.name,
        }
        checked = NAMES if violation is None else (violation.name,)
        model = self.model(checked)
        story = RoleStory(model, about)
        story.play(exploration.path)
        if violation is not None:
            state = _walk(model, exploration.path)[-1]
            story.lead_astray(model.verdict(state).beliefs)
        return story.events

    def on_the_way(self, exploration: Exploration[int, Any]) -> list[Broken]:
        """Return each invariant that breaks on the path, where it breaks first."""
        found: dict[str, Broken] = {}
        for name in NAMES:
            model = self.model((name,))
            states = _walk(model, exploration.path)
            for step, state in enumerate(states):
                violation = model.violation(state)
                if violation is None or (
                    # A value that was safe when it was sent: it is a promise that was not kept.
                    name == VALUE_IS_SAFE and not model.is_request_new(states[step - 1], state)
                ):
                    continue
                found[name] = Broken(step=step, violation=violation)
                break
        return sorted(found.values(), key=lambda broken: broken.step)


def _walk(model: RolesModel, path: Sequence[Any]) -> list[int]:
    """Return the states of *model* along *path*, which another copy of it found."""
    (state,) = model.initial()
    states = [state]
    for event in path:
        states.append(next(after for each, after in model.successors(states[-1]) if each == event))
    return states
