"""Saying why a history is not linearizable, so that a person sees it."""

from multipaxos.invariants.linearizability.operation import (
    Function,
    History,
    Operation,
    Status,
    Value,
)
from multipaxos.invariants.linearizability.search import Impasse, find_impasse
from multipaxos.invariants.names import LINEARIZABLE
from multipaxos.invariants.violation import InvariantViolation


def check_linearizable(history: History, *, initial: Value = None) -> None:
    """Raise InvariantViolation (I11) if no order of single steps explains *history*."""
    impasse = find_impasse(history, initial=initial)
    if impasse is not None:
        culprit, explanation = explain(impasse, history)
        raise InvariantViolation(LINEARIZABLE, culprit.link, explanation)


def explain(impasse: Impasse, history: History) -> tuple[Operation, str]:
    """Return the operation that cannot have its place, and why, in words."""
    same_key = [o for o in history if o.key == impasse.key and o.status is not Status.REFUSED]
    for operation in impasse.open_calls:
        reason = _why_not(operation, same_key)
        if reason is not None:
            return operation, reason
    return impasse.open_calls[0], _in_general(impasse)


def _why_not(read: Operation, history: list[Operation]) -> str | None:
    """Return what is wrong with *read* where the key is only got and set; else None."""
    if read.function is not Function.GET or any(
        o.function not in (Function.GET, Function.SET) for o in history
    ):
        return None
    writes = [o for o in history if o.function is Function.SET]
    sources = [o for o in writes if o.arguments[0] == read.result]
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
    return _stale(read, f"what {source} wrote", later) or _inverted(read, source, history)


def _stale(read: Operation, what: str, overwritten: list[Operation]) -> str | None:
    if not overwritten:
        return None
    newest = max(overwritten, key=lambda o: o.called_at)
    return f"{read} is stale: it returned {what}, and {newest} had overwritten that before"


def _inverted(read: Operation, source: Operation, history: list[Operation]) -> str | None:
    """Find an earlier read that saw a newer value."""
    for other in history:
        if (
            other.function is not Function.GET
            or other.known_at >= read.called_at
            or other.result == read.result
        ):
            continue
        newer = _writes_of(other.result, history)
        if len(newer) == 1 and source.known_at < newer[0].called_at:
            return (
                f"{read} went back in time: {other} had returned the newer value before, "
                f"which {newer[0]} wrote after {source}"
            )
    return None


def _in_general(impasse: Impasse) -> str:
    on_key = f" of {impasse.key!r}" if impasse.key else ""
    before = "; ".join(str(o) for o in impasse.last_steps) or "nothing"
    holds = "nothing" if impasse.value is None else f'"{impasse.value}"'
    rest = "; ".join(str(o) for o in impasse.open_calls)
    return (
        f"no order of single steps{on_key} explains what the clients saw: the longest ends with "
        f"{before}; then it holds {holds}, and none of these fits: {rest}"
    )


def _writes_of(value: object, history: list[Operation]) -> list[Operation]:
    return [o for o in history if o.function is Function.SET and o.arguments[0] == value]
