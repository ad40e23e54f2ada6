"""Questions to the first server that answers."""

import time
from collections.abc import Callable
from typing import TypeVar

from multipaxos.cli.entry import BadInputError, FailedError
from multipaxos.cli.parameters import endpoints, identities
from multipaxos.client import Client, ClientError, OtherServerError
from multipaxos.runtime.config import Config

A = TypeVar("A")


def ask_in_turn(
    config: Config,
    uid: str | None,
    timeout_seconds: float,
    ask: Callable[[Client, float], A],
    *,
    what: str,
) -> A:
    """
    Return what *ask* finds through server *uid*, or through the first that answers.

    A server that is silent leaves those after it their share of the time. If none answers, *what*
    begins the sentence that says why.
    """
    servers = endpoints(config, uid)
    deadline = time.monotonic() + timeout_seconds
    errors: dict[str, ClientError] = {}
    for place, (asked, endpoint) in enumerate(servers.items()):
        share_seconds = (deadline - time.monotonic()) / (len(servers) - place)
        try:
            with Client(
                [endpoint], identities=identities(config), password=config.client_password
            ) as client:
                return ask(client, share_seconds)
        except ClientError as error:
            errors[asked] = error
    sentence = f"{what}: {'; '.join(f'{asked}: {error}' for asked, error in errors.items())}."
    if all(isinstance(error, OtherServerError) for error in errors.values()):
        raise BadInputError(sentence)
    raise FailedError(sentence)
