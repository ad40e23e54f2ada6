"""``multipaxos cas``: compare and set."""

import click

from multipaxos.cli.reaching import ClientCommand, Reach, client_options
from multipaxos.cli.requests import ask_about, refuse_count, tell_done


@click.command(cls=ClientCommand, short_help="Set the value if it is as expected.")
@click.argument("arguments", metavar="[KEY] [EXPECTED] NEW", nargs=-1, required=True)
@click.option("--absent", is_flag=True, help="Expect nothing to be there, instead of EXPECTED.")
@client_options
def cas(reach: Reach, arguments: tuple[str, ...], absent: bool) -> None:
    """
    Set the value, or that of KEY, to NEW if it is EXPECTED: compare and set, in one step.

    Of all who expect the same, one succeeds. With --absent there is no EXPECTED: it is set only if
    nothing is there.

    Exit code 0: it is set, on a majority of the servers. Exit code 3: it was not as expected, and
    is as it was. Exit code 1: nobody answered, it was refused, or nobody knows; the sentence says
    which.
    """
    from multipaxos.client import calls

    if absent:
        what, takes, count = "cas --absent", "NEW, or KEY and NEW", 1
    else:
        what, takes, count = "cas", "EXPECTED and NEW, or KEY, EXPECTED and NEW", 2
    if not count <= len(arguments) <= count + 1:
        raise refuse_count(what, takes, arguments)
    key = arguments[0] if len(arguments) > count else None
    texts = (*arguments[:-1], None, arguments[-1]) if absent else arguments
    chosen = ask_about(reach, key, *calls.compare_and_set(*texts).command)
    tell_done(reach, chosen, key, why_not="it is there" if absent else "it is not as expected")
