"""
``multipaxos execute``: any command of the state machine.

It has the name of the library's method that does the same, :meth:`multipaxos.Value.execute`: one
word for one idea. ``run`` would promise a program or a server, and ``do`` is a word of the shells.
"""

import click

from multipaxos.chain.state_machine import result_to_plain
from multipaxos.cli.entry import EXIT_USAGE
from multipaxos.cli.failures import NoResultError
from multipaxos.cli.reaching import ClientCommand, Reach, client_options
from multipaxos.cli.requests import ask, refuse_as_not_done, tell
from multipaxos.cli.results import result_lines
from multipaxos.cli.usages import usage_hint


@click.command(cls=ClientCommand, short_help="Execute any command, such as INCR or KEYS.")
@click.argument("command")
@click.argument("arguments", metavar="[ARGUMENT]...", nargs=-1)
@client_options
def execute(reach: Reach, command: str, arguments: tuple[str, ...]) -> None:
    """
    Execute any COMMAND that the servers' state knows: INCR, MGET, KEYS, or one of your own.

    The result is shown as in the shell: (integer) 3, "text", (nil), 1) "first". --json prints the
    exact one. An ARGUMENT that begins with a dash goes behind --, as in: multipaxos execute --
    INCRBY visits -5

    Exit code 0: it is done, on a majority of the servers. Exit code 3: its condition did not hold.
    Exit code 2: there is no such command, it has another form, or what is there does not allow it.
    Exit code 1: nobody answered, it was refused, or nobody knows; the sentence says which.
    """
    name = command.upper()
    try:
        chosen = ask(reach, name, *arguments)
    except NoResultError as error:
        if error.kind != "command":
            raise
        sentence = f"{error.message}{usage_hint(name, error.message, reach.usages())}"
        raise NoResultError("command", sentence, EXIT_USAGE) from error
    if chosen.result is not False or reach.as_json:
        tell(
            reach,
            "\n".join(result_lines(chosen.result)),
            done=f"It was done, in link {chosen.link}",
            link=chosen.link,
            result=result_to_plain(chosen.result),
        )
    if chosen.result is False:
        refuse_as_not_done(reach, f"its condition did not hold, as of link {chosen.link}")
