"""The judge of what clients saw, on histories whose verdict is known."""

import itertools
import math
from random import Random

from multipaxos.invariants.linearizability import Operation, find_violation


def write(name: str, value: str, called_at: float, returned_at: float = math.inf) -> Operation:
    """Describe a write."""
    return Operation(
        name=name, is_write=True, value=value, called_at=called_at, returned_at=returned_at
    )


def read(name: str, value: str | None, called_at: float, returned_at: float) -> Operation:
    """Describe a read that returned *value*."""
    return Operation(
        name=name, is_write=False, value=value, called_at=called_at, returned_at=returned_at
    )


def test_reads_and_writes_one_after_the_other_are_explained() -> None:
    """A read returns the newest write that ended before it began."""
    history = [read("r0", None, 0, 1), write("w1", "x", 2, 3), read("r1", "x", 4, 5)]

    assert find_violation(history) == ()


def test_a_read_during_a_write_may_see_either_value() -> None:
    """While a write is open, both the old and the new value are right."""
    assert find_violation([write("w", "x", 0, 10), read("r", None, 1, 2)]) == ()
    assert find_violation([write("w", "x", 0, 10), read("r", "x", 1, 2)]) == ()


def test_a_stale_read_is_found() -> None:
    """After a write has returned, nobody may read what was there before."""
    stale = read("r", "x", 4, 5)

    assert find_violation([write("w1", "x", 0, 1), write("w2", "y", 2, 3), stale]) == (stale,)


def test_a_new_value_followed_by_the_old_one_is_found() -> None:
    """Once one reader saw the new value of an open write, no later reader may see the old one."""
    history = [write("w1", "x", 0, 1), write("w2", "y", 2, 20)]
    history += [read("r1", "y", 3, 4), read("r2", "x", 5, 6)]

    assert find_violation(history) != ()


def test_a_value_that_nobody_wrote_is_found() -> None:
    """A read cannot return what was never written."""
    assert find_violation([write("w", "x", 0, 1), read("r", "z", 2, 3)]) != ()


def test_a_lost_write_is_found() -> None:
    """A write that was acknowledged is there for every later reader."""
    assert find_violation([write("w", "x", 0, 1), read("r", None, 2, 3)]) != ()


def test_a_write_of_unknown_outcome_may_have_happened_or_not() -> None:
    """A client that got no answer knows nothing; later readers decide, once and for all."""
    unknown = write("w2", "y", 2)
    before = write("w1", "x", 0, 1)

    assert find_violation([before, unknown, read("r", "x", 3, 4)]) == ()
    assert find_violation([before, unknown, read("r", "y", 3, 4)]) == ()
    both = [read("r1", "x", 3, 4), read("r2", "y", 5, 6)]
    assert find_violation([before, unknown, *both]) == ()
    assert find_violation([before, unknown, *both, read("r3", "x", 7, 8)]) != ()


def test_a_write_applied_twice_is_found() -> None:
    """A value that was overwritten does not come back with its writer's retry."""
    history = [write("w1", "x", 0, 1), write("w2", "y", 2, 3)]
    history += [read("r1", "y", 4, 5), read("r2", "x", 6, 7)]

    assert find_violation(history) != ()


def test_the_search_agrees_with_trying_every_order() -> None:
    """On small random histories the verdict is that of brute force."""
    rng = Random(2)
    verdicts = []
    for _ in range(400):
        history = random_history(rng)
        explained = any(is_explanation(order) for order in itertools.permutations(history))
        assert (find_violation(history) == ()) == explained
        verdicts.append(explained)
    assert 40 < sum(verdicts) < 360, "both verdicts must occur often"


def random_history(rng: Random) -> list[Operation]:
    """Draw five operations with overlapping intervals."""
    history = []
    for number in range(5):
        called_at = rng.uniform(0, 10)
        returned_at = called_at + rng.uniform(0, 6)
        if rng.random() < 0.5:
            history.append(write(f"o{number}", rng.choice("xyz"), called_at, returned_at))
        else:
            history.append(read(f"o{number}", rng.choice("xyz"), called_at, returned_at))
    return history


def is_explanation(order: tuple[Operation, ...]) -> bool:
    """Tell whether *order* respects real time and explains every read."""
    value: str | None = None
    for place, operation in enumerate(order):
        if any(later.returned_at < operation.called_at for later in order[place + 1 :]):
            return False
        if operation.is_write:
            value = operation.value
        elif operation.value != value:
            return False
    return True


def test_a_long_history_is_judged_quickly() -> None:
    """Thousands of operations with a few open at a time need no exponential search."""
    rng = Random(1)
    history: list[Operation] = []
    value: str | None = None
    for number in range(3000):
        instant = float(number)
        called_at, returned_at = instant - rng.uniform(0, 3), instant + rng.uniform(0, 3)
        if rng.random() < 0.5:
            value = f"v{number}"
            history.append(write(f"o{number}", value, called_at, returned_at))
        else:
            history.append(read(f"o{number}", value, called_at, returned_at))

    assert find_violation(history) == ()
