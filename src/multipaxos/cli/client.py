"""``multipaxos client``: propose a value."""

from pathlib import Path

import click

from multipaxos.cli.entry import BadInputError, FailedError, OutputLostError
from multipaxos.cli.parameters import (
    check_value,
    config_option,
    endpoints,
    identities,
    password_option,
    read_config,
    timeout_option,
)


@click.command(short_help="Propose a value, and wait until it is chosen.")
@click.argument("uid", metavar="SERVER")
@click.argument("value")
@click.option("--no-wait", is_flag=True, help="Send the value and do not wait for the outcome.")
@timeout_option(5.0)
@password_option
@config_option
def client(
    uid: str,
    value: str,
    no_wait: bool,
    timeout_seconds: float,
    password_path: Path | None,
    config_path: Path | None,
) -> None:
    """
    Propose VALUE through SERVER, and wait until it is chosen.

    Exit code 0: it is chosen. Exit code 1: the server could not be reached, refused the value, or
    gave no answer in time; in the last case it is unknown whether the value is, or will be, chosen.
    """
    from multipaxos.cli.failures import interruption_told
    from multipaxos.client import (
        Client,
        ClientError,
        NotReachableError,
        OtherServerError,
        Refused,
    )
    from multipaxos.trace import printable

    config = read_config(config_path, password_path)
    endpoint = endpoints(config, uid)[uid]
    check_value(value, config)
    try:
        with Client(
            [endpoint], identities=identities(config), password=config.client_password
        ) as connection:
            if no_wait:
                connection.propose_without_waiting(value, timeout_seconds=timeout_seconds)
                _print("sent: what becomes of it was not waited for", "The value was sent. This")
                return
            with interruption_told():
                outcome = connection.propose(value, timeout_seconds=timeout_seconds)
    except NotReachableError as error:
        raise FailedError(f"Server {uid} cannot be reached: {error}. Nothing was sent.") from error
    except OtherServerError as error:
        raise BadInputError(f"{error}. Nothing was written.") from error
    except ClientError as error:
        raise FailedError(f"Server {uid}: {error}.") from error
    match outcome:
        case Refused(reason=reason) if reason.startswith("ERR "):
            raise FailedError(
                f"refused: {reason.removeprefix('ERR ')}. What these servers keep is not set by a "
                'value alone: use "multipaxos set KEY VALUE", or "multipaxos execute".'
            )
        case Refused(reason=reason):
            raise FailedError(f"refused: {reason}")
        case _ if not hasattr(outcome, "link"):
            raise FailedError(
                f"unknown: {outcome.reason}. The value may be chosen, now or later, or not at all; "
                '"multipaxos get" reads the newest one.'
            )
        case _:
            _print(
                f"chosen: link {outcome.link} = {printable(value)}",
                f"The value was chosen, in link {outcome.link}. This",
            )


def _print(line: str, what: str) -> None:
    try:
        click.echo(line)
    except OSError as error:
        raise OutputLostError(what, error) from error
