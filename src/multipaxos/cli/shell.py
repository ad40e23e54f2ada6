"""``multipaxos shell``: commands at a prompt, or out of a pipe."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from multipaxos.cli.entry import EXIT_FAILED, BadInputError, OutputLostError
from multipaxos.cli.failures import error_as_json
from multipaxos.cli.reaching import ClientCommand, Reach, client_options

if TYPE_CHECKING:
    from multipaxos.cli.shell_session import ShellSession


@click.command(cls=ClientCommand, short_help="Type commands at a prompt, or pipe them in.")
@client_options
def shell(reach: Reach) -> None:
    r"""
    Execute the commands that are typed at a prompt, one a line.

    "help" lists them: those of the state machine, as GET and SET, and status, watch and quit, which
    are the shell's own. Tab completes a name. A word with blanks or special characters goes in
    quotes: '...' as it stands, "..." with escapes such as \n and \". Ctrl+C gives a line up, and
    Ctrl+D ends the shell.

    If standard input is no terminal, each of its lines is a command, and there is no prompt. A line
    that fails is told on standard error, with its number. Where nobody answers, or nobody knows
    what became of a command, it ends; after any other failure it goes on.

    Exit code 0: all lines were done. Otherwise that of the first that was not: 3, its condition did
    not hold; 2, it makes no sense; 1, nobody answered, it was refused, or nobody knows.
    """
    from multipaxos.cli.shell_session import ShellSession

    with reach.value() as value:
        session = ShellSession(reach, value)
        if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
            from multipaxos.cli.shell_prompt import converse

            converse(session)
            return
        code = _run(session, _input_lines())
    if code:
        raise click.exceptions.Exit(code)


def _input_lines() -> Iterable[str]:
    if sys.stdin is None:
        raise BadInputError("Standard input is closed: there is nobody to type commands.")
    # What is no UTF-8 is refused with the line that it is in.
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    return sys.stdin


def _run(session: "ShellSession", lines: Iterable[str]) -> int:
    """Do *lines*, and return the exit code of the first that fails."""
    from multipaxos.cli.shell_session import EndOfShellError

    first = 0
    for number, line in enumerate(lines, start=1):
        try:
            code = session.do(line)
        except EndOfShellError:
            break
        except OutputLostError:
            raise
        except click.ClickException as error:
            code = error.exit_code
            _tell(error, number, as_json=session.reach.as_json)
        first = first or code
        if code == EXIT_FAILED:
            # What comes next may rely on it, and would wait as long.
            break
    return first


def _tell(error: click.ClickException, number: int, *, as_json: bool) -> None:
    said = error_as_json(error, line=number) if as_json else f"line {number}: {error.message}"
    click.echo(said, err=True)
