"""The prompt of the shell: history, completion, and how the rest of a command is written."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import click
from platformdirs import user_state_path
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import is_done
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.layout.processors import AfterInput, ConditionalProcessor
from prompt_toolkit.styles import Style
from rich.text import Text
from typing_extensions import override

from multipaxos.cli.entry import OutputLostError
from multipaxos.cli.shell_session import EndOfShellError, ShellSession
from multipaxos.cli.shell_words import QuotingError, words_of
from multipaxos.cli.usages import still_to_type
from multipaxos.client import ClientError
from multipaxos.trace import printable
from multipaxos.trace.console import ERROR_STYLE

HISTORY_MODE = 0o600
"""The lines have the values in them: they are nobody else's business."""

_STYLE = Style.from_dict({"rest": "#808080"})


def converse(session: ShellSession) -> None:
    """Do what is typed, until Ctrl+D or ``quit``."""
    prompt: PromptSession[str] = PromptSession(
        f"{_introduce(session)}> ",
        history=_open_history(),
        completer=NameCompleter(session.usages),
        input_processors=[
            ConditionalProcessor(AfterInput(lambda: _rest(session.usages)), ~is_done)
        ],
        style=_STYLE,
    )
    with suppress(EOFError, EndOfShellError):
        while True:
            try:
                # Lines that are pasted come as one text.
                for line in prompt.prompt().split("\n"):
                    _do(session, line)
            except KeyboardInterrupt:
                continue


def _introduce(session: ShellSession) -> str:
    """Say what the shell talks to, and return a name for the prompt."""
    try:
        status = session.value.status()
    except ClientError:
        return "multipaxos"
    cluster, kind = printable(str(status["cluster"])), printable(str(status.get("state", "value")))
    session.console.print(
        Text(f'cluster {cluster}: {kind}; "help" lists the commands, Ctrl+D ends', "dim")
    )
    return cluster


def _do(session: ShellSession, line: str) -> None:
    try:
        session.do(line)
    except OutputLostError:
        raise
    except click.ClickException as error:
        session.console.print(Text(f"(error) {error.message}", ERROR_STYLE))
    except KeyboardInterrupt:
        _tell_interrupted(session, line)


def _tell_interrupted(session: ShellSession, line: str) -> None:
    session.console.print()
    if line.lower().split()[:1] != ["watch"]:
        said = "interrupted: what it changes may be changed, now or later; read before you go on"
        session.console.print(Text(said, ERROR_STYLE))


# ------------------------------------------------------------------------------------------- typing


class NameCompleter(Completer):
    """Completes the names of commands, and shows how each is written."""

    def __init__(self, usages: Mapping[str, str]) -> None:
        """Know the commands by their *usages*."""
        self.usages = usages

    @override
    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield the names that begin as the word before the cursor, if it is to be a name."""
        words = document.text_before_cursor.split(" ")
        typed = words.pop()
        if any(words) and words != ["help"]:
            return
        for name, usage in self.usages.items():
            if name.lower().startswith(typed.lower()):
                yield Completion(name, start_position=-len(typed), display_meta=usage)


def _rest(usages: Mapping[str, str]) -> StyleAndTextTuples:
    """Return what is still to type of the command on the line."""
    document = get_app().current_buffer.document
    try:
        words = words_of(document.text)
    except QuotingError:
        return []
    usage = _usage_of(usages, words[:1])
    if usage is None or not document.is_cursor_at_the_end:
        return []
    rest = still_to_type(usage, words)
    gap = "" if document.text.endswith(" ") else " "
    return [("class:rest", f"{gap}{rest}")] if rest else []


def _usage_of(usages: Mapping[str, str], names: Iterable[str]) -> str | None:
    for name in names:
        for known, usage in usages.items():
            if known.lower() == name.lower():
                return usage
    return None


# ------------------------------------------------------------------------------------------ history


class _PrivateHistory(FileHistory):
    @override
    def store_string(self, string: str) -> None:
        """Keep *string*, unless it begins with a blank, as the shells of systems do."""
        if not string.startswith(" "):
            with suppress(OSError):
                super().store_string(string)


def _open_history() -> History:
    # A directory beside that of the servers' state, in which each name may be that of a cluster.
    path = user_state_path("multipaxos-shell", appauthor=False) / "history"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, HISTORY_MODE))
        path.chmod(HISTORY_MODE)
    except OSError as error:
        click.echo(f"the history ends with this shell: {path}: {error.strerror}", err=True)
        return InMemoryHistory()
    return _PrivateHistory(str(path))
