"""Defect 1: accepting a number above the promise left the saved promise where it was."""

from tests.defects.support import WatchedCluster, link_of

from composable_paxos import Accept, Acceptor, AcceptorState, Prepare, Promise, ProposalID


def test_an_acceptance_is_a_promise_that_outlives_a_restart() -> None:
    """
    Whoever accepted n accepts nothing below n, before and after a restart.

    The ancestor saved the acceptance of 2.C beside the older promise of 2.B. After a restart the
    late Accept of 2.B replaced a value that was chosen, and a second value was chosen.
    """
    cluster = WatchedCluster(manual=True)
    cluster.start()
    wanted_by_b = cluster.ask("B", "y")
    wanted_by_c = cluster.ask("C", "z")
    cluster.deliver("B->A", Prepare)
    cluster.deliver("C->B", Prepare)
    cluster.deliver("B->C", Promise)
    cluster.deliver("C->A", Accept)
    cluster.deliver("A->B", Promise)
    cluster.crash("C")
    cluster.crash("A")
    cluster.start("A")

    cluster.deliver("B->A", Accept)

    on_disk = cluster.servers["A"].disk.state
    assert on_disk is not None
    assert on_disk.acceptor.accepted_id == on_disk.acceptor.promised_id == ProposalID(2, "C")
    cluster.let_mail_flow()
    cluster.wait_for(wanted_by_b)
    assert cluster.values("B") == ["z", "y"]
    assert link_of(wanted_by_b) == 2
    assert not wanted_by_c.answered


def test_what_is_saved_of_an_acceptance_names_it_as_promised() -> None:
    """The state after an Accept above the promise holds the Accept's number as the promise."""
    acceptor = Acceptor("A", AcceptorState(promised_id=ProposalID(2, "B")))

    acceptor.receive_accept(Accept(proposal_id=ProposalID(5, "C"), value="z"))

    assert acceptor.state.promised_id == ProposalID(5, "C")
