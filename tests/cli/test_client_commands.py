"""The commands for clients: what they ask, what they print, and how they end."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.cli.fake import LoopbackCluster
from tests.client.cluster import DROP, HANG, LOSE

from multipaxos.cli import main
from multipaxos.cli.failures import failure_of
from multipaxos.cli.processes import wait_until
from multipaxos.client import AuthenticationError
from multipaxos.runtime.client_port import resp

WAIT_SECONDS_MAX = 15.0
SHORT = ("--timeout", "0.3")


def run(cluster: LoopbackCluster, *arguments: str) -> Result:
    """Run a command on *cluster*; its options go before what the test gives it."""
    name, *rest = arguments
    return CliRunner().invoke(main, [name, "--config", str(cluster.config_path), *rest])


def check(cluster: LoopbackCluster, arguments: Sequence[str], printed: str, code: int = 0) -> None:
    """Run a command and compare what it prints, errors after all else."""
    result = run(cluster, *arguments)
    assert result.stdout + result.stderr == printed
    assert result.exit_code == code


# -- what they do ----------------------------------------------------------------------------------


def test_a_register_is_set_read_and_compared(register: LoopbackCluster) -> None:
    """Without a key the commands are about the one value that there is."""
    check(register, ["get"], "no value was set yet\n")
    check(register, ["cas", "--absent", "first"], "done: link 2\n")
    check(register, ["cas", "--absent", "second"], "not done: it is there, as of link 3\n", 3)
    check(register, ["cas", "first", "tab\there"], "done: link 4\n")
    check(register, ["get"], "tab\\there\n")
    check(register, ["cas", "x", "y"], "not done: it is not as expected, as of link 6\n", 3)
    check(register, ["set", "--", "-5"], "done: link 7\n")
    check(register, ["get"], "-5\n")


def test_a_dictionary_is_set_read_and_compared(dictionary: LoopbackCluster) -> None:
    """With a key they are about that key."""
    check(dictionary, ["get", "k"], 'there is no "k"\n')
    check(dictionary, ["set", "k", "v", "--xx"], "not done: it is not there, as of link 2\n", 3)
    check(dictionary, ["set", "k", "v", "--nx"], "done: link 3\n")
    check(dictionary, ["set", "k", "v", "--nx"], "not done: it is there already, as of link 4\n", 3)
    check(dictionary, ["set", "k", "w", "--xx"], "done: link 5\n")
    check(dictionary, ["cas", "k", "w", "x"], "done: link 6\n")
    check(dictionary, ["cas", "--absent", "k", "x"], "not done: it is there, as of link 7\n", 3)
    check(dictionary, ["get", "k"], "x\n")
    check(dictionary, ["delete", "k", "l", "k"], "deleted 1 of 2 keys: link 9\n")
    check(dictionary, ["delete", "k"], "deleted 0 of 1 key: link 10\n")


def test_any_command_is_executed(dictionary: LoopbackCluster) -> None:
    """What has no command of its own is executed by its name, in any case, and shown readably."""
    check(dictionary, ["execute", "incr", "n"], "(integer) 1\n")
    check(dictionary, ["execute", "--", "INCRBY", "n", "-3"], "(integer) -2\n")
    check(dictionary, ["execute", "mget", "n", "no"], '1) "-2"\n2) (nil)\n')
    check(
        dictionary,
        ["execute", "CAS", "n", "x", "y"],
        "not done: its condition did not hold, as of link 4\n",
        3,
    )
    check(dictionary, ["execute", "SET", "n", "many"], "OK\n")
    check(dictionary, ["execute", "INCR", "n"], "Value is not an integer or out of range.\n", 2)
    check(
        dictionary,
        ["execute", "incr"],
        "Wrong number of arguments for 'incr' command. It is written: INCR key\n",
        2,
    )


def test_an_unknown_command_is_told_which_there_are(register: LoopbackCluster) -> None:
    """The servers are asked: it may be a state machine of one's own."""
    check(register, ["execute", "fly"], "Unknown command 'FLY'. There are: SET, GET, CAS.\n", 2)


def test_programs_get_json(dictionary: LoopbackCluster) -> None:
    """With --json each result is one object on one line, whatever the exit code says."""
    check(dictionary, ["set", "--json", "k", "v"], '{"link": 1, "key": "k", "result": true}\n')
    check(
        dictionary,
        ["set", "--json", "--nx", "k", "v"],
        '{"link": 2, "key": "k", "result": false}\n',
        3,
    )
    check(dictionary, ["get", "--json", "k"], '{"link": 3, "key": "k", "value": "v"}\n')
    check(dictionary, ["get", "--json", "no"], '{"link": 4, "key": "no", "value": null}\n')
    check(dictionary, ["delete", "--json", "k"], '{"link": 5, "keys": ["k"], "result": 1}\n')
    check(
        dictionary, ["execute", "--json", "MGET", "a", "b"], '{"link": 6, "result": [null, null]}\n'
    )


def test_a_stale_read_says_that_it_is_one(register: LoopbackCluster) -> None:
    """It needs no chain; whose it is, and as of which link, is said beside the value."""
    register.someone_does("SET", "old")
    register.by_uid["B"].cut_off_at = 2
    register.someone_does("SET", "new")

    stale = run(register, "get", "--stale", "--via", "B")
    assert stale.stdout == "old\n"
    assert stale.stderr == (
        "stale: what server B has, as of link 1; there may be something newer\n"
    )
    assert json.loads(run(register, "get", "--stale", "--json").stdout) == {
        "link": 2,
        "key": None,
        "value": "new",
        "stale": True,
        "server": "A",
    }
    assert len(register.links) == 3


# -- keys that there are not -----------------------------------------------------------------------


def test_a_key_of_a_register_is_explained(register: LoopbackCluster) -> None:
    """``get C`` asked server C once: the sentence says how that is written now."""
    check(
        register,
        ["get", "C"],
        'A register has no keys, so it has no "C": leave that out. To ask server C, use --via C.\n',
        2,
    )
    for arguments in (["get", "k"], ["get", "k", "--stale"], ["set", "k", "v"], ["delete", "k"]):
        check(register, arguments, 'A register has no keys, so it has no "k": leave that out.\n', 2)
    watched = run(register, "watch", "k")
    assert watched.stderr == 'A register has no keys, so it has no "k": leave that out.\n'
    assert watched.exit_code == 2


@pytest.mark.parametrize(
    "arguments", [["get"], ["set", "v"], ["cas", "a", "b"], ["get", "--stale"]]
)
def test_a_dictionary_wants_a_key(dictionary: LoopbackCluster, arguments: list[str]) -> None:
    """Without a key nothing is asked for that a dictionary has."""
    sentence = "A dictionary keeps a value for each key: say which key, before all else.\n"
    check(dictionary, arguments, sentence, 2)


# -- whom they ask ---------------------------------------------------------------------------------


def test_a_value_alone_does_not_set_a_dictionary(dictionary: LoopbackCluster) -> None:
    """The command of the ancestor is for the register; it says what to use instead."""
    result = run(dictionary, "client", "A", "v")

    assert result.stderr.startswith("refused: wrong number of arguments for 'set' command. What")
    assert 'use "multipaxos set KEY VALUE"' in result.stderr
    assert result.exit_code == 1


def test_the_servers_are_asked_in_the_order_given(register: LoopbackCluster) -> None:
    """--via names servers of the configuration; one that is dead leaves the request to the next."""
    register.kill(register.by_uid["C"].endpoint)

    check(register, ["set", "v", "--via", "C,B"], "done: link 1\n")

    assert register.asked("B", "MULTIPAXOS", "HELLO", "main", "B")
    assert not register.by_uid["A"].asked


def test_an_address_means_whoever_is_there(register: LoopbackCluster) -> None:
    """Who is named by an address is not held against the configuration."""
    host, port = register.by_uid["B"].endpoint

    check(register, ["set", "v", "--via", f"{host}:{port}"], "done: link 1\n")

    assert ["MULTIPAXOS", "HELLO"] in register.by_uid["B"].asked


def test_servers_of_another_cluster_get_no_request(register: LoopbackCluster) -> None:
    """A configuration of another cluster is a mistake: exit code 2, at once."""
    for uid, server in register.by_uid.items():
        server.greeting = resp.error(f"OTHER server {uid} of cluster other")

    result = run(register, "set", "v", "--timeout", "3600")

    assert result.exit_code == 2
    assert "is server A of cluster other, the configuration says A of cluster main" in result.stderr
    assert "Nothing was done." in result.stderr
    assert len(register.links) == 1


def test_what_a_server_asks_keeps_its_question_mark() -> None:
    """As the one that needs no password does, in the words of Redis."""
    told = failure_of(AuthenticationError("are you sure?"), is_read=True).format_message()

    assert told.startswith("Are you sure? Nothing was done.")


def test_the_password_comes_from_a_file(register: LoopbackCluster, tmp_path: Path) -> None:
    """A file that is named goes before the one of the configuration; without any, that is said."""
    for server in register.by_uid.values():
        server.password = "secret"
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("secret\n")
    wrong.write_text("guess\n")
    for path in (right, wrong):
        path.chmod(0o600)

    check(register, ["set", "v", "--password-file", str(right)], "done: link 1\n")
    for options in (["--password-file", str(wrong)], []):
        result = run(register, "get", *options)
        assert result.exit_code == 2
        assert "password" in result.stderr
        assert "--password-file, or by client_password_file" in result.stderr

    text = register.config_path.read_text()
    register.config_path.write_text('client_password_file = "right"\n' + text)
    check(register, ["get"], "v\n")
    register.config_path.write_text('client_password_file = "missing"\n' + text)
    check(register, ["get", "--password-file", str(right)], "v\n")
    assert run(register, "get").exit_code == 2


# -- what is not known -----------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [HANG, DROP, LOSE, resp.error("UNKNOWN the server stops")])
def test_a_write_without_an_answer_is_unknown(register: LoopbackCluster, plan: bytes) -> None:
    """Neither success nor failure is claimed, and the sentence says what to do."""
    for server in register.by_uid.values():
        server.plans.extend([plan] * 200)

    result = run(register, "set", "v", *SHORT)

    assert result.stderr.startswith("outcome unknown: it may have been done, may be done later, or")
    assert result.stderr.endswith("Read before you try again.\n")
    assert result.exit_code == 1


def test_a_read_without_an_answer_changed_nothing(register: LoopbackCluster) -> None:
    """A read may be tried again."""
    for server in register.by_uid.values():
        server.plans.extend([HANG] * 200)

    result = run(register, "get", *SHORT)

    assert "and nothing was changed" in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["set", "v"], "stopped before the outcome was known: what was to be changed may be"),
        (["execute", "SET", "v"], "stopped before the outcome was known: what was to be changed"),
        (["get"], ""),
    ],
)
def test_ctrl_c_does_not_undo(register: LoopbackCluster, arguments: list[str], said: str) -> None:
    """Whoever stops a write is told that it may be done all the same; a read changed nothing."""
    for server in register.by_uid.values():
        server.plans.extend([HANG] * 200)
    name, *rest = arguments
    with subprocess.Popen(
        [sys.executable, "-m", "multipaxos", name, "--config", str(register.config_path), *rest],
        stderr=subprocess.PIPE,
        text=True,
        # Who is run in the background ignores SIGINT, and so would its child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        is_asked = wait_until(
            lambda: register.asked("A", "MULTIPAXOS", "PROPOSE"), seconds=WAIT_SECONDS_MAX
        )
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)

    assert is_asked
    assert error.strip().startswith(said)
    assert bool(error.strip()) == bool(said)
    assert process.returncode == 130


def test_a_refused_write_was_certainly_not_done(register: LoopbackCluster) -> None:
    """A server that is busy is left for the next; if all are, that is what is told."""
    for server in register.by_uid.values():
        server.plans.extend([resp.error("REFUSED busy: 7 updates wait already")] * 200)

    check(
        register,
        ["set", "v", *SHORT],
        "refused, and certainly not done: busy: 7 updates wait already. Try again.\n",
        1,
    )


def test_errors_are_json_for_programs(register: LoopbackCluster) -> None:
    """What kind of error it is can be told without reading the sentence."""

    def kind(*arguments: str) -> str:
        result = run(register, *arguments, "--json", *SHORT)
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        told = json.loads(line)
        assert told["reason"]
        return str(told["error"])

    assert kind("get", "k") == "command"
    assert kind("set", "a", "b", "c") == "input"
    for server in register.by_uid.values():
        server.plans.extend([HANG] * 200)
    assert kind("set", "v") == "unknown"
    for uid, server in register.by_uid.items():
        server.greeting = resp.error(f"OTHER server {uid} of cluster other")
    assert kind("set", "v") == "other server"
    for server in register.by_uid.values():
        register.kill(server.endpoint)
    assert kind("set", "v") == "unreachable"


# -- to watch --------------------------------------------------------------------------------------


def watch(cluster: LoopbackCluster, *arguments: str, does: Sequence[tuple[str, ...]]) -> Result:
    """Watch, and let somebody do something as soon as the watch has begun."""
    results: list[Result] = []
    asked = cluster.by_uid["A"].asked
    asked.clear()
    thread = threading.Thread(target=lambda: results.append(run(cluster, "watch", *arguments)))
    thread.start()
    assert wait_until(lambda: cluster.asked("A", "MULTIPAXOS", "WATCH"), seconds=WAIT_SECONDS_MAX)
    for command in does:
        cluster.someone_does(*command)
    thread.join(WAIT_SECONDS_MAX)
    assert not thread.is_alive()
    return results[0]


def test_each_new_value_is_printed_once(register: LoopbackCluster) -> None:
    """A line for each change, in order; after the last one that was asked for, it ends."""
    does = [("SET", "a\n"), ("SET", "a\n"), ("SET", "b"), ("SET", "c")]

    result = watch(register, "--count", "2", does=does)

    assert result.stdout == 'link 2  "a\\n"\nlink 4  "b"\n'
    assert result.stderr == "watching all changes, 2 at most\n"
    assert result.exit_code == 0


def test_keys_are_watched(dictionary: LoopbackCluster) -> None:
    """All keys, or one of them; that a key was deleted is a change."""
    does = [("MSET", "k", "1", "other", "2"), ("DEL", "k")]

    all_keys = watch(dictionary, "--count", "3", does=does)
    one = watch(dictionary, "k", "--count", "2", "--json", does=does)

    assert all_keys.stdout == 'link 2  "k" = "1"\nlink 2  "other" = "2"\nlink 3  "k" deleted\n'
    first, second = map(json.loads, one.stdout.splitlines())
    assert first == {"link": 5, "index": 0, "key": "k", "value": "1", "missed": False}
    assert (second["link"], second["value"]) == (6, None)
    assert one.stderr == ""


def test_missed_changes_are_told(register: LoopbackCluster) -> None:
    """If no server has all changes any more, that is said, and what is there now is printed."""
    for server in register.by_uid.values():
        server.lacks_below = 5
    does = [("SET", "1"), ("SET", "2")]

    result = watch(register, "--count", "1", does=does)

    assert "changes were missed: no server has all of those up to link " in result.stderr
    assert result.stdout.startswith("link ")


def test_missed_changes_of_a_dictionary_have_no_value(dictionary: LoopbackCluster) -> None:
    """What a whole dictionary holds now is no value to print: the sentence must do."""
    dictionary.someone_does("SET", "k", "v")
    for server in dictionary.by_uid.values():
        server.lacks_below = 50

    result = watch(dictionary, "--count", "1", does=[("SET", "k", "w")])

    assert "read what you rely on" in result.stderr
    assert result.stdout == ""
    assert result.exit_code == 0
