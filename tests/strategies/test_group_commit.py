"""Group commit: what must be on the disk before a message leaves is there, whatever else waits."""

from tests.chain.support import LOWEST_B, Hand, link_of, sent, write

from composable_paxos import Accepted, Prepare
from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.effects import Timer
from multipaxos.chain.messages import Decided
from multipaxos.composition import compose

BEHIND = compose(("lease", "replay", "early", "sync", "resolution", "group-commit"))


def test_a_round_of_a_link_that_ends_in_the_same_event_does_not_leave_before_a_save() -> None:
    """
    A server begins a round, and learns in the same event that the link is decided already.

    It does not come to vote on its own request, so it has no vote to save; but the request leaves,
    and after a crash the same number must not be used again on that link.
    """
    hand = Hand(BEHIND)
    hand.start()
    hand.write("x")
    link = link_of(write("x"))
    for uid in "BC":
        early = Accepted(acceptor=uid, proposal_id=LOWEST_B, value=link)
        hand.receive(early, sender=uid, instance=2)
    before = DecidedLink(number=1, link=link_of(write("y", client="other")))

    outbox = hand.receive(Decided(links=(before,)), instance=2)

    assert hand.value.instance == 3
    assert [envelope.instance for envelope in outbox.sent] == [2, 2]
    assert {type(message) for _, message in sent(outbox)} == {Prepare}
    assert outbox.early == ()
    assert outbox.save is not None
    assert outbox.save.state.instance == 3


def test_links_that_are_not_saved_yet_are_known_as_such() -> None:
    """Who asks for the history finds them; a save takes them along."""
    hand = Hand(BEHIND)
    hand.start()
    link = link_of(write("x"))

    waiting = hand.decide(link)
    unsaved = hand.value.unsaved_links
    settled = hand.timeout(Timer.SETTLE)

    assert waiting.save is None
    assert unsaved == (DecidedLink(number=1, link=link),)
    assert settled.save is not None
    assert settled.save.decided == unsaved
    assert hand.value.unsaved_links == ()
