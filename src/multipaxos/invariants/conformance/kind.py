"""Of which kind the state machine is that the traces tell of."""

from collections.abc import Iterator, Sequence
from typing import Any

from multipaxos.chain.pipelines import Pipelining
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import StateMachine
from multipaxos.invariants.conformance.source import BadTracesError, Source
from multipaxos.machines import MACHINES


def machine_of(sources: Sequence[Source], given: StateMachine | None) -> StateMachine:
    """
    Return the state machine of the traces, which is the one that is *given*, if any is.

    No module is imported because a trace names it. Raises BadTracesError.
    """
    kind = next(_kinds(sources), None)
    if given is not None:
        if kind not in (None, given.kind):
            raise BadTracesError(f"These are traces of a {kind}, and not of a {given.kind}.")
        return given
    if kind is None:
        return Pipelining(Register())
    if kind not in MACHINES:
        raise BadTracesError(
            f"These are traces of a state machine of the kind {kind!r}, which is not built in: "
            "name its class with --state package.module:Class."
        )
    return Pipelining(MACHINES[kind]())


def _kinds(sources: Sequence[Source]) -> Iterator[str]:
    """Yield the kinds that headers name, then those that a chain's first link does."""
    for source in sources:
        about: Any = source.lines[0].event.fields["about"]
        if isinstance(about.get("state"), str):
            yield about["state"]
    for source in sources:
        for line in source.lines:
            if line.event.kind == "saved":
                decided: Any = line.event.fields["decided"]
                for one in decided:
                    if one["link"]["type"] == "Founding":
                        yield one["link"]["machine_kind"]
