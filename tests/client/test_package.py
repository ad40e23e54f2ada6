"""What the package offers: its names, its cost, and the examples in its docstrings."""

import asyncio
import doctest
import subprocess
import sys
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from tests.client.cluster import SocketCluster

import multipaxos
from multipaxos import client
from multipaxos.chain.dictionary import Dictionary
from multipaxos.client import async_value, calls, connect, connect_async, errors, servers, value
from multipaxos.client.asynchronous import Streams
from multipaxos.client.steps import Endpoint
from multipaxos.errors import MultipaxosError

ENDPOINTS = [("127.0.0.1", port) for port in (7001, 7002, 7003)]
ADDRESSES = [f"{host}:{port}" for host, port in ENDPOINTS]


def test_import_is_cheap() -> None:
    """To import the package loads nothing; to use the client library loads no Twisted."""
    program = (
        "import sys, multipaxos;"
        "assert not [name for name in sys.modules if name.startswith('multipaxos.')];"
        "multipaxos.connect;"
        "assert 'multipaxos.client' in sys.modules;"
        "assert 'twisted' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_all_names_can_be_loaded() -> None:
    """What the package says that it has, it has; what it has not, it says so."""
    for name in multipaxos.__all__:
        assert name in dir(multipaxos)
        assert getattr(multipaxos, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        multipaxos.nonsense  # noqa: B018 - to ask for it is the test


def test_errors_are_one_tree() -> None:
    """Each error of the client is under the root, and in the picture of the tree."""
    for name, error in vars(errors).items():
        if isinstance(error, type) and error.__module__ == errors.__name__:
            assert issubclass(error, MultipaxosError)
            assert name in (errors.__doc__ or "")


@pytest.mark.parametrize("module", [client, value, async_value, calls, servers])
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    """Every example is run as it stands; each docstring has a cluster of its own."""
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    for example in doctest.DocTestFinder(exclude_empty=True).find(module):
        with _Surroundings() as names:
            example.globs.update(names)
            assert runner.run(example, clear_globs=False).failed == 0


class _Surroundings:
    """A register and a dictionary, each on servers of its own, and what the examples call them."""

    def __init__(self) -> None:
        self.register = SocketCluster(*ENDPOINTS)
        self.dictionary = SocketCluster(*ENDPOINTS, machine=Dictionary())

    def __enter__(self) -> dict[str, Any]:
        async def open_streams(server: Endpoint) -> Streams:
            return await asyncio.open_connection(sock=self.register.connect(server))

        self.values = [
            connect(ADDRESSES, open_socket=cluster.connect)
            for cluster in (self.register, self.dictionary)
        ]
        return {
            "asyncio": asyncio,
            "connect": partial(connect, open_socket=self.register.connect),
            "connect_async": partial(connect_async, open_streams=open_streams),
            "value": self.values[0],
            "dictionary": self.values[1],
        }

    def __exit__(self, *_: object) -> None:
        for each in self.values:
            each.close()
        for cluster in (self.register, self.dictionary):
            cluster.end()
