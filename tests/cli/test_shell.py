"""The shell: how lines are cut into words, how results look, and what a pipe of commands does."""

import doctest
import json
from types import ModuleType

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from tests.cli.fake import LoopbackCluster
from tests.client.cluster import HANG

from multipaxos.chain.state_machine import Failure
from multipaxos.cli import main, results, shell_words, usages
from multipaxos.cli.results import in_quotes, result_lines
from multipaxos.cli.shell_prompt import NameCompleter
from multipaxos.cli.shell_words import QuotingError, words_of
from multipaxos.cli.usages import still_to_type, usage_hint

SET = "SET key value [NX | XX] [GET]"
NOT_CLOSED = (
    "A quote ' is opened and not closed. To have it in a word, put the word in double quotes."
)


@pytest.mark.parametrize("module", [results, shell_words, usages])
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    """Every example is run as it stands."""
    assert doctest.testmod(module).failed == 0


# -- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, words",
    [
        ("", []),
        ("  get \t k \n", ["get", "k"]),
        ("set k ''", ["set", "k", ""]),
        (r"keys h\*llo", ["keys", r"h\*llo"]),
        (r"""'a "b" \n' "a 'b' \n" """, [r'a "b" \n', "a 'b' \n"]),
        ("""a" b"'c d'e""", ["a bc de"]),
        (r'"\x1b\u20ac\U0001f600\\\"\t\r"', ['\x1b\u20ac\U0001f600\\"\t\r']),
        ("a\u00a0b", ["a\u00a0b"]),
    ],
)
def test_a_line_is_cut_into_words(line: str, words: list[str]) -> None:
    """Blanks separate words; quotes keep them together."""
    assert words_of(line) == words


@pytest.mark.parametrize(
    "line, sentence",
    [
        (
            "set k it's",
            NOT_CLOSED,
        ),
        (
            'set k 12"',
            'A quote " is opened and not closed. To have it in a word, put the word in s',
        ),
        (r'set k "\"', 'A quote " is opened and not closed'),
        (r'set k "C:\dir"', r"In double quotes \d stands for nothing: write \\ for a backslash."),
        (r'set k "\x1"', r"\x stands for nothing"),
        (r'set k "\U00110000"', r"\U00110000 stands for nothing"),
    ],
)
def test_what_is_no_word_is_refused(line: str, sentence: str) -> None:
    """The sentence says what to write instead."""
    with pytest.raises(QuotingError) as refused:
        words_of(line)

    assert sentence in str(refused.value)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_what_is_shown_can_be_typed(texts: list[str]) -> None:
    """Every text in quotes, as a result is shown, is one word, and reads as itself."""
    shown = " ".join(map(in_quotes, texts))

    assert words_of(shown) == texts
    assert shown.isprintable()


# -- results ---------------------------------------------------------------------------------------


def test_each_result_has_a_form_of_its_own() -> None:
    """A number and the text of it, an empty text and none, done and not: none looks as another."""
    lines = [result_lines(each) for each in (True, False, None, 3, "3", "", (), Failure("ERR no"))]

    assert [line for (line,) in lines] == [
        "OK",
        "(not done)",
        "(nil)",
        "(integer) 3",
        '"3"',
        '""',
        "(empty list)",
        "(error) ERR no",
    ]


def test_numbers_of_a_list_stand_below_each_other() -> None:
    """A long list, and lists in it, stay readable."""
    assert result_lines((*"abcdefghi", ("x", "y")))[8:] == [
        ' 9) "i"',
        '10) 1) "x"',
        '    2) "y"',
    ]


def test_hints_name_what_is_wrong() -> None:
    """How a command is written is told where that helps, and only there."""
    known = {"SET": SET}

    assert usage_hint("SET", "Syntax error.", known) == f" It is written: {SET}"
    assert usage_hint("SET", "Value is not an integer.", known) == ""
    assert usage_hint("FLY", "Unknown command 'FLY'.", known) == " There are: SET."
    assert usage_hint("FLY", "Unknown command 'FLY'.", {}) == ""


@pytest.mark.parametrize(
    "words, rest",
    [
        (["set"], "key value [NX | XX] [GET]"),
        (["set", "k", "v"], "[NX | XX] [GET]"),
        (["set", "k", "v", "NX"], "[NX | XX] [GET]"),
    ],
)
def test_what_is_still_to_type_is_known(words: list[str], rest: str) -> None:
    """What must come is taken away as it is typed; what may come stays."""
    assert still_to_type(SET, words) == rest
    assert still_to_type("GET", ["get"]) == ""


@pytest.mark.parametrize(
    "typed, names",
    [
        ("", ["SET", "status", "help"]),
        ("s", ["SET", "status"]),
        ("ST", ["status"]),
        ("help s", ["SET", "status"]),
        ("set s", []),
        ("help set s", []),
    ],
)
def test_names_are_completed(typed: str, names: list[str]) -> None:
    """The first word is a name, in any case, and so is that behind help; nothing else is."""
    completer = NameCompleter({"SET": SET, "status": "status", "help": "help [command]"})

    found = list(completer.get_completions(Document(typed), CompleteEvent()))

    assert [each.text for each in found] == names
    assert all(each.display_meta_text for each in found)


# -- a pipe ----------------------------------------------------------------------------------------


def run(cluster: LoopbackCluster, lines: str | bytes, *options: str) -> Result:
    """Pipe *lines* into the shell."""
    path = str(cluster.config_path)
    return CliRunner().invoke(main, ["shell", "--config", path, *options], input=lines)


def test_a_pipe_has_no_prompt(dictionary: LoopbackCluster) -> None:
    """Each line is a command, and its result says in which link it is."""
    result = run(dictionary, 'set k "two words"\n\nget k\nMGET k no\nhelp get\nquit\nget k\n')

    assert result.stdout == (
        'OK  link 1\n"two words"  link 2\n1) "two words"\n2) (nil)\nlink 3\nGET key\n'
    )
    assert result.stderr == ""
    assert result.exit_code == 0


def test_a_failure_is_told_with_its_line_and_the_rest_is_done(dictionary: LoopbackCluster) -> None:
    """The exit code is that of the first one that failed."""
    lines = b"cas k a b\nfly\nset k 'v\nincr\nhelp fly\nstatus now\nset k \xff\nset k v\n"

    result = run(dictionary, lines)

    assert result.stdout == "(not done)  link 1\nOK  link 2\n"
    assert result.stderr.splitlines() == [
        "line 2: Unknown command 'FLY'. \"help\" lists those there are.",
        f"line 3: {NOT_CLOSED}",
        "line 4: Wrong number of arguments for 'incr' command. It is written: INCR key",
        'line 5: There is no command "fly". "help" lists those there are.',
        "line 6: It is written: status",
        "line 7: The value is not UTF-8 text.",
    ]
    assert result.exit_code == 3


def test_where_nobody_knows_the_rest_is_left(register: LoopbackCluster) -> None:
    """What comes next may rely on it, and would wait as long."""
    for server in register.by_uid.values():
        server.plans.extend([HANG] * 200)

    result = run(register, "set a\nset b\n", "--timeout", "0.3")

    assert result.stderr.startswith("line 1: outcome unknown")
    assert result.stderr.count("\n") == 1
    assert result.exit_code == 1


def test_a_pipe_for_programs_gives_json(dictionary: LoopbackCluster) -> None:
    """An object a line, for results and for errors."""
    result = run(dictionary, "mset a 1 b 2\nmget a b c\nfly\n", "--json")

    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"link": 1, "result": True},
        {"link": 2, "result": ["1", "2", None]},
    ]
    (error,) = map(json.loads, result.stderr.splitlines())
    assert (error["error"], error["line"]) == ("command", 3)
    assert result.exit_code == 2


def test_help_names_all_commands(register: LoopbackCluster) -> None:
    """Those of the state machine, as the servers say it, and the shell's own."""
    assert run(register, "help\n").stdout.splitlines() == [
        "SET value",
        "GET",
        "CAS [expected] new",
        "help [command]",
        "quit",
        "status",
        "watch [key]",
    ]
    assert "A register has no keys" in run(register, "watch k\n").stderr
