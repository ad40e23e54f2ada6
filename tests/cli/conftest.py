"""Servers that answer as they are told, for the commands of clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.fake import LoopbackCluster

from multipaxos.chain.dictionary import Dictionary


@pytest.fixture
def register(tmp_path: Path) -> Iterator[LoopbackCluster]:
    """Return servers that keep a register."""
    cluster = LoopbackCluster(tmp_path)
    yield cluster
    cluster.end()


@pytest.fixture
def dictionary(tmp_path: Path) -> Iterator[LoopbackCluster]:
    """Return servers that keep a dictionary."""
    cluster = LoopbackCluster(tmp_path, Dictionary())
    yield cluster
    cluster.end()
