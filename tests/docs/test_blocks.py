"""Every code block of the documents is executed, or held against what it shows."""

import contextlib
import io
import json
import linecache
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.docs.commands import check_command, check_shell, run_here
from tests.docs.documents import ROOT, Block, all_blocks, blocks_in, documents, rewrite
from tests.docs.picture import picture_of_a_master_s_update, picture_of_an_update

from multipaxos import trace
from multipaxos.composition import compose, describe, strategy_names
from multipaxos.runtime import codec
from multipaxos.runtime.config import load_config

# -------------------------------------------------------------------------- one check for each kind


def check_python(_block: Block, _directory: Path) -> None:
    """Leave it to those who run all Python of a document, and know what was printed before."""


def check_live_python(block: Block, _directory: Path) -> None:
    """Compile it; tests/live runs it, and compares what it prints."""
    compile(block.text, block.place, "exec")


def check_toml(block: Block, directory: Path) -> None:
    """Load it as a configuration."""
    path = directory / "cluster.toml"
    path.write_text(block.text, encoding="utf-8")
    assert load_config(path).servers


def check_datagram(block: Block, _directory: Path) -> None:
    """Decode it, and encode that again: the same fields with the same values."""
    datagram = codec.encode_envelope(codec.decode_envelope(block.text.encode()))
    assert json.loads(datagram) == json.loads(block.text)


def check_link(block: Block, _directory: Path) -> None:
    """Decode it as a link of the chain, and encode that again."""
    assert json.loads(codec.encode_link(codec.decode_link(block.text.encode()))) == json.loads(
        block.text
    )


def check_votes_and_snapshot(block: Block, _directory: Path) -> None:
    """Decode it as a durable state, and encode that again."""
    state = codec.decode_state(block.text.encode())
    assert json.loads(codec.encode_state(state)) == json.loads(block.text)


def check_trace(block: Block, _directory: Path) -> None:
    """Read the lines as a trace."""
    assert list(trace.check_trace(map(trace.parse_line, block.text.splitlines())))


def check_shown(_block: Block, _directory: Path) -> None:
    """Leave it to test_what_is_shown_is_what_the_code_gives, which can rewrite it."""


def check_layers(block: Block, _directory: Path) -> None:
    """Compare the layers with those that import-linter enforces, the highest first."""
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    _, found, rest = pyproject.partition('id = "layers"')
    assert found, "pyproject.toml has no contract of that id"
    enforced = re.findall(r'"([^"]+)"', rest.partition("layers = [")[2].partition("]")[0])
    shown = [line.split("  ")[0] for line in block.text.splitlines()]
    assert shown == [layer.replace("multipaxos.", "") for layer in enforced]


def check_scenario(block: Block, _directory: Path) -> None:
    """Find it, word for word, in a golden scenario file."""
    scenarios = (ROOT / "src/multipaxos/scenarios").glob("*.txt")
    assert any(block.text in path.read_text(encoding="utf-8") for path in scenarios)


def check_live(block: Block, _directory: Path) -> None:
    """Hold each command against the command line's definition; tests/live runs them."""
    check_command_lines(block)


def check_here(block: Block, _directory: Path) -> None:
    """Hold each command against the command line's definition; another test runs them."""
    check_command_lines(block)


def check_elsewhere(block: Block, _directory: Path) -> None:
    """Hold what is typed into a shell against what the checkout offers."""
    for line in block.text.splitlines():
        check_shell(line.removeprefix("$ "))


def check_command_lines(block: Block) -> None:
    """Hold each command against the command line's definition."""
    commands = [line for line in block.text.splitlines() if line.startswith("$ ")]
    assert commands, "a console block has lines that begin with $"
    for line in commands:
        check_command(line.removeprefix("$ "))


CHECKS: dict[str, Callable[[Block, Path], None]] = {
    "python": check_python,
    "text output": check_python,
    "python live": check_live_python,
    "text output live": check_python,
    "python embedded": check_live_python,
    "text output embedded": check_python,
    "toml": check_toml,
    "json datagram": check_datagram,
    "json link": check_link,
    "json state": check_votes_and_snapshot,
    "json trace": check_trace,
    "text picture": check_shown,
    "text picture of a master": check_shown,
    "text stack": check_shown,
    "text layers": check_layers,
    "text scenario": check_scenario,
    "console": check_here,
    "console live": check_live,
    "console shell": check_elsewhere,
}
"""Whatever is not in here must not be in a document."""


@pytest.mark.parametrize("block", [pytest.param(block, id=block.place) for block in all_blocks()])
def test_a_block_shows_what_is_so(block: Block, tmp_path: Path) -> None:
    """Nothing in the documents is only claimed: each kind of block has its check."""
    assert block.kind in CHECKS, f"{block.place}: no test knows blocks of the kind {block.kind!r}"

    CHECKS[block.kind](block, tmp_path)


def stack_of_a_master() -> str:
    """Return the strategies of a server that seeks mastership, as it prints them."""
    return describe(compose(strategy_names(master=True))) + "\n"


GIVEN = {
    "text picture": picture_of_an_update,
    "text picture of a master": picture_of_a_master_s_update,
    "text stack": stack_of_a_master,
}


@pytest.mark.parametrize(
    "block",
    [pytest.param(block, id=block.place) for block in all_blocks() if block.kind in GIVEN],
)
def test_what_is_shown_is_what_the_code_gives(block: Block, request: pytest.FixtureRequest) -> None:
    """A picture of a run is drawn again, a stack of strategies printed again."""
    expect(block, GIVEN[block.kind](), request)


@pytest.mark.parametrize(
    "block",
    [pytest.param(block, id=block.place) for block in all_blocks() if block.kind == "console"],
)
def test_a_session_prints_what_is_shown(
    block: Block, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """
    The commands of a block run one after the other, and need no servers.

    How fast the machine is, and how much memory it takes, is another time another number.
    """
    printed = run_here(block, tmp_path)
    if unmeasured(printed) != unmeasured(block.text):
        expect(block, printed, request)


def unmeasured(text: str) -> str:
    """Return *text* without what was measured."""
    return re.sub(r"^( +(?:speed|memory) +).*$", r"\1", text, flags=re.MULTILINE)


def expect(block: Block, text: str, request: pytest.FixtureRequest) -> None:
    """Compare *block* with *text*; or, if a person wants that, put *text* there."""
    if block.text != text and request.config.getoption("--rewrite-docs", default=False):
        rewrite(block, text)
        pytest.skip(f"{block.place} was rewritten: run this again")
    assert block.text == text, "after a wanted change: pytest tests/docs --rewrite-docs"


def test_no_block_is_hidden_from_the_checks() -> None:
    """
    Code stands in fences: a block by indentation, or in tildes, would escape the checks.

    A sum that is broken before its sign would become a list.
    """
    for document in documents():
        fenced = {
            number
            for block in blocks_in(document)
            for number in range(block.line, block.line + len(block.text.splitlines()) + 2)
        }
        lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if number not in fenced:
                follows_blank = not lines[number - 2].strip()
                is_code = line.startswith(("    ", "\t")) and follows_blank
                assert not is_code, f"{document}:{number}"
                assert not line.lstrip().startswith(("~~~", "+ ")), f"{document}:{number}"


# ------------------------------------------------------------------------------------------- python


@pytest.mark.parametrize("document", documents())
def test_python_runs_and_prints_what_is_shown(
    document: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """
    A document's Python runs from top to bottom, in one namespace.

    What a block prints stands in the output block right behind it; a block that prints nothing has
    none.
    """
    monkeypatch.chdir(tmp_path)
    name = f"document_{document.replace('/', '_').removesuffix('.md')}"
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)

    blocks = [block for block in blocks_in(document) if block.kind in ("python", "text output")]
    for place, block in enumerate(blocks):
        if block.kind == "python":
            printed = _execute(block, module)
            following = blocks[place + 1] if place + 1 < len(blocks) else None
            if following is None or following.kind == "python":
                assert printed == "", f"{block.place} prints what the document does not show"
            else:
                expect(following, printed, request)


def test_output_stands_behind_what_prints_it() -> None:
    """An output block that no Python block precedes would be compared with nothing."""
    for document in documents():
        before = ""
        for block in blocks_in(document):
            if block.kind.startswith("text output"):
                assert before == block.kind.replace("text output", "python"), block.place
            before = block.kind


def _execute(block: Block, module: types.ModuleType) -> str:
    # The lines keep their numbers, so that a traceback points into the document.
    source = "\n" * block.line + block.text
    lines = source.splitlines(keepends=True)
    linecache.cache[block.place] = (len(source), None, lines, block.place)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, block.place, "exec"), module.__dict__)  # noqa: S102 - our own documents
    return printed.getvalue()


# ------------------------------------------------------------------------------------- style checks


def test_python_in_documents_is_formatted_as_the_code_is(tmp_path: Path) -> None:
    """What a reader copies out of a document passes the formatter's check."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff, "the test extras install ruff"
    for block in all_blocks():
        if block.kind.startswith("python"):
            name = f"{block.document.replace('/', '_')}_{block.line}.py"
            (tmp_path / name).write_text(block.text, encoding="utf-8")

    checked = subprocess.run(
        [ruff, "format", "--diff", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
