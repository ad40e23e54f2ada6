"""``multipaxos delete``: delete keys."""

import click

from multipaxos.cli.reaching import ClientCommand, Reach, client_options
from multipaxos.cli.requests import ask_about, tell


@click.command(cls=ClientCommand, short_help="Delete keys.")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@client_options
def delete(reach: Reach, keys: tuple[str, ...]) -> None:
    """
    Delete KEYs of a dictionary, all in one step.

    Exit code 0: none of them is there any more; the line says how many there were. Exit code 1:
    nobody answered, it was refused, or nobody knows; the sentence says which.
    """
    from multipaxos.client import calls

    chosen = ask_about(reach, keys[0], *calls.delete(*keys).command)
    count = len(dict.fromkeys(keys))
    said = f"deleted {chosen.result} of {count} {'key' if count == 1 else 'keys'}"
    tell(
        reach,
        f"{said}: link {chosen.link}",
        done=f"The keys were deleted, in link {chosen.link}",
        link=chosen.link,
        keys=list(keys),
        result=chosen.result,
    )
