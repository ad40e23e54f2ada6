"""What a line in the shell does, whoever typed it."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import click
from rich.text import Text

from multipaxos.chain.state_machine import result_to_plain
from multipaxos.cli.entry import EXIT_FAILED, EXIT_NOT_DONE, EXIT_USAGE, BadInputError
from multipaxos.cli.failures import NoResultError, failure_of
from multipaxos.cli.output import open_console
from multipaxos.cli.reaching import Reach
from multipaxos.cli.requests import check_texts, chosen_of, keys_explained, tell
from multipaxos.cli.results import result_lines
from multipaxos.cli.shell_words import QuotingError, words_of
from multipaxos.cli.status import ask_all, json_of, lines_of
from multipaxos.cli.usages import usage_hint
from multipaxos.cli.watch import print_changes
from multipaxos.client import ClientError, Value

OWN_USAGES: Mapping[str, str] = {
    "help": "help [command]",
    "quit": "quit",
    "status": "status",
    "watch": "watch [key]",
}
"""The shell's own commands. They go before those of the state machine that have their names."""


class EndOfShellError(Exception):
    """The person has had enough."""


class ShellSession:
    """
    Does one line after the other, with the *value* that *reach* leads to.

    State: how the commands are written, once somebody asked.
    """

    def __init__(self, reach: Reach, value: Value) -> None:
        """Print to standard output."""
        self.reach = reach
        self.value = value
        self.console = open_console()
        self._own: Mapping[str, Callable[[Sequence[str]], int]] = {
            "help": self._help,
            "quit": self._quit,
            "exit": self._quit,
            "status": self._status,
            "watch": self._watch,
        }

    @cached_property
    def usages(self) -> dict[str, str]:
        """How each command is written, the state machine's and the shell's own."""
        return {**self.reach.usages(), **OWN_USAGES}

    def do(self, line: str) -> int:
        """
        Do *line*, print its result, and return the exit code that it would have as a command.

        What has no result is raised, with its exit code; so is the end, EndOfShellError.
        """
        try:
            words = words_of(line)
        except QuotingError as error:
            raise BadInputError(str(error)) from error
        if not words:
            return 0
        self.value.timeout_seconds = self.reach.timeout_seconds
        name, *arguments = words
        own = self._own.get(name.lower())
        return self._execute(name.upper(), arguments) if own is None else own(arguments)

    # -- the state machine's -----------------------------------------------------------------------

    def _execute(self, name: str, arguments: Sequence[str]) -> int:
        check_texts(self.reach, name, *arguments)
        try:
            chosen = chosen_of(self.value.execute(name, *arguments))
        except ClientError as error:
            raise self._explained(name, failure_of(error)) from error
        if self.reach.as_json:
            result = result_to_plain(chosen.result)
            tell(self.reach, "", done="It was done", link=chosen.link, result=result)
        else:
            self._show(result_lines(chosen.result), chosen.link)
        return EXIT_NOT_DONE if chosen.result is False else 0

    def _explained(self, name: str, error: NoResultError) -> NoResultError:
        if error.kind != "command":
            return error
        said = error.message
        if "unknown command" in said.lower():
            return NoResultError("command", f'{said} "help" lists those there are.', EXIT_USAGE)
        return NoResultError("command", said + usage_hint(name, said, self.usages), EXIT_USAGE)

    def _show(self, lines: Sequence[str], link: int) -> None:
        where = (f"link {link}", "dim")
        if len(lines) == 1:
            self.console.print(Text.assemble(lines[0], "  ", where))
            return
        for line in lines:
            self.console.print(Text(line))
        self.console.print(Text.assemble(where))

    # -- the shell's own ---------------------------------------------------------------------------

    def _help(self, arguments: Sequence[str]) -> int:
        names = {name.upper(): usage for name, usage in self.usages.items()}
        for asked in arguments:
            if asked.upper() not in names:
                raise BadInputError(f'There is no command "{asked}". "help" lists those there are.')
        for usage in [names[asked.upper()] for asked in arguments] or names.values():
            click.echo(usage)
        return 0

    def _quit(self, _: Sequence[str]) -> int:
        raise EndOfShellError

    def _status(self, arguments: Sequence[str]) -> int:
        _refuse_surplus("status", arguments, 0)
        found = ask_all(self.reach)
        if self.reach.as_json:
            click.echo(json.dumps(json_of(found)))
        else:
            for line in lines_of(found, self.console.width):
                self.console.print(line)
        is_any = any(not isinstance(answer, ClientError) for answer in found.values())
        return 0 if is_any else EXIT_FAILED

    def _watch(self, arguments: Sequence[str]) -> int:
        _refuse_surplus("watch", arguments, 1)
        check_texts(self.reach, *arguments)
        key = arguments[0] if arguments else None
        try:
            with keys_explained(self.reach, self.value, key):
                print_changes(self.value, key, reach=self.reach)
        except ClientError as error:
            raise failure_of(error, is_read=True) from error
        return 0


def _refuse_surplus(name: str, arguments: Sequence[str], count_max: int) -> None:
    if len(arguments) > count_max:
        raise BadInputError(f"It is written: {OWN_USAGES[name]}")
