"""Results of commands, as the checkers compare them."""

from multipaxos.chain.ledger import RESULT_CHARACTERS_MAX, TOO_LARGE
from multipaxos.chain.state_machine import Failure, Result


def same(one: object, other: object) -> bool:
    """Tell whether two results are the same. To Python True is 1: what was done is no number."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def remembered(result: Result) -> Result:
    """Return what a client's session keeps of *result*: of a long text only that it was long."""
    return result if _characters(result) <= RESULT_CHARACTERS_MAX else TOO_LARGE


def _characters(result: Result) -> int:
    match result:
        case str(text) | Failure(text=text):
            return len(text)
        case tuple():
            return len(result) + sum(map(_characters, result))
        case _:
            return 0
