"""The proposer: rounds and their numbers, promises and refusals, and the value it may ask for."""

import pytest

from composable_paxos import (
    LOWEST,
    Accept,
    Nack,
    Prepare,
    Promise,
    ProposalID,
    Proposer,
    Quorums,
)

ROUND_1 = ProposalID(1, "A")
ROUND_2 = ProposalID(2, "A")
ROUND_5 = ProposalID(5, "A")


def new_proposer(acceptors: str = "ABC") -> Proposer:
    """Return A's proposer with majority quorums, before its first round."""
    return Proposer("A", Quorums.majority(acceptors), highest_seen=LOWEST, lowest_number=1)


def promise(
    acceptor: str,
    proposal_id: ProposalID,
    accepted_id: ProposalID = LOWEST,
    accepted_value: str | None = None,
) -> Promise:
    """Promise *proposal_id* as *acceptor*, with nothing accepted unless told otherwise."""
    return Promise(
        acceptor=acceptor,
        proposal_id=proposal_id,
        accepted_id=accepted_id,
        accepted_value=accepted_value,
    )


def nack(acceptor: str, proposal_id: ProposalID, promised_id: ProposalID) -> Nack:
    """Refuse *proposal_id* as *acceptor*, because of *promised_id*."""
    return Nack(acceptor=acceptor, proposal_id=proposal_id, promised_id=promised_id)


# -------------------------------------------------------------------------------- numbers of rounds


def test_rounds_are_numbered_upwards() -> None:
    """Each round of a server has a number of its own, above the one before."""
    proposer = new_proposer()

    prepares = [proposer.prepare() for _ in range(3)]

    assert prepares == [Prepare(proposal_id=ProposalID(number, "A")) for number in (1, 2, 3)]


def test_rounds_begin_at_the_lowest_number_allowed() -> None:
    """Numbers below *lowest_number* are reserved and never issued."""
    proposer = Proposer("A", Quorums.majority("ABC"), highest_seen=LOWEST, lowest_number=2)

    prepares = [proposer.prepare(), proposer.prepare()]

    assert prepares == [Prepare(proposal_id=ROUND_2), Prepare(proposal_id=ProposalID(3, "A"))]


def test_rounds_go_on_above_what_was_seen_before_a_restart() -> None:
    """The number that the own acceptor promised is used up, also for its own proposer."""
    proposer = Proposer(
        "A", Quorums.majority("ABC"), highest_seen=ProposalID(4, "A"), lowest_number=2
    )

    assert proposer.prepare() == Prepare(proposal_id=ROUND_5)


def test_the_next_round_is_above_a_refusals_promise() -> None:
    """Even a refusal of an old round tells which number is taken."""
    proposer = new_proposer()
    proposer.prepare()

    proposer.receive_nack(nack("B", ProposalID(7, "X"), ProposalID(4, "C")))

    assert proposer.prepare() == Prepare(proposal_id=ROUND_5)


def test_the_next_round_is_above_an_acceptance_that_was_reported() -> None:
    """Even a promise of an old round tells which number is taken."""
    proposer = new_proposer()

    proposer.receive_promise(promise("B", ProposalID(7, "A"), ProposalID(4, "C"), "x"))

    assert proposer.prepare() == Prepare(proposal_id=ROUND_5)


def test_lower_numbers_seen_later_do_not_lower_the_next_round() -> None:
    """The highest number seen counts, not the latest."""
    proposer = new_proposer()
    proposer.note_proposal(ProposalID(4, "B"))

    proposer.note_proposal(ProposalID(2, "C"))

    assert proposer.prepare() == Prepare(proposal_id=ROUND_5)


# --------------------------------------------------------------------------------- what is proposed


def test_none_cannot_be_proposed() -> None:
    """None means "no value", so it is refused and leaves no trace."""
    proposer = new_proposer()

    with pytest.raises(ValueError, match=r"^None stands for no value and cannot be proposed$"):
        proposer.propose_value(None)

    assert proposer.value is None


def test_the_first_wish_stays() -> None:
    """A second value does not replace the first: one round stands for one value."""
    proposer = new_proposer()
    proposer.propose_value("x")

    proposer.propose_value("y")

    assert proposer.wish == "x"
    assert proposer.value == "x"


@pytest.mark.parametrize("value", ["", 0, False, ()])
def test_a_value_that_looks_empty_is_a_value(value: object) -> None:
    """Only None means "no value"."""
    proposer = new_proposer("A")
    proposer.propose_value(value)
    proposer.propose_value("another")
    proposer.prepare()

    accept = proposer.receive_promise(promise("A", ROUND_1))

    assert accept == Accept(proposal_id=ROUND_1, value=value)


def test_a_value_proposed_before_the_promises_waits_for_them() -> None:
    """The Accept leaves at the promise that completes the quorum."""
    proposer = new_proposer()
    at_the_wish = proposer.propose_value("x")
    proposer.prepare()

    at_one = proposer.receive_promise(promise("B", ROUND_1))
    at_two = proposer.receive_promise(promise("C", ROUND_1))

    assert at_the_wish is None
    assert at_one is None
    assert at_two == Accept(proposal_id=ROUND_1, value="x")


def test_a_value_proposed_after_the_promises_goes_out_at_once() -> None:
    """A prepared proposer waits for a value, then asks for its acceptance."""
    proposer = new_proposer()
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_1))
    at_the_quorum = proposer.receive_promise(promise("C", ROUND_1))

    at_the_wish = proposer.propose_value("x")

    assert at_the_quorum is None
    assert at_the_wish == Accept(proposal_id=ROUND_1, value="x")


def test_a_wish_between_two_promises_does_not_end_phase_one_early() -> None:
    """One promise of three is no quorum, whatever is wished for."""
    proposer = new_proposer()
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_1))

    assert proposer.propose_value("x") is None


def test_a_value_proposed_after_the_accept_changes_nothing() -> None:
    """The Accept leaves once; a later wish neither repeats nor replaces it."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_1))
    proposer.receive_promise(promise("C", ROUND_1))

    later = proposer.propose_value("y")

    assert later is None
    assert proposer.request_in_flight() == Accept(proposal_id=ROUND_1, value="x")


# ------------------------------------------------------------------------------------- the promises


def test_a_duplicated_promise_counts_once() -> None:
    """Acceptors are counted, not messages."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()

    replies = [proposer.receive_promise(promise("B", ROUND_1)) for _ in range(3)]

    assert replies == [None, None, None]
    assert proposer.promised_by == {"B"}


def test_a_strangers_promise_does_not_complete_a_quorum() -> None:
    """Only the acceptors of the cluster count."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_promise(promise("X", ROUND_1))

    reply = proposer.receive_promise(promise("B", ROUND_1))

    assert reply is None


def test_a_promise_of_an_older_round_does_not_count() -> None:
    """A promise is for one number; the next round needs its own."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_1))

    reply = proposer.receive_promise(promise("C", ROUND_2))

    assert reply is None
    assert proposer.promised_by == {"C"}


def test_a_new_round_forgets_the_promises_of_the_one_before() -> None:
    """Promises do not carry over from round to round."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_1))
    proposer.prepare()

    reply = proposer.receive_promise(promise("C", ROUND_2))

    assert reply is None


def test_a_late_promise_changes_nothing_once_the_accept_is_out() -> None:
    """The value was settled by the quorum; what a third acceptor reports comes too late."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_promise(promise("A", ROUND_1))
    proposer.receive_promise(promise("B", ROUND_1))

    late = proposer.receive_promise(promise("C", ROUND_1, ProposalID(0, "C"), "z"))

    assert late is None
    assert proposer.request_in_flight() == Accept(proposal_id=ROUND_1, value="x")


def test_a_promise_at_an_idle_proposer_does_nothing() -> None:
    """Without a round there is nothing to count."""
    proposer = new_proposer()
    proposer.propose_value("x")

    replies = [proposer.receive_promise(promise(uid, ROUND_1)) for uid in "ABC"]

    assert replies == [None, None, None]
    assert proposer.request_in_flight() is None


# -------------------------------------------------------------------------------- the binding value


@pytest.mark.parametrize("order", [("B", "C"), ("C", "B")])
def test_the_value_of_the_highest_reported_acceptance_is_adopted(order: tuple[str, str]) -> None:
    """The number of the acceptance decides, not the order of arrival, nor the own wish."""
    reports = {
        "B": promise("B", ROUND_5, ProposalID(3, "B"), "newer"),
        "C": promise("C", ROUND_5, ProposalID(1, "C"), "older"),
    }
    proposer = Proposer(
        "A", Quorums.majority("ABC"), highest_seen=ProposalID(4, "C"), lowest_number=1
    )
    proposer.propose_value("wish")
    proposer.prepare()
    proposer.receive_promise(reports[order[0]])

    accept = proposer.receive_promise(reports[order[1]])

    assert accept == Accept(proposal_id=ROUND_5, value="newer")


def test_one_report_among_empty_promises_binds() -> None:
    """It needs no majority of reports: a single acceptance may belong to a chosen value."""
    proposer = new_proposer("ABCDE")
    proposer.propose_value("wish")
    proposer.note_proposal(ProposalID(1, "B"))
    proposer.prepare()
    proposer.receive_promise(promise("C", ROUND_2, ProposalID(1, "B"), "reported"))
    proposer.receive_promise(promise("D", ROUND_2))

    accept = proposer.receive_promise(promise("E", ROUND_2))

    assert accept == Accept(proposal_id=ROUND_2, value="reported")


def test_a_reported_acceptance_needs_no_wish() -> None:
    """A proposer without a wish carries a reported value on."""
    proposer = new_proposer()
    proposer.note_proposal(ProposalID(1, "B"))
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_2, ProposalID(1, "B"), "reported"))

    accept = proposer.receive_promise(promise("C", ROUND_2))

    assert accept == Accept(proposal_id=ROUND_2, value="reported")


def test_the_own_wish_is_kept_while_another_value_is_adopted() -> None:
    """The round stands for the adopted value; the wish waits behind it."""
    proposer = new_proposer()
    proposer.propose_value("wish")
    proposer.note_proposal(ProposalID(1, "B"))
    proposer.prepare()

    proposer.receive_promise(promise("B", ROUND_2, ProposalID(1, "B"), "reported"))

    assert proposer.value == "reported"
    assert proposer.wish == "wish"


def test_the_own_wish_returns_if_the_adopted_value_is_not_reported_again() -> None:
    """Each round is bound by its own promises only; a value nobody of them holds was not chosen."""
    proposer = new_proposer()
    proposer.propose_value("wish")
    proposer.note_proposal(ProposalID(1, "B"))
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_2, ProposalID(1, "B"), "reported"))
    next_round = proposer.prepare().proposal_id
    proposer.receive_promise(promise("A", next_round))

    accept = proposer.receive_promise(promise("C", next_round))

    assert accept == Accept(proposal_id=next_round, value="wish")


# ------------------------------------------------------------------------------------- the refusals


def test_one_refusal_of_three_does_not_end_the_round() -> None:
    """Two acceptors are left, and two are a quorum: the round still succeeds."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()

    refused = proposer.receive_nack(nack("C", ROUND_1, ProposalID(2, "C")))
    proposer.receive_promise(promise("A", ROUND_1))
    accept = proposer.receive_promise(promise("B", ROUND_1))

    assert refused is None
    assert accept == Accept(proposal_id=ROUND_1, value="x")


def test_a_duplicated_refusal_counts_once() -> None:
    """Acceptors are counted, not messages."""
    proposer = new_proposer()
    proposer.prepare()

    replies = [proposer.receive_nack(nack("C", ROUND_1, ProposalID(2, "C"))) for _ in range(3)]

    assert replies == [None, None, None]
    assert proposer.refused_by == {"C"}


def test_a_second_refusal_of_three_begins_a_round_above_both_promises() -> None:
    """One acceptor is no quorum, so the proposer tries again where it can win."""
    proposer = new_proposer()
    proposer.prepare()
    proposer.receive_nack(nack("C", ROUND_1, ProposalID(4, "C")))

    prepare = proposer.receive_nack(nack("B", ROUND_1, ProposalID(2, "B")))

    assert prepare == Prepare(proposal_id=ROUND_5)
    assert proposer.refused_by == set()


def test_refusals_of_an_older_round_do_not_count() -> None:
    """A refusal is of one number; it says nothing against the next."""
    proposer = new_proposer()
    proposer.prepare()
    proposer.prepare()

    replies = [proposer.receive_nack(nack(uid, ROUND_1, ProposalID(1, "B"))) for uid in "BC"]

    assert replies == [None, None]
    assert proposer.request_in_flight() == Prepare(proposal_id=ROUND_2)


def test_a_new_round_forgets_the_refusals_of_the_one_before() -> None:
    """Refusals do not carry over from round to round."""
    proposer = new_proposer()
    proposer.prepare()
    proposer.receive_nack(nack("B", ROUND_1, ProposalID(1, "B")))
    proposer.prepare()

    reply = proposer.receive_nack(nack("C", ROUND_2, ProposalID(3, "C")))

    assert reply is None


def test_a_strangers_refusal_does_not_end_a_round() -> None:
    """Only the acceptors of the cluster count."""
    proposer = new_proposer()
    proposer.prepare()

    replies = [proposer.receive_nack(nack(uid, ROUND_1, ProposalID(2, uid))) for uid in "XYB"]

    assert replies == [None, None, None]


def test_the_lowest_number_is_nobodys_round() -> None:
    """No round is under way before the first: what names LOWEST concerns nobody."""
    proposer = new_proposer()

    for acceptor in "ABC":
        assert proposer.receive_promise(promise(acceptor, LOWEST)) is None
        assert proposer.receive_nack(nack(acceptor, LOWEST, LOWEST)) is None

    assert proposer.propose_value("x") is None


def test_a_stray_refusal_at_an_idle_proposer_does_nothing() -> None:
    """Without a round there is nothing to refuse, and nothing to start."""
    proposer = new_proposer()

    replies = [proposer.receive_nack(nack(uid, ROUND_1, ProposalID(2, "C"))) for uid in "ABC"]

    assert replies == [None, None, None]
    assert proposer.request_in_flight() is None


def test_promises_and_refusals_mix_until_the_quorum_is_out_of_reach() -> None:
    """Of five acceptors, two promises and two refusals leave the round open; a third ends it."""
    proposer = new_proposer("ABCDE")
    proposer.propose_value("x")
    proposer.prepare()
    still_open = [
        proposer.receive_promise(promise("A", ROUND_1)),
        proposer.receive_nack(nack("D", ROUND_1, ProposalID(2, "D"))),
        proposer.receive_promise(promise("B", ROUND_1)),
        proposer.receive_nack(nack("E", ROUND_1, ProposalID(2, "D"))),
    ]

    ended = proposer.receive_nack(nack("C", ROUND_1, ProposalID(2, "D")))

    assert still_open == [None, None, None, None]
    assert ended == Prepare(proposal_id=ProposalID(3, "A"))


def test_promises_and_refusals_mix_and_the_round_succeeds() -> None:
    """Of five acceptors, three promises suffice, whatever the other two say in between."""
    proposer = new_proposer("ABCDE")
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_nack(nack("D", ROUND_1, ProposalID(2, "D")))
    proposer.receive_promise(promise("A", ROUND_1))
    proposer.receive_nack(nack("E", ROUND_1, ProposalID(2, "D")))
    proposer.receive_promise(promise("B", ROUND_1))

    accept = proposer.receive_promise(promise("C", ROUND_1))

    assert accept == Accept(proposal_id=ROUND_1, value="x")


def test_refusals_of_both_phases_add_up() -> None:
    """Who refused the Prepare refuses the Accept as well: one more refusal ends the round."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_promise(promise("A", ROUND_1))
    proposer.receive_nack(nack("C", ROUND_1, ProposalID(2, "C")))
    proposer.receive_promise(promise("B", ROUND_1))

    prepare = proposer.receive_nack(nack("B", ROUND_1, ProposalID(2, "C")))

    assert prepare == Prepare(proposal_id=ProposalID(3, "A"))


def test_one_refused_accept_of_three_does_not_end_the_round() -> None:
    """The other two acceptors can still choose the value."""
    proposer = new_proposer()
    proposer.propose_value("x")
    proposer.prepare()
    proposer.receive_promise(promise("A", ROUND_1))
    proposer.receive_promise(promise("B", ROUND_1))

    reply = proposer.receive_nack(nack("B", ROUND_1, ProposalID(2, "C")))

    assert reply is None
    assert proposer.request_in_flight() == Accept(proposal_id=ROUND_1, value="x")


def test_refusals_are_held_against_the_quorum_of_their_phase() -> None:
    """With three promises but one acceptance of three, one refusal ends phase 1, not phase 2."""
    quorums = Quorums(acceptors=frozenset("ABC"), promise_size=3, accept_size=1)
    in_phase_1 = Proposer("A", quorums, highest_seen=LOWEST, lowest_number=1)
    in_phase_1.prepare()
    in_phase_2 = Proposer("A", quorums, highest_seen=LOWEST, lowest_number=1)
    in_phase_2.skip_prepare(ROUND_1, "x")

    ended = in_phase_1.receive_nack(nack("C", ROUND_1, ProposalID(2, "C")))
    going_on = in_phase_2.receive_nack(nack("C", ROUND_1, ProposalID(2, "C")))

    assert ended == Prepare(proposal_id=ProposalID(3, "A"))
    assert going_on is None


# --------------------------------------------------------------------------------- skipping phase 1


def test_a_skipped_prepare_asks_to_accept_at_once() -> None:
    """Where the caller vouches for the number, phase 2 comes first."""
    proposer = new_proposer()

    accept = proposer.skip_prepare(ROUND_1, "x")

    assert accept == Accept(proposal_id=ROUND_1, value="x")
    assert proposer.request_in_flight() == accept


def test_promises_after_a_skipped_prepare_change_nothing() -> None:
    """The Accept is out; nothing may send a second value under its number."""
    proposer = new_proposer()
    proposer.skip_prepare(ROUND_1, "x")

    replies = [
        proposer.receive_promise(promise(uid, ROUND_1, ProposalID(0, "Z"), "z")) for uid in "ABC"
    ]

    assert replies == [None, None, None]
    assert proposer.request_in_flight() == Accept(proposal_id=ROUND_1, value="x")


def test_a_skipped_prepare_takes_one_value_only() -> None:
    """OneValuePerNumber: another wish than the given value is a mistake of the caller."""
    proposer = new_proposer()
    proposer.propose_value("x")

    with pytest.raises(AssertionError, match="OneValuePerNumber"):
        proposer.skip_prepare(ROUND_1, "y")


def test_the_wish_itself_may_skip_the_prepare() -> None:
    """The same value again is no second value."""
    proposer = new_proposer()
    proposer.propose_value("x")

    assert proposer.skip_prepare(ROUND_1, "x") == Accept(proposal_id=ROUND_1, value="x")


def test_a_skipped_prepare_that_is_refused_leads_to_an_ordinary_round() -> None:
    """The value stays the wish, and the new round has a number above the skipped one."""
    proposer = new_proposer()
    proposer.skip_prepare(ROUND_1, "x")
    proposer.receive_nack(nack("B", ROUND_1, ProposalID(1, "B")))

    prepare = proposer.receive_nack(nack("C", ROUND_1, ProposalID(1, "B")))
    proposer.receive_promise(promise("B", ROUND_2))
    accept = proposer.receive_promise(promise("C", ROUND_2))

    assert prepare == Prepare(proposal_id=ROUND_2)
    assert accept == Accept(proposal_id=ROUND_2, value="x")


def test_a_skipped_prepare_forgets_what_an_earlier_round_adopted() -> None:
    """The request repeated later is the one that was sent, with its own value."""
    proposer = new_proposer()
    proposer.prepare()
    proposer.receive_promise(promise("B", ROUND_1, ProposalID(0, "Z"), "z"))

    proposer.skip_prepare(ROUND_2, "x")

    assert proposer.request_in_flight() == Accept(proposal_id=ROUND_2, value="x")


# --------------------------------------------------------------------------------- the open request


def test_the_request_in_flight_follows_the_round() -> None:
    """Nothing before the first round; then the Prepare; then the Accept; then the next Prepare."""
    proposer = new_proposer()
    proposer.propose_value("x")

    requests = [proposer.request_in_flight()]
    proposer.prepare()
    requests.append(proposer.request_in_flight())
    proposer.receive_promise(promise("B", ROUND_1))
    requests.append(proposer.request_in_flight())
    proposer.receive_promise(promise("C", ROUND_1))
    requests.append(proposer.request_in_flight())
    proposer.prepare()
    requests.append(proposer.request_in_flight())

    assert requests == [
        None,
        Prepare(proposal_id=ROUND_1),
        Prepare(proposal_id=ROUND_1),
        Accept(proposal_id=ROUND_1, value="x"),
        Prepare(proposal_id=ROUND_2),
    ]


def test_a_prepared_proposer_without_a_value_repeats_its_prepare() -> None:
    """With all promises but no value, there is no Accept to repeat."""
    proposer = new_proposer()
    proposer.prepare()
    for uid in "ABC":
        proposer.receive_promise(promise(uid, ROUND_1))

    assert proposer.request_in_flight() == Prepare(proposal_id=ROUND_1)
