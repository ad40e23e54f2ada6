"""Saying why a history is not linearizable, so that a person sees it."""

from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import StateMachine
from multipaxos.invariants.linearizability.operation import History, Operation
from multipaxos.invariants.linearizability.search import TRIES_MAX, Impasse, find_impasse
from multipaxos.invariants.linearizability.simple import UNTOUCHED, put, readable
from multipaxos.invariants.linearizability.stepping import step
from multipaxos.invariants.names import LINEARIZABLE
from multipaxos.invariants.shown import shown_result, shown_state
from multipaxos.invariants.violation import InvariantViolation


def check_linearizable(history: History, machine: StateMachine | None = None) -> None:
    """
    Raise InvariantViolation (I11) if no order of single steps explains *history*.

    The specification of a step is the *machine*, by default a register.
    """
    machine = machine or Register()
    impasse = find_impasse(history, machine)
    if impasse is not None:
        culprit, explanation = explain(impasse, machine)
        raise InvariantViolation(LINEARIZABLE, culprit.link, explanation)


def explain(impasse: Impasse, machine: StateMachine) -> tuple[Operation, str]:
    """Return the operation that cannot have its place, and why, in words."""
    for operation in impasse.open_calls:
        reason = _why_not(operation, impasse, machine)
        if reason is not None:
            return operation, reason
    return impasse.open_calls[0], _in_general(impasse, machine)


def _why_not(read: Operation, impasse: Impasse, machine: StateMachine) -> str | None:
    """Return what is wrong with *read* where it is clear who wrote what; else None."""
    history = readable(impasse.part.operations, read, machine)
    if history is None:
        return None
    writes = [o for o in history if put(o, read) is not UNTOUCHED]
    sources = [o for o in writes if put(o, read) == read.result]
    if read.result is not None and not sources:
        return f"{read}: nobody ever wrote that"
    if len(sources) > 1:
        return None
    if not sources:
        overwritten = [w for w in writes if w.known_at < read.called_at]
        return _stale(read, "what was there at first", overwritten)
    (source,) = sources
    if source.called_at > read.returned_at:
        return f"{read} came before it was written: {source}"
    later = [w for w in writes if source.known_at < w.called_at and w.known_at < read.called_at]
    return _stale(read, f"what {source} wrote", later) or _inverted(read, source, writes, history)


def _stale(read: Operation, what: str, overwritten: list[Operation]) -> str | None:
    if not overwritten:
        return None
    newest = max(overwritten, key=lambda o: o.called_at)
    return f"{read} is stale: it returned {what}, and {newest} had overwritten that before"


def _inverted(
    read: Operation, source: Operation, writes: list[Operation], history: list[Operation]
) -> str | None:
    """Find an earlier read that saw a newer value."""
    for other in history:
        if (
            other.command != read.command
            or other.known_at >= read.called_at
            or other.result == read.result
        ):
            continue
        newer = [w for w in writes if put(w, read) == other.result]
        if len(newer) == 1 and source.known_at < newer[0].called_at:
            return (
                f"{read} went back in time: {other} had returned the newer value before, "
                f"which {newer[0]} wrote after {source}"
            )
    return None


def _in_general(impasse: Impasse, machine: StateMachine) -> str:
    keys = ", ".join(map(repr, impasse.part.keys))
    on_keys = f" of {keys}" if keys else ""
    before = "; ".join(str(o) for o in impasse.last_steps) or "nothing"
    rest = "; ".join(
        f"{o}, which would be {shown_result(step(machine, impasse.state, o)[1])}"
        for o in impasse.open_calls
    )
    search = f" ({TRIES_MAX:,} were tried)" if impasse.gave_up else ""
    return (
        f"no order of single steps{on_keys} explains what the clients saw{search}: the longest "
        f"ends with {before}; then there is {shown_state(impasse.state)}, and none of these fits: "
        f"{rest}"
    )
