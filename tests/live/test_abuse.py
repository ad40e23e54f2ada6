"""Garbage, mistakes and sudden ends from outside: the servers refuse them and go on."""

import random
import socket
from collections.abc import Iterator

import pytest
from tests.live.cluster import UIDS, LiveCluster, running_cluster

from composable_paxos import Prepare, ProposalID
from multipaxos.chain.messages import Envelope
from multipaxos.client import Refused
from multipaxos.runtime.codec import encode_envelope

pytestmark = pytest.mark.live
DEEP = 20_000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """Three servers, for all tests of this file."""
    with running_cluster(tmp_path_factory.mktemp("abuse"), master=False) as cluster:
        cluster.propose("A", "first")
        yield cluster


def _prepare(*, cluster: str = "live", sender: str = "B", receiver: str = "A") -> bytes:
    return encode_envelope(
        Envelope(
            cluster=cluster,
            chain_id="",
            instance=10**12,
            sender=sender,
            receiver=receiver,
            message=Prepare(proposal_id=ProposalID(10**6, sender)),
        )
    )


GARBAGE = {
    "random bytes": random.Random(7).randbytes(1000),
    "nothing": b"",
    "deep nesting": b"[" * DEEP + b"]" * DEEP,
    "deeply nested objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "the largest datagram": b"x" * 65_507,
    "a number without end": b'{"type":"prepare","link":' + b"9" * 60_000 + b"}",
    "not a number": b'{"type":"prepare","link":NaN}',
    "an unknown type": _prepare().replace(b'"prepare"', b'"prepair"'),
    "an unknown field": _prepare()[:-1] + b',"extra":1}',
    "a wrong cluster": _prepare(cluster="other"),
    "a wrong sender": _prepare(sender="Z"),
    "a sender's wrong address": _prepare(sender="B"),
    "itself as the sender": _prepare(sender="A"),
    "another receiver": _prepare(receiver="C"),
    "a lone surrogate": _prepare().replace(b'"live"', b'"\\ud800"'),
}


def test_garbage_datagrams_are_counted_and_change_nothing(cluster: LiveCluster) -> None:
    """Whatever arrives in a datagram, the server counts it, names the reason, and serves on."""
    peer = cluster.config.servers["A"].peer
    before = cluster.status("A")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for garbage in GARBAGE.values():
            sender.sendto(garbage, (peer.host, peer.port))

    expected = before["refused_datagrams"] + len(GARBAGE)
    cluster.wait("A", lambda status: status["refused_datagrams"] == expected)

    after = cluster.status("A")
    assert after["link"] == before["link"]
    assert len([line for line in cluster.processes["A"].lines if "refused what" in line]) >= len(
        GARBAGE
    )
    cluster.propose("A", "after the garbage")
    assert {cluster.get(uid) for uid in UIDS} == {"after the garbage"}


def test_flood_of_garbage_stops_nobody(cluster: LiveCluster) -> None:
    """Thousands of random datagrams while a client writes: every value is chosen."""
    rng = random.Random(11)
    peer = cluster.config.servers["B"].peer
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(10):
            for _ in range(200):
                sender.sendto(rng.randbytes(rng.randrange(200)), (peer.host, peer.port))
            cluster.propose("B", f"flood {number}")

    assert cluster.get("B") == "flood 9"


def test_too_large_value_is_refused_and_the_largest_is_not(cluster: LiveCluster) -> None:
    """A value that would not fit its largest message is refused, naming both sizes."""
    limit = cluster.config.value_bytes_max
    with cluster.client("A") as client:
        refused = client.propose("v" * (limit - 1))
        assert isinstance(refused, Refused)
        assert f"{limit + 1} bytes" in refused.reason
        assert str(limit) in refused.reason

        largest = "v" * (limit - 2)
        cluster.propose("A", largest)

    assert {cluster.get(uid) for uid in UIDS} == {largest}


def test_control_characters_are_kept_and_never_printed(cluster: LiveCluster) -> None:
    """A value with terminal commands arrives as it is; in the output they are escapes."""
    value = "\x1b[2J\r\n\u202e[red]\U0001f600"
    link = cluster.propose("A", value).link

    assert cluster.get("B") == value
    cluster.wait(
        "A", lambda _: any(f"link {link} = " in line for line in cluster.processes["A"].lines)
    )
    printed = next(line for line in cluster.processes["A"].lines if f"link {link} = " in line)
    assert r'"\x1b[2J\r\n\u202e[red]' in printed


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"*2\r\n$3\r\nSET\r\n$5\r\nhal",
        b"*2\r\n$3\r\nSET\r\n$5\r\nwhole\r\n",
        b"*6\r\n$10\r\nMULTIPAXOS\r\n$7\r\nPROPOSE\r\n$1\r\nc\r\n$1\r\n1\r\n$1\r\n0\r\n$3\r\nGET\r\n"
        * 50,
        b"*1000000000\r\n$1\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00" * 5000,
    ],
    ids=["half a request", "a whole one", "many", "huge count", "HTTP", "zeros"],
)
def test_client_that_vanishes_harms_nobody(cluster: LiveCluster, request_bytes: bytes) -> None:
    """A client may end its connection at any byte: others are served as before."""
    own = cluster.config.servers["A"].client
    for _ in range(3):
        with socket.create_connection((own.host, own.port)) as connection:
            connection.sendall(request_bytes)

    assert cluster.propose("A", "still here").link > 0
    assert cluster.get("A") == "still here"


def test_protocol_error_closes_only_its_connection(cluster: LiveCluster) -> None:
    """Who breaks the client protocol is told so and cut off; another connection goes on."""
    own = cluster.config.servers["A"].client
    with cluster.client("A") as other:
        other.status()
        with socket.create_connection((own.host, own.port), timeout=10) as connection:
            connection.sendall(b"*1\r\n:1\r\n")
            received = b""
            while chunk := connection.recv(1000):
                received += chunk

        assert received == b"-ERR Protocol error: expected '$', got ':'\r\n"
        assert other.status()["uid"] == "A"


def test_command_without_meaning_is_refused(cluster: LiveCluster) -> None:
    """What no state machine knows is in no link: the outcome says so, in Redis' words."""
    with cluster.client("A") as client:
        outcome = client.execute("NONSENSE")

    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("ERR unknown command 'NONSENSE'")
