"""Whom the commands for clients ask, and the options that say so."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
from typing_extensions import override

from multipaxos.cli.failures import errors_told, failure_of
from multipaxos.cli.parameters import (
    bad_config_refused,
    config_option,
    json_option,
    password_option,
    read_config,
    server_of,
    timeout_option,
)
from multipaxos.client import Client, ClientError, Endpoint, Identity, Value, connect
from multipaxos.client.servers import shown
from multipaxos.runtime.address import parse_address
from multipaxos.runtime.config import Config

TIMEOUT_SECONDS = 5.0
EXPLANATION_SECONDS_MAX = 1.0
"""So long servers are asked for what makes an error clearer."""

F = TypeVar("F", bound=Callable[..., Any])


class Server(NamedTuple):
    """Where a server is, and who should answer there; None: whoever it is."""

    endpoint: Endpoint
    identity: Identity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """
    Whom a command asks: the *servers* by uid, or by address if that is how they were named.

    They are tried in this order, until *timeout_seconds* are over.
    """

    config: Config
    servers: Mapping[str, Server]
    timeout_seconds: float
    as_json: bool = False

    @property
    def identities(self) -> dict[Endpoint, Identity]:
        """Who should answer, at each endpoint where that is known."""
        return {
            server.endpoint: server.identity
            for server in self.servers.values()
            if server.identity is not None
        }

    def name_of(self, address: str) -> str:
        """Return the uid of the server at *address*, or else the address."""
        names = {shown(server.endpoint): name for name, server in self.servers.items()}
        return names.get(address, address)

    def usages(self) -> dict[str, str]:
        """Return how each command of the state machine is written; none if nobody says so."""
        endpoints = [server.endpoint for server in self.servers.values()]
        with (
            suppress(ClientError),
            Client(
                endpoints, password=self.config.client_password, identities=self.identities
            ) as client,
        ):
            return client.usages(timeout_seconds=EXPLANATION_SECONDS_MAX)
        return {}

    @contextmanager
    def value(self, *, is_read: bool = False) -> Iterator[Value]:
        """
        Connect to the value that the servers keep; an error is a sentence with an exit code.

        What only *is a read* needs no warning if nobody answers.
        """
        deadline = time.monotonic() + self.timeout_seconds
        try:
            with connect(
                [shown(server.endpoint) for server in self.servers.values()],
                timeout_seconds=self.timeout_seconds,
                password=self.config.client_password,
                identities=self.identities,
            ) as value:
                # To find a server and to ask it are one thing for whoever waits.
                value.timeout_seconds = max(0.0, deadline - time.monotonic())
                yield value
        except ClientError as error:
            raise failure_of(error, is_read=is_read) from error


def find_servers(config: Config, via: str | None) -> dict[str, Server]:
    """Return the servers that *via* names, with commas; all of *config* if it is None."""
    names = list(config.servers) if via is None else [name.strip() for name in via.split(",")]
    return {name: _find_server(config, name) for name in names}


def _find_server(config: Config, name: str) -> Server:
    if ":" in name:
        # Whoever says where says whom: there may be a cluster of which no configuration is here.
        with bad_config_refused():
            address = parse_address(name, "an address in --via")
        return Server((address.host, address.port), None)
    found = server_of(config, name).client
    return Server((found.host, found.port), Identity(config.cluster, name))


class ClientCommand(click.Command):
    """A command for clients, whose values may begin with a dash."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*; if there is no such option, say how a value is told from one."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            said = error.message.removesuffix(".")
            hint = f"{said}. A value that begins with a dash goes behind a -- of its own."
            raise click.NoSuchOption(error.option_name, hint, error.possibilities, ctx) from error


def client_options(command: F) -> F:
    """Add the options of all commands for clients; *command* gets them as one :class:`Reach`."""

    @wraps(command)
    def reaching(
        *,
        via: str | None,
        timeout_seconds: float,
        as_json: bool,
        password_path: Path | None,
        config_path: Path | None,
        **own: Any,
    ) -> Any:
        with errors_told(as_json=as_json):
            config = read_config(config_path, password_path)
            servers = find_servers(config, via)
            reach = Reach(
                config=config, servers=servers, timeout_seconds=timeout_seconds, as_json=as_json
            )
            return command(reach, **own)

    via_option = click.option(
        "--via",
        metavar="SERVERS",
        help="Whom to ask, in this order: uids, as A,B, or addresses, as HOST:PORT.",
    )
    options = (via_option, timeout_option(TIMEOUT_SECONDS), json_option)
    with_options: Any = reaching
    for option in reversed((*options, password_option, config_option)):
        with_options = option(with_options)
    found: F = with_options
    return found
