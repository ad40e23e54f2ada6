"""
Defect 11: a sender was known by its port, and nothing it said was doubted.

What holds until messages are authenticated: every envelope names cluster and chain, sender and
address must fit, and numbers must be plausible.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.defects.support import WatchedCluster
from twisted.internet.task import Clock

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise, ProposalID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.links import Founding, Nothing
from multipaxos.chain.messages import CatchUp, Envelope, OtherChain, Sync
from multipaxos.runtime.codec import encode_envelope
from multipaxos.runtime.config import built_in_config
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.peer_messenger import PeerMessenger
from multipaxos.simulation.cluster import CLUSTER, FOUNDED_CHAIN

CONFIG = built_in_config(3, cluster=CLUSTER)
ADDRESS = {uid: (server.peer.host, server.peer.port) for uid, server in CONFIG.servers.items()}
FOUNDING = Founding(
    chain_id=FOUNDED_CHAIN,
    machine_kind="register",
    founders=tuple((uid, f"birth-of-{uid}") for uid in "ABC"),
)
GREETING = Envelope(
    cluster=CLUSTER,
    chain_id=FOUNDED_CHAIN,
    instance=1,
    sender="A",
    receiver="B",
    message=Sync(votes_from=0),
)


def messenger(
    uid: str, on_envelope: Callable[[Envelope], None], refused: list[str] | None = None
) -> PeerMessenger:
    """Return the messenger of *uid*, which knows the others' addresses and has no socket."""
    said = [] if refused is None else refused
    new = PeerMessenger(CONFIG, uid, on_envelope, lambda reason, _: said.append(reason))
    new._addresses.start(cast("Any", Clock()), 0)  # noqa: SLF001 - what listen() does
    return new


def test_a_message_of_a_known_sender_from_its_address_is_taken() -> None:
    """The checks let through what belongs here."""
    taken: list[Envelope] = []

    messenger("B", taken.append).udp.datagramReceived(encode_envelope(GREETING), ADDRESS["A"])

    assert taken == [GREETING]


@pytest.mark.parametrize(
    "envelope, address, refusal",
    [
        (replace(GREETING, cluster="another"), ADDRESS["A"], Refusal.OTHER_CLUSTER),
        (replace(GREETING, receiver="C"), ADDRESS["A"], Refusal.OTHER_RECEIVER),
        (replace(GREETING, sender="D"), ADDRESS["A"], Refusal.UNKNOWN_SENDER),
        (replace(GREETING, sender="B"), ADDRESS["B"], Refusal.UNKNOWN_SENDER),
        (GREETING, ADDRESS["C"], Refusal.WRONG_ADDRESS),
        (GREETING, ("127.0.0.1", 49152), Refusal.WRONG_ADDRESS),
        (GREETING, ("10.9.8.7", ADDRESS["A"][1]), Refusal.WRONG_ADDRESS),
        *(
            (replace(GREETING, message=message), ADDRESS["A"], Refusal.WRONG_SPEAKER)
            for message in (
                Prepare(proposal_id=ProposalID(2, "C")),
                Accept(proposal_id=ProposalID(2, "C"), value=Nothing()),
                Promise(
                    acceptor="C",
                    proposal_id=ProposalID(2, "B"),
                    accepted_id=ProposalID(0, ""),
                    accepted_value=None,
                ),
                Accepted(acceptor="C", proposal_id=ProposalID(2, "B"), value=Nothing()),
                Nack(acceptor="C", proposal_id=ProposalID(2, "B"), promised_id=ProposalID(3, "C")),
            )
        ),
    ],
)
def test_a_message_that_does_not_belong_here_is_refused(
    envelope: Envelope, address: tuple[str, int], refusal: Refusal
) -> None:
    """Cluster, receiver, sender, address and speaker must fit; the refusal is told and counted."""
    taken: list[Envelope] = []
    reasons: list[str] = []
    receiver = messenger("B", taken.append, reasons)

    receiver.udp.datagramReceived(encode_envelope(envelope), address)

    assert taken == []
    assert receiver.refused == {refusal: 1}
    assert len(reasons) == 1


@pytest.mark.parametrize(
    "written, forged",
    [
        (b'"link":1', b'"link":9007199254740992'),
        (b'"link":1', b'"link":-1'),
        (b'"proposal":[2,"A"]', b'"proposal":[1000000001,"A"]'),
        (b'"proposal":[2,"A"]', b'"proposal":[0,"A"]'),
        (b'"proposal":[2,"A"]', b'"proposal":[2,""]'),
        (b'"proposal":[2,"A"]', b'"proposal":null'),
    ],
)
def test_a_number_out_of_range_is_no_message(written: bytes, forged: bytes) -> None:
    """No datagram can push a server to numbers above which none are left."""
    prepare = replace(GREETING, message=Prepare(proposal_id=ProposalID(2, "A")))
    datagram = encode_envelope(prepare)
    taken: list[Envelope] = []
    receiver = messenger("B", taken.append)

    receiver.udp.datagramReceived(datagram.replace(written, forged), ADDRESS["A"])

    assert written in datagram
    assert taken == []
    assert receiver.refused == {Refusal.MALFORMED: 1}


@pytest.mark.parametrize("forger", [("127.0.0.1", 49152), ADDRESS["C"]], ids=["stray", "spoofed"])
def test_a_forged_catch_up_moves_no_server(forger: tuple[str, int]) -> None:
    """
    A catch-up to instance 999999999999 is refused, whoever seems to send it.

    In the ancestor one such datagram moved two servers there.
    """
    cluster = WatchedCluster()
    cluster.start()
    cluster.write("A", "x")
    cluster.run_for(1)
    forged = replace(
        GREETING,
        instance=999_999_999_999,
        sender="C",
        message=CatchUp(founding=FOUNDING, snapshot=Snapshot(value="forged")),
    )
    state = cluster.servers["A"].disk.state
    assert state is not None
    assert state.founding == FOUNDING

    for uid in "AB":
        driver = cluster.servers[uid].driver
        assert driver is not None
        messenger(uid, driver.receive).udp.datagramReceived(
            encode_envelope(replace(forged, receiver=uid)), forger
        )
    cluster.run_for(60)

    assert {cluster.link_in_progress(uid) for uid in cluster.uids} == {2}
    assert {cluster.value_on_disk(uid) for uid in cluster.uids} == {"x"}
    cluster.write("B", "y")


def test_a_message_of_another_chain_is_refused() -> None:
    """A server of another chain, of the same cluster's name, is told so; its votes do not count."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    before = cluster.servers["B"].disk.state

    cluster.forge(
        "A->B", Prepare(proposal_id=ProposalID(2, "A")), instance=1, chain="another-chain"
    )
    cluster.forge(
        "A->B",
        CatchUp(founding=FOUNDING, snapshot=Snapshot(value="foreign")),
        instance=7,
        chain="another-chain",
    )

    assert cluster.servers["B"].disk.state == before
    assert cluster.sent(Promise, by="B") == []
    assert cluster.sent(OtherChain, by="B") != []
    assert cluster.refusals("B") == [
        "refused Prepare 2.A: it speaks of chain another-chain, this is chain chain-1",
        "refused CatchUp: it speaks of chain another-chain, this is chain chain-1",
    ]


@pytest.mark.parametrize(
    "founding",
    [replace(FOUNDING, chain_id="another"), replace(FOUNDING, machine_kind="another")],
    ids=["chain", "machine"],
)
def test_a_catch_up_to_another_beginning_is_refused(founding: Founding) -> None:
    """A chain has one link 0: who knows it takes no other one, and does not stop for it either."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    before = cluster.servers["B"].disk.state

    cluster.forge(
        "A->B", CatchUp(founding=founding, snapshot=Snapshot(value="foreign")), instance=7
    )

    assert cluster.servers["B"].up
    assert cluster.servers["B"].disk.state == before
    assert cluster.refusals("B") == ["refused CatchUp: it tells of another link 0"]
