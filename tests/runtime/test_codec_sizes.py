"""No value may be taken that does not fit the largest message it may have to travel in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multipaxos.chain.links import Updates
from multipaxos.chain.requests import Update
from multipaxos.chain.settings import Settings
from multipaxos.runtime import codec
from multipaxos.runtime.codec import MalformedDatagramError, sizes


def sizes_with(value: str, sessions_max: int) -> list[int]:
    """Return the size of the largest envelope of every kind with *value*."""
    return [
        len(codec.encode_envelope(envelope))
        for envelope in sizes.largest_envelopes(value, sessions_max)
    ]


@pytest.mark.parametrize("sessions_max", [1, 16, Settings().sessions_max, 700])
def test_the_largest_value_just_fits_the_largest_message(sessions_max: int) -> None:
    """The bound is exact: the fullest datagram has 65,507 bytes, and one more byte is refused."""
    length = codec.value_bytes_max(sessions_max) - len('""')

    assert max(sizes_with("x" * length, sessions_max)) == codec.DATAGRAM_BYTES_MAX
    with pytest.raises(MalformedDatagramError):
        sizes_with("x" * (length + 1), sessions_max)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5))
def test_escapes_count(unit: str) -> None:
    """A control character takes six bytes: the bound counts bytes on the wire, not letters."""
    times = (codec.value_bytes_max(256) - 2) // (codec.value_bytes(unit) - 2)
    value = unit * times

    assert codec.value_bytes(value) <= codec.value_bytes_max(256)
    assert max(sizes_with(value, 256)) <= codec.DATAGRAM_BYTES_MAX


def test_the_default_settings_leave_room_for_40_kilobytes() -> None:
    """With 256 sessions a value may have 40,000 bytes: the README says so."""
    assert codec.value_bytes_max(Settings().sessions_max) >= 40_000


def test_a_link_of_the_largest_size_fits_every_paxos_message() -> None:
    """A batch of updates is bounded as a whole, like a single value."""
    empty = Update(request_id=sizes.LONGEST_REQUEST, command=("SET", ""), since=2**53 - 1)
    size = len(codec.encode_link(Updates(updates=(empty,))))
    value = "x" * (codec.link_bytes_max() - size)
    link = Updates(updates=(replace(empty, command=("SET", value)),))

    envelopes = list(sizes.largest_envelopes_with_link(link))

    assert len(codec.encode_link(link)) == codec.link_bytes_max()
    assert max(map(len, map(codec.encode_envelope, envelopes))) == codec.DATAGRAM_BYTES_MAX
