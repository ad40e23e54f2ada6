"""A script in the lab: played, or refused with a sentence; and cut, to go on otherwise."""

from itertools import count

import pytest

from multipaxos.invariants.names import LINEARIZABLE, NAMES, PROGRESS
from multipaxos.lab.forking import fork
from multipaxos.lab.judging import CALLS_MAX
from multipaxos.lab.play import PLAY_SECONDS_MAX, ScriptError, play
from multipaxos.lab.run import run_of

AUTOMATIC = """\
# A run of two proposers.
# Why: they meet.
automatic
seed 5
propose A x
propose B y
# Now the network delivers.
advance 3s
read A
advance 1s
"""


def kinds(script: str) -> list[str]:
    """Return the kinds of the events of *script*'s run."""
    return [event.kind for event in play(script).stage.events]


def test_a_comment_above_a_command_is_its_caption() -> None:
    """Those at the top tell of the whole; the others of what comes next."""
    lines = play(AUTOMATIC).lines

    assert [line.caption for line in lines if line.caption] == ["Now the network delivers."]
    assert next(line for line in lines if line.caption).command == "advance 3s"
    assert lines[0].number == 3


def test_what_stands_below_the_line_is_no_script() -> None:
    """A scenario file can be played as it is."""
    assert kinds("propose A x\n----\n> propose A x\n") == kinds("propose A x\n")


def test_an_empty_script_is_a_cluster_that_waits() -> None:
    """There is something to draw, and to change."""
    assert "started" in kinds("")
    assert "started" in kinds("# Nothing yet.\nseed 3\n")


@pytest.mark.parametrize(
    "script, sentence",
    [
        ("jump", "line 1, jump: 'jump' is no command"),
        ("# Why\n\npropose Z x", "line 3, propose Z x: 'Z' is no server"),
        ("quorums 9 9", "line 1, quorums 9 9: a quorum has between 1 and 3 of the 3"),
        ("block A->A", "line 1, block A->A: what A tells itself never travels: name two servers"),
        ("deliver #7", "line 1, deliver #7: no message #7 is in flight"),
        ("propose A x\n" * 3000, "a script has at most 2,000 lines, and this one 3,000"),
        ("propose A " + "x" * 3000, "line 1: a line has at most 2,000 characters"),
        ("x" * 5_000_000, "a script has at most 4,000,000 characters"),
        ("# Why\nquorums 1 1\n", "line 2, quorums 1 1: 1 promises and 1 acceptances of 3"),
        ("propose A x\nadvance 1000000s", "line 2, advance 1000000s: the run is too long"),
        (
            "stall A 1000000s at reading 1\npropose A x\nadvance 9s",
            "the run is too long for the lab",
        ),
        ("faults cruel 600s\nclients 20 9 500s\nadvance 600s", "the run is too long"),
    ],
)
def test_what_cannot_be_played_gets_a_sentence(script: str, sentence: str) -> None:
    """It says which line, and what to do; nothing runs without an end."""
    with pytest.raises(ScriptError) as error:
        play(script)

    assert sentence in str(error.value)
    assert len(str(error.value)) < 2_000


def test_a_run_that_takes_too_long_to_play_ends_with_a_sentence() -> None:
    """However slow the machine is."""
    ticks = count(0, PLAY_SECONDS_MAX / 4)

    with pytest.raises(ScriptError, match="playing it takes more than 15 s"):
        play("propose A x\ndeliver all\n", clock=lambda: next(ticks))


def test_what_the_clients_saw_is_judged_at_the_end() -> None:
    """I11, with a bug that lets anybody read."""
    script = """\
bug read-from-anybody
propose A x
deliver A->B Prepare, B->A Promise, A->B Accept, B->A Accepted
read C
deliver all
"""
    broken = [e.fields["name"] for e in play(script).stage.events if e.kind == "violated"]

    assert "I11 Linearizable" in broken


def test_a_run_with_too_many_requests_is_not_said_to_be_linearizable() -> None:
    """The order of so many is not searched for, so nothing is claimed of I11."""
    few = play("faults none 5s\nclients 2 4 5s\nadvance 5s\n")
    many = play("faults none 20s\nclients 2 6 20s\nadvance 20s\n")

    assert len(few.stage.cluster.calls) <= CALLS_MAX < len(many.stage.cluster.calls)
    assert run_of(few)["judged"] == [name for name in NAMES if name != PROGRESS]
    assert run_of(many)["judged"] == [
        name for name in NAMES if name not in (PROGRESS, LINEARIZABLE)
    ]


def test_a_fork_shares_its_past_and_goes_on_otherwise() -> None:
    """The common part is the same, event by event; then comes what was asked for."""
    run = play(AUTOMATIC)
    sent = [e for e in run.stage.events if e.kind == "sent" and e.fields["instance"] == 1]
    number = sent[0].fields["id"]
    at = run.stage.events.index(sent[0]) + 1

    forked = fork(AUTOMATIC, at=at, commands=[f"drop #{number}"], keep_time=True)

    events = forked.played.stage.events
    assert events[: forked.events] == run.stage.events[: forked.events]
    assert ("dropped", number) in [(e.kind, e.fields.get("id")) for e in events]
    assert forked.played.stage.cluster.time.now == pytest.approx(run.stage.cluster.time.now)
    assert "# Why: they meet." in forked.played.script


def test_a_fork_s_script_gives_the_fork() -> None:
    """The run is its script: a link to it holds all of it."""
    forked = fork(AUTOMATIC, at=60, commands=["crash B"], keep_time=True).played

    assert play(forked.script).stage.events == forked.stage.events


def test_what_the_clients_saw_is_judged_at_the_very_end_of_a_fork() -> None:
    """Not before the time is kept: the script would give another trace."""
    script = "seed 780\nmaster\nbug resolved-at-once\nfaults calm 3s\nclients 2 4 3s\nadvance 3s\n"

    forked = fork(script, at=3971, commands=[], keep_time=True).played

    assert forked.stage.events[-1].fields["name"] == "I11 Linearizable"
    assert play(forked.script).stage.events == forked.stage.events


def test_a_fork_at_the_end_shares_what_happened_but_no_verdict() -> None:
    """What the clients saw is judged anew in the fork: that event is not among the common ones."""
    script = (
        "bug read-from-anybody\npropose A x\ndeliver A->B Prepare, B->A Promise, A->B Accept, B->A "
        "Accepted\nread C\n"
    )
    events = play(script).stage.events
    assert events[-1].fields["name"] == "I11 Linearizable"

    forked = fork(script, at=len(events), commands=["crash C"], keep_time=False)

    assert forked.events == len(events) - 1
    assert forked.played.stage.events[: forked.events] == events[: forked.events]


@pytest.mark.parametrize("keep_time", [True, False])
def test_time_does_not_pass_by_itself_where_messages_are_held(keep_time: bool) -> None:
    """A person goes on there."""
    script = "propose A x\ndeliver all\n"

    forked = fork(script, at=0, commands=["crash C"], keep_time=keep_time).played

    assert "advance" not in forked.script
    assert forked.stage.events[-1].kind == "crashed"


@pytest.mark.parametrize(
    "command", ["delay #7 100ms", "flow", "hold", "crash B before save", "advance 1ms"]
)
def test_what_adds_no_event_is_kept_at_the_end_of_a_run(command: str) -> None:
    """It changes what comes next, though the trace does not show it yet."""
    script = f"propose A x\n{command}\n"
    end = len(play(script).stage.events)
    assert end == len(play("propose A x\n").stage.events)

    forked = fork(script, at=end, commands=["show"], keep_time=False).played

    assert forked.script.splitlines() == ["propose A x", command, "show"]


def test_every_scenario_can_be_forked_anywhere(scenario_files: list[str]) -> None:
    """Nothing a script does keeps a person from taking over in the middle of it."""
    for script in scenario_files:
        events = len(play(script).stage.events)
        for at in range(0, events, 37):
            forked = fork(script, at=at, commands=["show"], keep_time=False)
            assert forked.events >= at


@pytest.mark.parametrize(
    "at, commands, sentence",
    [
        (-1, [], "they count from 0"),
        (5, ["heal"] * 101, "at most 100 commands"),
        (5, ["heal\ncrash A"], "a command is one line"),
        (5, ["crash Z"], "'Z' is no server"),
        (5, ["seed 3"], "'seed' must stand before everything that happens"),
    ],
)
def test_a_bad_fork_gets_a_sentence(at: int, commands: list[str], sentence: str) -> None:
    """It says what is wrong."""
    with pytest.raises(ScriptError, match=sentence):
        fork(AUTOMATIC, at=at, commands=commands, keep_time=False)
