"""Which server is asked next, and for how long."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from random import Random

from multipaxos.client.errors import BadArgumentError
from multipaxos.client.steps import Endpoint, Pause, Steps
from multipaxos.runtime.address import Address, ConfigError, parse_address

REST_SECONDS = 0.02
"""The first rest; each one after it is twice as long, up to the longest."""
REST_SECONDS_MAX = 0.5

NAME_LENGTH_MAX = 23
"""What a client's name of 40 characters leaves beside its random part."""


class Servers:
    """
    The servers of a cluster, in the order in which they are tried.

    State: which one is *preferred*: the first, until it fails. All lanes of a client share it, so
    that one lane's experience saves the others theirs.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        """Begin with the first of *endpoints*."""
        self.endpoints = tuple(dict.fromkeys(endpoints))
        self.preferred = self.endpoints[0] if self.endpoints else None

    def after(self, server: Endpoint | None) -> Endpoint:
        """Return the one that is next after *server*, in a circle."""
        place = self.endpoints.index(server) + 1 if server in self.endpoints else 0
        return self.endpoints[place % len(self.endpoints)]

    def from_preferred(self) -> tuple[Endpoint, ...]:
        """Return all of them, the preferred one first."""
        preferred = self.preferred
        place = self.endpoints.index(preferred) if preferred is not None else 0
        return self.endpoints[place:] + self.endpoints[:place]

    def failed(self, server: Endpoint) -> None:
        """Prefer another than *server*."""
        if server == self.preferred:
            self.preferred = self.after(server)


@dataclass(slots=True)
class Progress:
    """
    The newest *link* in progress that any server told of, and which *server* that was.

    Threads may tell of two at once, and the older one may win: then a later request is made with an
    older *since*, which is as true.
    """

    link: int = 0
    server: Endpoint | None = None

    def hear(self, link: int, server: Endpoint) -> None:
        """Take the word of *server* that *link* is in progress there."""
        if link > self.link:
            self.link, self.server = link, server


@dataclass(slots=True, kw_only=True)
class Attempts:
    """
    The attempts at one thing, in rounds through *servers*, until *deadline*.

    State: who was *tried* in this round, how many rests there were, whether the time *is over*.
    """

    servers: Servers
    deadline: float
    seconds: Callable[[], float]
    rng: Random
    tried: set[Endpoint] = field(default_factory=set)
    rests: int = 0
    gave_up: bool = False

    @property
    def is_over(self) -> bool:
        """Tell whether there is no time for another attempt."""
        return self.gave_up or self.seconds() >= self.deadline

    def next(self, connected: Endpoint | None) -> tuple[Endpoint, float]:
        """
        Return whom to try, and until when.

        The server that is *connected* comes first. One that swallows everything must leave time for
        those after it.
        """
        untried = [each for each in self.servers.from_preferred() if each not in self.tried]
        server = connected if connected in untried else untried[0]
        assert server is not None, "what is among the untried is a server"
        now = self.seconds()
        return server, now + (self.deadline - now) / len(untried)

    def failed(self, server: Endpoint) -> Steps[None]:
        """Try *server* no more in this round; rest when all have failed."""
        self.servers.failed(server)
        self.tried.add(server)
        if len(self.tried) == len(self.servers.endpoints):
            self.tried.clear()
            yield from self.rest()

    def rest(self) -> Steps[None]:
        """Wait a little, longer each time, and never as long as another client does."""
        longest = min(REST_SECONDS_MAX, REST_SECONDS * 2**self.rests)
        seconds = longest * self.rng.uniform(0.5, 1.0)
        self.rests += 1
        if self.seconds() + seconds >= self.deadline:
            self.gave_up = True
        else:
            yield Pause(seconds=seconds)


def parse_addresses(addresses: str | Sequence[str]) -> tuple[Endpoint, ...]:
    """
    Return the endpoints in *addresses*: texts ``host:port``, or one such text with commas.

    BadArgumentError, with a sentence, for anything else.

    >>> parse_addresses("127.0.0.1:7001, [::1]:7002")
    (('127.0.0.1', 7001), ('::1', 7002))
    """
    if not isinstance(addresses, Iterable):
        raise BadArgumentError(f'addresses must be texts such as "host:port", not {addresses!r}')
    texts = addresses.split(",") if isinstance(addresses, str) else list(addresses)
    if not texts:
        raise BadArgumentError("addresses must name at least one server, and are empty")
    found = []
    for text in texts:
        if not isinstance(text, str):
            raise BadArgumentError(f'addresses must be texts such as "host:port", not {text!r}')
        try:
            address = parse_address(text.strip(), "each of the addresses")
        except ConfigError as error:
            raise BadArgumentError(str(error)) from error
        found.append((address.host, address.port))
    return tuple(found)


def check_timeout(timeout_seconds: float) -> float:
    """Return *timeout_seconds*; BadArgumentError unless it is a positive, finite number."""
    is_number = type(timeout_seconds) in {int, float}
    if not (is_number and isfinite(timeout_seconds) and timeout_seconds > 0):
        raise BadArgumentError(
            f"timeout_seconds must be a positive number of seconds, not {timeout_seconds!r}"
        )
    return float(timeout_seconds)


def check_name(name: str) -> str:
    """Return *name*; BadArgumentError unless servers take it as the begin of a client's name."""
    if not re.fullmatch(rf"[A-Za-z0-9_.:-]{{1,{NAME_LENGTH_MAX}}}", name):
        raise BadArgumentError(
            f"name must be 1 to {NAME_LENGTH_MAX} letters, digits or '_', '-', '.', ':', "
            f"not {name!r}"
        )
    return name


def check_client_id(client_id: str) -> str:
    """Return *client_id*; BadArgumentError unless servers take it as a client's name."""
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,40}", client_id):
        raise BadArgumentError(
            f"a client is named by 1 to 40 letters, digits or '_', '-', '.', ':', not {client_id!r}"
        )
    return client_id


def shown(server: Endpoint) -> str:
    """Write *server* as an address."""
    host, port = server
    return str(Address(host=host, port=port))
