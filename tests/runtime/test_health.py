"""Readiness: the sentences, and how long a silence is no sign of trouble."""

from collections.abc import Sequence
from random import Random

import pytest

from multipaxos.chain.durable import DurableState
from multipaxos.chain.links import Founding
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.settings import Membership, Settings
from multipaxos.composition import compose, strategy_names
from multipaxos.runtime.monitoring.health import silence_seconds_max, why_not_ready

FOUNDING = Founding(chain_id="chain-1", machine_kind="register", founders=(("A", "b"),))
KNOWN = DurableState(birth="b", founding=FOUNDING, instance=5)
LIMIT_SECONDS = silence_seconds_max(Settings(), 3)


def server(
    state: DurableState | None = KNOWN, *, servers: Sequence[str] = ("A", "B", "C")
) -> BaseReplicatedValue:
    """Return the server A of *servers* with *state*."""
    return compose(strategy_names(master=False))(
        membership=Membership(cluster="test", uid="A", servers=tuple(servers)),
        settings=Settings(),
        machine=Register(),
        state=state,
        rng=Random(0),
    )


def test_a_server_that_knows_the_chain_votes_and_hears_a_majority_is_ready() -> None:
    """Itself and one other of three are one; what was heard long ago, or never, does not matter."""
    assert why_not_ready(server(), {"B": 0.5, "C": None}) is None
    assert why_not_ready(server(), {"B": 9000.0, "C": LIMIT_SECONDS}) is None


def test_a_server_alone_in_its_cluster_needs_to_hear_of_nobody() -> None:
    """One of one is a majority."""
    assert why_not_ready(server(servers=("A",)), {}) is None


def test_a_server_without_memory_names_those_whose_word_is_missing() -> None:
    """It votes on nothing yet."""
    why = why_not_ready(server(None), {"B": 0.1, "C": None})

    assert why == "it has no memory yet, and waits for word of B, C"


def test_a_server_without_memory_that_waits_for_nobody_says_so() -> None:
    """Alone, it founds a chain as soon as it starts."""
    why = why_not_ready(server(None, servers=("A",)), {})

    assert why == "it has no memory yet, and waits for the others"


def test_a_founder_waits_for_link_0() -> None:
    """Before that there is no chain."""
    why = why_not_ready(server(DurableState(birth="b")), {"B": 0.1, "C": 0.1})

    assert why == "it does not know the chain yet: it waits for link 0"


def test_a_server_that_sits_links_out_names_the_first_on_which_it_votes() -> None:
    """Until then a majority must do without it."""
    sitting_out = DurableState(birth="b", founding=FOUNDING, instance=5, votes_from=7)

    why = why_not_ready(server(sitting_out), {"B": 0.1, "C": 0.1})

    assert why is not None
    assert "sits out the links below 7" in why
    assert "link 5 is in progress" in why


@pytest.mark.parametrize(
    "silence_seconds", [{"B": None, "C": None}, {"B": LIMIT_SECONDS + 1, "C": None}]
)
def test_a_server_that_hears_of_no_majority_says_of_whom(
    silence_seconds: dict[str, float | None],
) -> None:
    """It may be the one that is cut off."""
    why = why_not_ready(server(), silence_seconds)

    assert why == (
        f"it has heard of no majority for {LIMIT_SECONDS:g} seconds: it waits for word of 1 of B, C"
    )


@pytest.mark.parametrize("servers, heard", [(4, 2), (5, 2), (9, 4)])
def test_the_majority_is_one_of_all_servers(servers: int, heard: int) -> None:
    """With this server; one fewer is too few."""
    uids = "ABCDEFGHI"[:servers]
    silence: dict[str, float | None] = {
        uid: 0.1 if place < heard else None for place, uid in enumerate(uids[1:])
    }

    enough = why_not_ready(server(servers=uids), silence)
    silence["B"] = None
    too_few = why_not_ready(server(servers=uids), silence)

    assert enough is None
    assert too_few is not None
    assert "waits for word of 1 of B, " in too_few


@pytest.mark.parametrize("servers", [2, 3, 4, 5, 7, 9])
def test_chance_alone_hardly_ever_makes_an_idle_cluster_look_silent(servers: int) -> None:
    """
    Each of the others tells one random server in a period where it is, and nobody says more.

    In ten thousand such times no more than a few may leave a server without a majority.
    """
    rng = Random(servers)
    periods = round(silence_seconds_max(Settings(sync_seconds=1.0), servers))
    alone = 0

    for _ in range(10_000):
        heard = sum(
            any(rng.randrange(servers - 1) == 0 for _ in range(periods)) for _ in range(servers - 1)
        )
        alone += heard + 1 <= servers // 2

    assert alone <= 4


def test_the_time_grows_with_the_period_and_is_never_less_than_three() -> None:
    """A server of two hears of the other in every period, unless datagrams are lost."""
    assert silence_seconds_max(Settings(sync_seconds=2.0), 2) == 6.0
    assert silence_seconds_max(Settings(), 3) == 70.0
    assert silence_seconds_max(Settings(sync_seconds=0.5), 3) == 3.5
