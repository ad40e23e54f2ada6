"""Requests, the state machine that serves them, and the state that outlives a crash."""

from tests.chain.support import CHAIN, stored

from multipaxos.chain.durable import DurableState
from multipaxos.chain.register import Register
from multipaxos.chain.requests import RequestID


def test_a_request_is_written_as_client_and_sequence() -> None:
    """A person reads a request as ``client/7``."""
    assert str(RequestID("client", 7)) == "client/7"


def test_a_register_begins_without_a_value() -> None:
    """Nobody set anything: the value is None."""
    register = Register()

    assert register.apply(register.initial(), ("GET",)) == (None, None)


def test_a_set_replaces_the_value_and_is_done() -> None:
    """The register keeps the newest value only."""
    assert Register().apply("old", ("SET", "new")) == ("new", True)


def test_a_get_answers_the_value_and_changes_nothing() -> None:
    """Reading leaves the register as it is."""
    assert Register().apply("x", ("GET",)) == ("x", "x")


def test_only_a_get_is_a_read() -> None:
    """What may be answered without a link is a command that changes no state."""
    assert Register().is_read(("GET",))
    assert not Register().is_read(("SET", "x"))


def test_a_chain_has_its_name_from_link_0() -> None:
    """Before link 0 is known the chain has no name."""
    assert DurableState(birth="b").chain_id == ""
    assert stored().chain_id == CHAIN
