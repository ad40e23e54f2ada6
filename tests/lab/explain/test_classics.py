"""The classic cases, word by word: what a reader sees on a click."""

from collections.abc import Callable
from pathlib import Path

from multipaxos.lab.explain import Explanation
from multipaxos.simulation.scenario import read_scenario
from multipaxos.trace import TraceEvent

Told = tuple[list[TraceEvent], Explanation]
DIRECTORY = Path(__file__).parents[3] / "src/multipaxos/scenarios"


def scenario(name: str) -> str:
    """Return the script of scenario *name*."""
    return read_scenario(DIRECTORY / f"{name}.txt").script


def paragraphs(told: Told, rule: str, kind: str = "") -> list[str]:
    """Return what was said by *rule*, of events of *kind*, each once."""
    events, explanation = told
    found = [
        why[1]
        for event, why in zip(events, explanation.why, strict=True)
        if why is not None and why[0] == rule and kind in ("", event.kind)
    ]
    return list(dict.fromkeys(found))


def test_a_value_that_was_accepted_binds_the_next_proposer(told: Callable[[str], Told]) -> None:
    """Scenario 4: C wished for z, hears of x from B, and must ask for x."""
    run = told(scenario("04_value_survives_its_proposer"))

    assert paragraphs(run, "bound-choice") == [
        (
            "B and C have promised 3.C (C itself is one of them): a quorum, 2 of 3. B reports 2.A "
            'with "x". That binds C: "x" may be chosen already, and no other value can be. So C '
            'asks for "x", not for its own wish, set "z", which goes into a later link.'
        )
    ]
    assert paragraphs(run, "crash") == [
        (
            "The process of A ends at once. Lost is its round 2.A, its clients' requests "
            '(set "x") and the acceptances that it had counted. What stays is its disk: link 1, '
            'promised 2.A, accepted 2.A with "x". What reached the others stays with them, too: A '
            "is needed for nothing that a quorum of the others can do."
        )
    ]


def test_the_lens_shows_the_witness(told: Callable[[str], Told]) -> None:
    """Scenario 4: B has accepted 2.A and promised 3.C; that is how x survives."""
    _, explanation = told(scenario("04_value_survives_its_proposer"))

    inherited = next(p for p in explanation.proposals if p.proposal_id == "3.C").plain()

    assert inherited["promised_by"] == ["B", "C"]
    assert inherited["reports"] == [{"server": "B", "accepted": "2.A", "value": '"x"'}]
    assert inherited["choice"] == "bound"
    assert inherited["meets"] == {
        "proposal": "2.A",
        "acceptors": ["A", "B"],
        "value": '"x"',
        "chosen": True,
    }
    assert inherited["witness"] == ["B"]
    assert str(inherited["text"]).endswith(
        'A and B have accepted 2.A with "x": a quorum, so it was chosen. B is among those and '
        "among the promises of 3.C."
    )


def test_of_two_reports_the_higher_one_binds(told: Callable[[str], Told]) -> None:
    """Scenario 7: C has x under 2.A itself, hears of y under 2.B, and must ask for y."""
    run = told(scenario("07_why_the_highest"))

    assert paragraphs(run, "bound-choice") == [
        (
            "A and C have promised 3.C (C itself is one of them): a quorum, 2 of 3. A reports 2.B "
            "with "
            '"y"; C reports 2.A with "x". The highest of these, 2.B, binds C: "y" may be chosen '
            'already, and no other value can be. So C asks for "y", not for its own wish, set "z", '
            "which goes into a later link."
        )
    ]


def test_a_delayed_request_is_refused_with_the_two_numbers(told: Callable[[str], Told]) -> None:
    """Scenario 8: B and C have promised 3.B; what A asked before its pause comes too late."""
    run = told(scenario("08_delayed_accept"))

    assert paragraphs(run, "refuse-promised", "refused") == [
        (
            "A asks B to accept 2.A in link 1. B has promised 3.B, its own number, and 3.B > 2.A. "
            "To promise 3.B was to refuse everything below it, however late it comes: otherwise "
            "2.A could still be chosen after B was told that it was not. The answer names 3.B, so "
            "that A knows what it must go above."
        ),
        (
            "A asks C to accept 2.A in link 1. C has promised 3.B, and 3.B > 2.A. To promise 3.B "
            "was to refuse everything below it, however late it comes: otherwise 2.A could still "
            "be chosen after B was told that it was not. The answer names 3.B, so that A knows "
            "what it must go above."
        ),
    ]
    assert paragraphs(run, "round-lost") == [
        (
            "B and C refused 2.A, having promised up to 3.B. Those that have not refused are no "
            "quorum of 3 any more, so 2.A cannot succeed in link 1. A accepted it; that is no "
            "quorum, and a later proposer that hears of it takes its value over. A will begin "
            "another round above 3.B, after a wait."
        )
    ]


def test_backoff_windows_double(told: Callable[[str], Told]) -> None:
    """Scenario 3: each loss doubles the window that the next wait is drawn from."""
    run = told(scenario("03_duelling_proposers"))

    said = paragraphs(run, "backoff", "timer set")

    assert ["one of 5.0 ms" in one for one in said] == [True, True, False, False]
    assert ["one of 10.0 ms" in one for one in said] == [False, False, True, True]


def test_a_lease_is_counted_from_the_bid(told: Callable[[str], Told]) -> None:
    """Scenario 14: the news took 0.8 s, which the master's lease does not get back."""
    run = told(scenario("14_lease_counts_from_the_bid"))

    assert paragraphs(run, "lease-began")[0] == (
        "A finds its own bid in the chain: it is master. It counts its lease not from now but "
        "from its bid, 800.0 ms ago: the others learned of it later than that, and respect it for "
        "a whole lease from then on. A trusts it for 9.80 s of its own clock, not 10.00 s, for "
        "two clocks may differ, so 9.00 s are left. At the end of these the others still respect "
        "it."
    )
    assert paragraphs(run, "number-one")[0].startswith(
        "A is the master that the links before name, so 1.A is its alone"
    )


def test_a_promise_says_what_it_binds_to(told: Callable[[str], Told]) -> None:
    """The first promise, a higher one with a report, and a repeated one."""
    run = told(
        "propose A x\ndeliver A->B Prepare, B->A Promise, A->B Accept\nfire A retransmit\npropose "
        "C z\ndeliver C->B Prepare\nfire C retransmit\ndeliver C->B Prepare\n"
    )

    said = paragraphs(run, "promise", "promised")

    assert said[1] == (
        "B had promised nothing in link 1; any number is higher than that: it promises 2.A. With "
        "that it binds itself to refuse everything below 2.A in link 1. It reports that it has "
        "accepted nothing. It saves the promise before the answer leaves."
    )
    assert (
        "B had promised 2.A; 2.C is higher: it promises. With that it binds itself to refuse "
        'everything below 2.C in link 1. It reports that it has accepted 2.A with "x": the '
        "proposer must heed that. It saves the promise before the answer leaves."
    ) in said
    assert said[-1].startswith(
        "B had promised 2.C already: this is a repetition, and its first answer may have been lost."
    )


def test_sentences_stand_alone(told: Callable[[str], Told]) -> None:
    """Each names who did what to whom, in which link."""
    _, explanation = told("propose A x\ndeliver A->B Prepare, B->A Promise\ndrop A->C Accept\n")

    assert 'client-1 asks A: set "x".' in explanation.said
    assert "A asks B to promise 2.A for link 1." in explanation.said
    assert "B gets from A, about link 1: Prepare 2.A." in explanation.said
    assert 'A asks C to accept "x" under 2.A for link 1.' in explanation.said
    assert 'Lost on its way from A to C: Accept 2.A "x".' in explanation.said


def test_strategies_show_in_the_reasons(told: Callable[[str], Told]) -> None:
    """A proposer that abstains, one whose request overtakes its save, one that says less."""
    abstaining = told(scenario("13e_abstention"))
    early = told(scenario("13d_group_commit"))
    brief = told(scenario("13c_brevity"))

    assert any("does not vote itself yet" in one for one in paragraphs(abstaining, "number-one"))
    assert any(
        "while A still saves its own vote" in one for one in paragraphs(early, "free-choice")
    )
    assert any("Its Accept has left before" in one for one in paragraphs(early, "early-send"))
    assert any("It leaves the value out" in one for one in paragraphs(brief, "brevity", "sent"))
    assert any("It need not count" in one for one in paragraphs(brief, "resolved-by-being-told"))


def test_what_comes_twice_counts_once(told: Callable[[str], Told]) -> None:
    """Promises and acceptances are counted by name."""
    run = told(
        "propose A x\ndeliver A->B Prepare\nduplicate B->A Promise\ndeliver B->A Promise\n"
        "deliver B->A Promise\ndeliver A->B Accept, A->C Accept\nduplicate A->B Accepted\n"
        "partition C | A B\ndeliver A->B Accepted\n"
    )

    assert paragraphs(run, "count-promise")[1] == (
        "B has promised 2.A before, and that has been counted. A counts servers, not messages: a "
        "promise that comes twice is one promise."
    )
    assert paragraphs(run, "network", "duplicated")[0].startswith(
        "The network makes a second copy of Promise 2.A, nothing accepted for A."
    )


def test_a_partition_says_who_can_still_decide(told: Callable[[str], Told]) -> None:
    """Both-way touch with a quorum is what a round needs."""
    run = told("servers A B C D E\npropose A x\npartition A B | C D E\nheal\n")

    assert paragraphs(run, "network", "wires") == [
        (
            "Some messages do not pass from now on. C, D and E are in both-way touch with a "
            "quorum, "
            "and can finish rounds; nobody else can begin one that ends. Two quorums always share "
            "a server, so no two sides can decide differently."
        ),
        (
            "Everybody reaches everybody again. What was lost is asked again, and whoever is "
            "behind "
            "is told what it missed."
        ),
    ]


def test_with_other_quorums_a_partition_is_measured_by_them(told: Callable[[str], Told]) -> None:
    """A round needs promises and acceptances: two of three begin none that needs all three."""
    run = told("quorums 3 1\npropose A x\npartition A B | C\n")

    (said,) = paragraphs(run, "network", "wires")

    assert "Nobody is in both-way touch with a quorum: no new round can come to its end" in said


def test_a_refused_request_to_accept_is_measured_by_the_quorum_of_acceptances(
    told: Callable[[str], Told],
) -> None:
    """Two of four are enough there, though a promise needs three."""
    run = told(
        "servers A B C D\nquorums 3 2\npropose A x\ndeliver A->B Prepare, A->C Prepare, B->A "
        "Promise, C->A Promise\npropose D y\ndeliver D->B Prepare, D->C Prepare, A->B Accept, A->C "
        "Accept, B->A Nack, C->A Nack\n"
    )
    events, _ = run

    assert "round lost" not in [event.kind for event in events]
    assert paragraphs(run, "nack", "delivered")[1] == (
        "C refuses 2.A, for it has promised 2.D. Of 4 servers 2 have refused; 2 servers may still "
        "grant it, a quorum: the round goes on. The next round of A will be above 2.D."
    )


def test_a_value_that_reads_like_a_message_misleads_nobody(told: Callable[[str], Told]) -> None:
    """What a server sends for a request is told by the message's type, not by what is in it."""
    run = told(
        "seed 3\nmaster\nautomatic\nadvance 5s\n"
        + "".join(f"propose {uid} Prepare\nadvance 1s\n" for uid in "ABC")
    )

    goes = [said.rpartition(". ")[2] for said in paragraphs(run, "request", "called")]

    assert sorted(set(goes)) == [
        "It is the master, so it asks for acceptance at once.",
        "It must not propose now, so it hands the request on to the master.",
    ]


def test_two_servers_that_a_third_one_reaches_are_no_partition(told: Callable[[str], Told]) -> None:
    """Scenario 10: the words name the pair that is cut off, and no groups."""
    events, explanation = told(scenario("10_bridge_partition"))

    cut = [s for e, s in zip(events, explanation.said, strict=True) if e.kind == "wires"]

    assert cut[:2] == ["A does not reach C.", "A and C are cut off."]


def test_nine_servers_that_all_stand_alone_are_nine_groups(told: Callable[[str], Told]) -> None:
    """As many wires as the largest cluster has can be cut."""
    names = "A B C D E F G H I"
    run = told(f"servers {names}\npartition {' | '.join(names.split())}\n")

    assert run[1].said[-1] == f"Partition: {' | '.join(names.split())}."
    assert "Nobody is in both-way touch with a quorum" in paragraphs(run, "network", "wires")[0]


def test_a_read_that_the_master_answers_at_once_is_not_queued(told: Callable[[str], Told]) -> None:
    """It comes into no link at all."""
    run = told("seed 3\nmaster\nautomatic\nadvance 5s\nread C\n")

    assert paragraphs(run, "request", "called") == [
        "client-1 asks C for get, under the id client-1/1. C can answer at once."
    ]
