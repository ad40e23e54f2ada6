"""Exploration finds the bugs by their shortest disasters, and never the correct protocol."""

import pytest

from composable_paxos import PaxosInstance, Quorums
from multipaxos.composition import NEEDLESS_IN_EXPLORATION, compose, strategy_names
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_model import ChainModel
from multipaxos.exploration.engine import explore
from multipaxos.exploration.role_bounds import RoleBounds
from multipaxos.exploration.roles import RolesModel
from multipaxos.strategies.broken import BUGS, Bug, Disaster
from multipaxos.strategies.broken import Model as Kind

OF_ROLES = [
    pytest.param(bug, disaster, id=f"{bug.name}-{disaster.breaks.split()[0]}")
    for bug in BUGS.values()
    if bug.model is Kind.ROLES
    for disaster in bug.shortest
]
OF_CHAINS = [
    pytest.param(bug, disaster, id=bug.name)
    for bug in BUGS.values()
    if bug.model is Kind.CHAIN
    for disaster in bug.shortest
]


def roles_with(bug: Bug, disaster: Disaster, *, is_broken: bool) -> RolesModel:
    """Return the model in which *bug* shows *disaster*, or the same with the right roles."""
    return RolesModel(
        RoleBounds(**{"crashes": 0, **bug.bounds}),
        roles=(is_broken and bug.roles) or PaxosInstance,
        quorums=(is_broken and bug.quorums) or Quorums.majority,
        checked=(disaster.breaks,),
    )


@pytest.mark.parametrize("bug, disaster", OF_ROLES)
def test_the_shortest_disaster_of_the_roles(bug: Bug, disaster: Disaster) -> None:
    """Steps and states are those that are told; the right roles pass through as many states."""
    found = explore(roles_with(bug, disaster, is_broken=True))

    assert found.violation is not None
    assert found.violation.name == disaster.breaks
    assert (len(found.path), found.states) == (disaster.steps, disaster.states)
    right = explore(roles_with(bug, disaster, is_broken=False), states_max=disaster.states)
    assert right.violation is None


@pytest.mark.parametrize("bug, disaster", OF_CHAINS)
def test_the_shortest_disaster_of_a_chain(bug: Bug, disaster: Disaster) -> None:
    """Steps and states are those that are told; the right servers pass through as many states."""
    without = (*NEEDLESS_IN_EXPLORATION, *bug.unexplored)
    strategies = strategy_names(master=bug.master, without=without)
    bounds = ChainBounds(**{"master": bug.master, **bug.bounds})  # type: ignore[arg-type]

    found = explore(ChainModel(bounds, compose(strategies, bug=bug.name)))

    assert found.violation is not None
    assert found.violation.name == disaster.breaks
    assert (len(found.path), found.states) == (disaster.steps, disaster.states)
    states_max = min(disaster.states, 1_000)
    assert explore(ChainModel(bounds, compose(strategies)), states_max=states_max).violation is None
