"""Traces of servers are judged by the same rules; a trace that was tampered with is caught."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.invariants.traces import Fields, counted, find, split, worked, write

from multipaxos.chain.dictionary import Dictionary
from multipaxos.cli import main
from multipaxos.invariants.conformance import Verdict, judge
from multipaxos.invariants.linearizability import find_violation
from multipaxos.trace import check_trace, parse_line, write_trace

Files = dict[str, list[Fields]]


@pytest.fixture(scope="module")
def original() -> Files:
    """Return the files of a cluster that has done nothing wrong."""
    return split(worked().trace.events)


@pytest.fixture
def files(original: Files) -> Files:
    """Return a copy of them, to be tampered with."""
    return copy.deepcopy(original)


def verdict_on(tmp_path: Path, files: Files) -> Verdict:
    """Judge *files*."""
    return judge(write(tmp_path, files))


def violated(tmp_path: Path, files: Files) -> str:
    """Judge *files*, which break a rule; return what is said."""
    verdict = verdict_on(tmp_path, files)
    assert verdict.violation is not None
    assert verdict.evidence
    return str(verdict.violation)


def message(name: str, **fields: Any) -> Any:
    """Return a test for messages called *name* with these *fields*."""
    wanted = {"type": name, **fields}
    return lambda line: (
        "message" in line and wanted.items() <= line["message"].items() and line["kind"] == "sent"
    )


def test_a_cluster_that_did_nothing_wrong_conforms(tmp_path: Path, files: Files) -> None:
    """All but I12 is judged, and what there was to judge is counted."""
    verdict = verdict_on(tmp_path, files)

    assert verdict.violation is None, verdict.violation
    assert list(verdict.not_judged) == ["I12 Progress"]
    assert verdict.remarks == []
    assert (verdict.links, verdict.calls) == (len(worked().invariants.chosen), 9)
    assert all(not text.startswith("0 ") for text in verdict.seen.values()), verdict.seen
    assert find_violation(verdict.history, verdict.machine) == ()


def test_the_merged_trace_has_the_choices_where_the_simulator_saw_them(
    tmp_path: Path, files: Files
) -> None:
    """It is a trace like any other: every link, its number, value and acceptors, in order."""
    verdict = verdict_on(tmp_path, files)

    merged = [event for event in verdict.merged if event.kind == "chosen"]
    seen = [event for event in worked().trace.events if event.kind == "chosen"]
    assert [event.fields for event in merged] == [
        json.loads(json.dumps(event.fields)) for event in seen
    ]
    assert [round(event.seconds, 6) for event in merged] == [
        round(event.seconds, 6) for event in seen
    ]
    assert list(check_trace(verdict.merged)) == verdict.merged
    path = tmp_path / "merged.ndjson"
    write_trace(path, verdict.merged)
    again = judge([path])
    assert (again.violation, again.links) == (None, verdict.links)


def test_the_trace_of_a_simulation_conforms(tmp_path: Path) -> None:
    """One file of an engine that sees all, with everything in it."""
    cluster = worked()
    path = tmp_path / "simulated.ndjson"
    write_trace(path, cluster.trace.events)

    verdict = judge([path])

    assert (verdict.violation, verdict.links) == (None, len(cluster.invariants.chosen))


# -------------------------------------------------------------------------------- tampered with


def test_a_resolved_value_that_was_changed_breaks_i1(tmp_path: Path, files: Files) -> None:
    """C closes a link with another value than the one that was chosen."""
    lines = files["C"]
    place = find(lines, lambda line: line["kind"] == "saved" and _sets(line, "v1"))
    lines[place]["decided"][0]["link"]["updates"][0]["command"][1] = "forged"

    assert 'C resolved "forged", and "v1" was chosen' in violated(tmp_path, files)
    assert violated(tmp_path, files).startswith("I1 Agreement")


def _sets(line: Fields, value: str) -> bool:
    return any(json.dumps(value) in json.dumps(decided) for decided in line["decided"])


def test_a_request_whose_value_was_changed_breaks_i2(tmp_path: Path, files: Files) -> None:
    """A asks C to accept something else under the number under which it asked B."""
    lines = files["A"]
    place = find(lines, lambda line: message("Accept")(line) and line["receiver"] == "C")
    lines[place]["message"]["value"] = {"type": "Nothing"}

    assert violated(tmp_path, files).startswith("I2 OneValuePerNumber")


def test_a_promise_that_was_lowered_breaks_i3(tmp_path: Path, files: Files) -> None:
    """B's disk goes back from a promise, as if it had forgotten it."""
    lines = files["B"]
    place = find(
        lines,
        lambda line: line["kind"] == "saved" and line["promised"] != "0." and line["instance"] > 0,
    )
    lower = {**lines[place], "promised": "0.", "accepted": "0.", "value": None, "decided": []}
    lines.insert(place + 1, lower)

    said = violated(tmp_path, files)

    assert said.startswith("I3 PromiseKept")
    assert "B had promised" in said
    assert "no promise on its disk now" in said


def test_a_request_before_its_promises_breaks_i4(tmp_path: Path, files: Files) -> None:
    """The Accept stands where the Prepare left: nobody else can have promised yet."""
    lines = files["C"]
    accept = find(lines, message("Accept", proposal_id="2.C"))
    link = lines[accept]["instance"]
    prepare = find(lines, lambda line: message("Prepare")(line) and line["instance"] == link)
    moved = lines.pop(accept)
    lines.insert(prepare, {**moved, "time": lines[prepare]["time"]})

    said = violated(tmp_path, files)

    assert said.startswith(f"I4 ValueIsSafe at link {link}")
    assert "which only C promised: A and B may accept something lower" in said


def test_an_acceptance_above_the_promise_breaks_i5(tmp_path: Path, files: Files) -> None:
    """What no correct acceptor can have on its disk."""
    lines = files["B"]
    place = find(lines, lambda line: line["kind"] == "saved" and line["accepted"] != "0.")
    lines[place]["accepted"] = "7.B"

    assert violated(tmp_path, files).startswith("I5 AcceptedWithinPromise")


def test_servers_with_other_members_break_i6(tmp_path: Path, files: Files) -> None:
    """A server that was configured for a cluster of its own needs nobody."""
    for line in files["C"]:
        if line["kind"] == "trace":
            line["servers"] = ["C"]

    said = violated(tmp_path, files)

    assert said.startswith("I6 QuorumsIntersect: ")
    assert "the acceptances of C for one: no server is in both" in said


def test_a_link_that_nobody_accepted_breaks_i7(tmp_path: Path, files: Files) -> None:
    """C closes one link more than there are."""
    lines = files["C"]
    place = [n for n, line in enumerate(lines) if line["kind"] == "saved"][-1]
    number = max(line["instance"] for uid in "ABC" for line in files[uid] if "instance" in line) + 1
    lines[place]["decided"] = [
        *lines[place]["decided"],
        {"type": "DecidedLink", "number": number, "link": {"type": "Nothing"}},
    ]
    lines[place].update(instance=number + 1, promised="0.", accepted="0.", value=None)

    said = violated(tmp_path, files)

    assert said.startswith(f"I7 ResolvedMeansChosen at link {number}")
    assert "nobody has accepted anything there" in said


def test_a_vote_before_its_save_breaks_i8(tmp_path: Path, files: Files) -> None:
    """B tells of its acceptance, and only then writes it down."""
    lines = files["B"]
    accepted = find(lines, message("Accepted"))
    saved = max(n for n in range(accepted) if lines[n]["kind"] == "saved")
    moved = lines.pop(accepted)
    lines.insert(saved, {**moved, "time": lines[saved]["time"]})

    said = violated(tmp_path, files)

    assert said.startswith("I8 SavedBeforeSent")
    assert "B sends Accepted" in said


def test_a_link_applied_twice_breaks_i9(tmp_path: Path, files: Files) -> None:
    """C's second save closes once more what the first has closed."""
    lines = files["C"]
    places = [n for n, line in enumerate(lines) if line["kind"] == "saved" and line["decided"]]
    lines[places[3]]["decided"].insert(0, lines[places[2]]["decided"][0])

    assert violated(tmp_path, files).startswith("I9 AppliedOnce")


def test_a_catch_up_with_another_value_breaks_i9(tmp_path: Path, files: Files) -> None:
    """What B took over after its restart is not what the links amount to."""
    lines = files["B"]
    place = find(lines, lambda line: line["kind"] == "caught up")
    lines[place]["value"] = "forged"

    assert 'B caught up with "forged"; the links so far' in violated(tmp_path, files)


def test_overlapping_leases_break_i10(tmp_path: Path, files: Files) -> None:
    """C trusts a lease while A trusts its own."""
    lease = next(line for line in files["A"] if line["kind"] == "lease began")
    lines = files["C"]
    place = find(lines, lambda line: line["time"] > lease["time"] + 0.1)
    lines.insert(place, {**lease, "server": "C", "time": lease["time"] + 0.1})

    said = violated(tmp_path, files)

    assert said.startswith("I10 OneReader")
    assert "A and C each trust a lease at one instant" in said


def test_a_stale_read_breaks_i11(tmp_path: Path, files: Files) -> None:
    """A read tells the value and the link of an earlier one: the chain held it once."""
    returns = [
        line for line in files["A"] if line["kind"] == "returned" and line["operation"] == "get"
    ]
    returns[2].update(result=returns[0]["result"], link=returns[0]["link"])

    said = violated(tmp_path, files)

    assert said.startswith("I11 Linearizable")
    assert 'reader/3 GET -> "v0"' in said
    assert "is stale" in said


# ---------------------------------------------------------------------------------- a dictionary


class Ledger(Dictionary):
    """A machine of somebody's own."""

    kind = "ledger"


COMMANDS = (
    ("MSET", "a", "1", "b", "x"),
    ("INCR", "a"),
    ("CAS", "b", "x", "y"),
    ("CAS", "b", "x", "z"),
    ("MGET", "a", "b", "c"),
    ("KEYS", "*"),
    ("SET", "b", "w", "GET"),
)


def returned(files: Files, operation: str) -> Fields:
    """Return the line that tells how an *operation* ended."""
    return next(
        line
        for lines in files.values()
        for line in lines
        if line["kind"] == "returned" and line["operation"] == operation
    )


@pytest.mark.parametrize("about", [{}, {"state": "dictionary"}])
def test_a_dictionary_that_did_nothing_wrong_conforms(tmp_path: Path, about: Fields) -> None:
    """Its kind is told by the headers, or else by the chain's first link."""
    files = split(counted(Dictionary(), *COMMANDS).trace.events, about=about)

    verdict = verdict_on(tmp_path, files)

    assert verdict.violation is None, verdict.violation
    assert list(verdict.not_judged) == ["I12 Progress"]
    assert (verdict.machine.kind, verdict.calls) == ("dictionary", len(COMMANDS))
    told = {o.command[0]: o.result for o in verdict.history if o.command[0] != "CAS"}
    assert told["MGET"] == ("2", "y", None)
    assert told["SET"] == "y"


def test_another_result_than_the_links_give_breaks_i9(tmp_path: Path) -> None:
    """Of a write: whoever asks again would be told something else."""
    files = split(counted(Dictionary(), *COMMANDS).trace.events)
    returned(files, "incr")["result"] = 3

    assert "answers ann/2 with 3; by the links so far it comes to 2" in violated(tmp_path, files)


def test_a_catch_up_of_a_dictionary_is_compared_key_by_key(tmp_path: Path) -> None:
    """What C took over after its restart differs in one key, and that is told."""
    files = split(counted(Dictionary(), *COMMANDS).trace.events)
    place = find(files["C"], lambda line: line["kind"] == "caught up")
    files["C"][place]["value"]["a"] = "7"

    assert 'C caught up with a "7"; the links so far amount to a "2"' in violated(tmp_path, files)


def test_a_machine_of_ones_own_is_named(tmp_path: Path) -> None:
    """No module is imported because a trace names it: whoever judges names the class."""
    files = split(counted(Ledger(), *COMMANDS).trace.events, about={"state": "ledger"})
    paths = write(tmp_path, files)

    code, output = run(*paths)
    assert (code, "of the kind 'ledger', which is not built in" in output) == (2, True)
    code, output = run("--state", "dictionary", *paths)
    assert (code, "traces of a ledger, and not of a dictionary" in output) == (2, True)
    assert judge(paths, machine=Ledger()).violation is None
    assert run("--state", f"{__name__}:Ledger", *paths)[0] == 0


def test_of_a_dictionary_whose_beginning_is_unknown_no_history_is_judged(tmp_path: Path) -> None:
    """A register's older values can be guessed from the reads; not so a dictionary's."""
    events = counted(Dictionary(), *COMMANDS).trace.events
    files = split(events, about={"state": "dictionary"})

    verdict = verdict_on(tmp_path, begun_later(files, share=0.5))

    assert verdict.violation is None, verdict.violation
    assert "I11 Linearizable" in verdict.not_judged


# --------------------------------------------------------------------------- what is not known


def test_of_several_machines_only_causes_are_compared(tmp_path: Path, files: Files) -> None:
    """Whatever their clocks show: I10 and I11 are not judged, all else is."""
    for number, lines in enumerate(files.values()):
        for line in lines:
            line["time"] = round(line["time"] + 1000.0 * (-1) ** number * number, 6)
            if line["kind"] == "trace":
                line["clock"] = f"boot-{number}"

    verdict = verdict_on(tmp_path, files)

    assert verdict.violation is None, verdict.violation
    assert list(verdict.not_judged) == ["I12 Progress", "I10 OneReader", "I11 Linearizable"]
    assert verdict.links == len(worked().invariants.chosen)
    assert "3 clocks" in verdict.remarks[0]
    assert list(check_trace(verdict.merged)) == verdict.merged


def test_a_missing_server_is_told_and_believed(tmp_path: Path, files: Files) -> None:
    """What it voted cannot be seen; what is broken without it is broken all the same."""
    del files["B"]
    assert "There is no trace of B" in verdict_on(tmp_path, files).remarks[0]
    assert verdict_on(tmp_path, files).violation is None

    lines = files["C"]
    place = find(lines, lambda line: line["kind"] == "saved" and line["accepted"] != "0.")
    lines[place]["accepted"] = "7.B"
    assert violated(tmp_path, files).startswith("I5")


def begun_later(files: Files, *, share: float) -> Files:
    """Return what servers would have traced that began to do so after a *share* of the time."""
    begin = share * max(line["time"] for lines in files.values() for line in lines)
    cut = {
        uid: [lines[0], *(line for line in lines[1:] if line["time"] >= begin)]
        for uid, lines in files.items()
    }
    for lines in cut.values():
        lines[0]["time"] = begin
        lines.insert(1, {"time": begin, "server": lines[0]["server"], "kind": "started"})
        lines[1]["memory"] = True
    return cut


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_traces_that_begin_later_are_judged_from_there(
    tmp_path: Path, files: Files, share: float
) -> None:
    """Servers that were told to trace in the midst of their work."""
    verdict = verdict_on(tmp_path, begun_later(files, share=share))

    assert verdict.violation is None, verdict.violation
    assert any("The traces begin at link" in remark for remark in verdict.remarks)


def test_a_save_that_was_not_traced_before_a_kill_is_allowed_for(
    tmp_path: Path, files: Files
) -> None:
    """B was killed right after its save: the trace lacks it, and nobody was told."""
    lines = files["B"]
    restart = [n for n, line in enumerate(lines) if line["kind"] == "trace"][1]
    saves = [n for n in range(restart) if lines[n]["kind"] == "saved"]
    files["B"] = lines[: saves[-1]] + lines[restart:]

    verdict = verdict_on(tmp_path, files)

    assert verdict.violation is None, verdict.violation


# -------------------------------------------------------------------------------- the command


def run(*arguments: str | Path) -> tuple[int, str]:
    """Run ``multipaxos conform``; return its exit code and all it printed."""
    result = CliRunner().invoke(main, ["conform", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_prints_a_table(tmp_path: Path, files: Files) -> None:
    """One line an invariant, within 80 columns."""
    code, output = run(*write(tmp_path, files))

    lines = output.splitlines()
    assert code == 0
    assert lines[0].startswith("3 traces of A, B and C: ")
    assert sum(" holds " in line for line in lines) == 11
    assert "I12 Progress              not judged" in output
    assert max(map(len, lines)) <= 80


def test_the_command_tells_what_is_broken_and_where(tmp_path: Path, files: Files) -> None:
    """Exit code 1; the name, the explanation, and the lines of the files."""
    place = find(files["B"], lambda line: line["kind"] == "saved" and line["accepted"] != "0.")
    files["B"][place]["accepted"] = "7.B"

    code, output = run(*write(tmp_path, files))

    assert code == 1
    assert "I5 AcceptedWithinPromise  broken" in output
    assert f"B.ndjson:{place + 1}: B saved link" in output.replace("\n", "")


def test_the_command_writes_histories_and_the_merged_trace(tmp_path: Path, files: Files) -> None:
    """For other checkers and viewers."""
    paths = write(tmp_path, files)
    merged, edn, porcupine = (tmp_path / name for name in ("m.ndjson", "h.edn", "h.txt"))

    code, _ = run(*paths, "--merge", merged, "--edn", edn, "--porcupine", porcupine)

    assert code == 0
    events = [parse_line(line) for line in merged.read_text(encoding="ascii").splitlines()]
    assert any(event.kind == "chosen" for event in events)
    assert edn.read_text(encoding="ascii").count(":type :ok") == 9
    assert porcupine.read_text(encoding="ascii").count(":type :ok") == 9


@pytest.mark.parametrize("option", ["--merge", "--edn", "--porcupine"])
def test_a_trace_is_never_overwritten(tmp_path: Path, files: Files, option: str) -> None:
    """Nor is one file written twice: exit code 2, and all is as it was."""
    paths = write(tmp_path, files)
    before = paths[0].read_text(encoding="ascii")

    code, output = run(*paths, option, tmp_path / "." / paths[0].name)
    twice, _ = run(*paths, "--merge", tmp_path / "new", "--edn", tmp_path / "new")

    assert code == twice == 2
    assert f"{option} would overwrite" in output
    assert paths[0].read_text(encoding="ascii") == before
    assert not (tmp_path / "new").exists()


def test_a_cut_last_line_is_left_out_and_told(tmp_path: Path, files: Files) -> None:
    """A killed process leaves half a line."""
    paths = write(tmp_path, files)
    with paths[1].open("a", encoding="ascii") as file:
        file.write('{"time": 99.0, "ser')

    code, output = run(*paths)

    assert code == 0
    assert "is cut off, as a killed process" in " ".join(output.split())


BAD_INPUT = {
    "no such file": (lambda _paths: None, "cannot be read: No such file or directory"),
    "cut in the middle": (
        lambda paths: _spoil(paths[0], '{"time": 1'),
        "line 4: not a trace event",
    ),
    "empty": (lambda paths: paths[0].write_text(""), "is empty"),
    "another version": (
        lambda paths: _edit(paths[0], '"version": 3', '"version": 9'),
        "line 1: it is a trace of version 9; this program reads version 3",
    ),
    "two clusters": (
        lambda paths: _edit(paths[0], '"cluster": "test"', '"cluster": "other"'),
        "are of two clusters: 'other' (server) and 'test' (server)",
    ),
    "an exploration": (
        lambda paths: _edit(paths[0], '"engine": "server"', '"engine": "exploration"'),
        "is the trace of an exploration",
    ),
    "no header": (lambda paths: _spoil(paths[0], "", place=0), "line 1: "),
    "another chain": (
        lambda paths: _edit(paths[0], '"chain": "', '"chain": "x'),
        "The traces tell of more than one chain",
    ),
    "a stranger": (
        lambda paths: _edit_all(paths, '"servers": ["A", "B", "C"]', '"servers": ["B", "C"]'),
        "tells of server A, which is not in the cluster",
    ),
}


def _spoil(path: Path, line: str, *, place: int = 3) -> None:
    lines = path.read_text(encoding="ascii").splitlines()
    lines[place] = line
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def _edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="ascii").replace(old, new), encoding="ascii")


def _edit_all(paths: list[Path], old: str, new: str) -> None:
    for path in paths:
        _edit(path, old, new)


@pytest.mark.parametrize("spoil,said", BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_cannot_be_judged_gets_a_sentence(
    tmp_path: Path, files: Files, spoil: Any, said: str
) -> None:
    """Exit code 2, and no traceback."""
    paths = write(tmp_path, files)
    spoil(paths)
    if said.startswith("cannot be read"):
        paths[0].unlink()

    code, output = run(*paths)

    assert code == 2
    assert said in output
    assert "Traceback" not in output


def test_the_same_server_twice_is_refused(tmp_path: Path, files: Files) -> None:
    """Whether it is the same file or a copy of it."""
    paths = write(tmp_path, files)
    double = tmp_path / "double.ndjson"
    double.write_bytes(paths[0].read_bytes())

    assert run(*paths, paths[0])[0] == 2
    code, output = run(*paths, double)
    assert (code, "are both traces of server A" in output) == (2, True)


def test_a_trace_that_ends_with_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """What stands last is taken as complete only at the end: that is checked, too."""
    events = worked().trace.events
    last = max(place for place, event in enumerate(events) if event.kind == "saved")
    path = tmp_path / "cut.ndjson"
    write_trace(path, events[: last + 1])
    lines = path.read_text(encoding="ascii").splitlines()
    saved: Fields = {**json.loads(lines[-1]), "accepted": "1.A", "promised": "1.A", "value": "?"}
    path.write_text("\n".join([*lines[:-1], json.dumps(saved)]) + "\n", encoding="ascii")

    code, output = run(path)

    assert code == 2
    assert f"cut.ndjson:{len(lines)}: this cannot have happened: '?' is no" in output
