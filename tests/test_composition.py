"""Composition: a server's class, woven from strategies by name."""

import pytest

from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.composition import (
    INDISPENSABLE,
    MASTER_ONLY,
    STRATEGIES,
    UnknownStrategyError,
    compose,
    describe,
    strategy_names,
)


def test_a_server_with_mastership_has_all_strategies() -> None:
    """Outermost first: the order in which they are woven."""
    assert strategy_names(master=True) == tuple(STRATEGIES)


def test_a_server_without_mastership_neither_seeks_nor_uses_it() -> None:
    """It respects the leases of others all the same."""
    names = strategy_names(master=False)

    assert set(STRATEGIES) - set(names) == set(MASTER_ONLY)
    assert "lease" in names


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - set(INDISPENSABLE)))
def test_most_strategies_can_be_left_out(name: str) -> None:
    """To see what they are for."""
    names = strategy_names(master=True, without=(name,))

    assert set(STRATEGIES) - set(names) == {name}
    compose(names)


@pytest.mark.parametrize("name", INDISPENSABLE)
def test_what_protects_the_others_cannot_be_left_out(name: str) -> None:
    """Without it a server could break the promises of others; the message says what can go."""
    with pytest.raises(UnknownStrategyError) as caught:
        strategy_names(master=True, without=(name,))

    assert str(caught.value) == (
        f"'{name}' cannot be left out; these can: reads, master, forwarding, replay, early, "
        "parts, sync, resolution, abstention, batching, brevity, group-commit"
    )


def test_what_is_no_strategy_cannot_be_left_out() -> None:
    """A slip of the pen is told, not ignored."""
    with pytest.raises(UnknownStrategyError, match="'synk' cannot be left out"):
        strategy_names(master=False, without=("synk",))


def test_strategies_are_woven_in_one_order() -> None:
    """However they are named, the outermost stays outermost, and the passive base is last."""
    woven = compose(tuple(reversed(STRATEGIES)))

    layers = [layer for layer in woven.__mro__ if layer in STRATEGIES.values()]
    assert layers == list(STRATEGIES.values())
    assert issubclass(woven, BaseReplicatedValue)


def test_nothing_woven_is_the_passive_base() -> None:
    """Without strategies a server answers, and starts nothing."""
    woven = compose(())

    assert [layer for layer in woven.__mro__ if layer in STRATEGIES.values()] == []


def test_an_unknown_strategy_is_refused_with_the_list_of_those_there_are() -> None:
    """The message helps to find the right name."""
    with pytest.raises(UnknownStrategyError) as caught:
        compose(("resolution", "batch"))

    assert str(caught.value) == (
        "'batch' is no strategy; these are: "
        "rejoin, reads, master, forwarding, lease, replay, early, parts, sync, resolution, "
        "abstention, batching, brevity, group-commit"
    )


def test_a_stack_is_described_one_strategy_a_line() -> None:
    """Outermost first, each with the first line of its documentation."""
    lines = describe(compose(("resolution", "rejoin"))).splitlines()

    assert lines[0].split(maxsplit=1) == [
        "Rejoining",
        "Asks the others where they are before a server without memory votes on anything.",
    ]
    assert lines[1].startswith("Resolving            Begins rounds")
    assert lines[2].startswith("BaseReplicatedValue  One server's part in keeping the chain")
    assert len(lines) == 3


def test_a_layer_without_documentation_is_passed_over() -> None:
    """It has nothing to say: a strategy of one's own over a woven class stands by itself."""

    class Mine(compose(("sync",))):  # type: ignore[misc]
        """Does what I want."""

    lines = describe(Mine).splitlines()

    assert [line.split()[0] for line in lines] == [
        "Mine",
        "Synchronization",
        "BaseReplicatedValue",
    ]
