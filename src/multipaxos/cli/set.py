"""``multipaxos set``: set the value, or that of a key."""

import click

from multipaxos.cli.entry import BadInputError
from multipaxos.cli.reaching import ClientCommand, Reach, client_options
from multipaxos.cli.requests import ask_about, refuse_count, tell_done


@click.command(cls=ClientCommand, short_help="Set the value, or that of a key.")
@click.argument("arguments", metavar="[KEY] VALUE", nargs=-1, required=True)
@click.option("--nx", is_flag=True, help="Set the key only if it is not there yet.")
@click.option("--xx", is_flag=True, help="Set the key only if it is there already.")
@client_options
def set(reach: Reach, arguments: tuple[str, ...], nx: bool, xx: bool) -> None:  # noqa: A001
    """
    Set the value of a register, or that of KEY in a dictionary.

    A VALUE that begins with a dash goes behind --, as in: multipaxos set -- -5

    Exit code 0: it is set, on a majority of the servers. Exit code 3: it is not, because of --nx or
    --xx. Exit code 1: nobody answered, it was refused, or nobody knows; the sentence says which.
    """
    from multipaxos.client import calls

    match arguments:
        case [_] if nx or xx:
            raise BadInputError("--nx and --xx are about a key: say KEY and VALUE.")
        case [_, _] if nx and xx:
            raise BadInputError("--nx and --xx exclude each other: nothing could be set.")
        case [_] | [_, _]:
            key = arguments[0] if len(arguments) > 1 else None
        case _:
            raise refuse_count("set", "VALUE, or KEY and VALUE", arguments)
    chosen = ask_about(reach, key, *calls.set_value(*arguments, nx=nx, xx=xx).command)
    tell_done(reach, chosen, key, why_not="it is there already" if nx else "it is not there")
