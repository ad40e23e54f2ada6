"""The examples in the docstrings hold; those that need a cluster run where there is one."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import composable_paxos
import multipaxos

ELSEWHERE = (
    "multipaxos.client",
    "multipaxos.embedding.",
    "multipaxos.recipes.",
    "multipaxos.__main__",
)
"""Examples that need a cluster, and what runs when it is imported."""


def module_names() -> list[str]:
    """Return the names of all modules."""
    return [
        found.name
        for package in (composable_paxos, multipaxos)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not found.name.startswith(ELSEWHERE)
    ]


@pytest.mark.parametrize("name", module_names())
def test_examples_hold(name: str) -> None:
    """Each is run as it stands."""
    assert doctest.testmod(import_module(name)).failed == 0
