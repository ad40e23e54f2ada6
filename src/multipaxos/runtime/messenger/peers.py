"""Where the other servers' messages go to and may come from."""

import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from threading import Thread
from typing import TypeAlias

from multipaxos.runtime.config import Address
from multipaxos.runtime.reactor import DelayedCall, Reactor

SocketAddress: TypeAlias = tuple[str, int]
"""A numeric address and a port."""
Lookup: TypeAlias = Callable[[Address, int], tuple[SocketAddress, ...]]
RunInThread: TypeAlias = Callable[[Callable[[], None]], None]

RESOLVE_SECONDS = 10.0
"""How often a host name is looked up anew: its machine may start later than ours, or move."""


def look_up(address: Address, family: int) -> tuple[SocketAddress, ...]:
    """Return the numeric addresses of *address* in *family*; blocks; OSError if there are none."""
    found = socket.getaddrinfo(address.host, address.port, family, socket.SOCK_DGRAM)
    return tuple(dict.fromkeys((str(where[0]), address.port) for *_, where in found))


def look_up_own(address: Address) -> tuple[int, SocketAddress]:
    """Return the family and the address to listen on; blocks; of a name, IPv4 if it has one."""
    try:
        return socket.AF_INET, look_up(address, socket.AF_INET)[0]
    except OSError:
        return socket.AF_INET6, look_up(address, socket.AF_INET6)[0]


def run_in_thread(action: Callable[[], None]) -> None:
    """Run *action* in a thread that does not keep the process from ending."""
    Thread(target=action, daemon=True, name="look up a host").start()


class PeerAddresses:
    """
    The numeric addresses of the *peers*, kept up to date.

    State: what is *known* of each peer, and of those with a host name, the last *trouble*. Numeric
    addresses are known at once and for ever; names are looked up in threads, at once and then every
    RESOLVE_SECONDS. What was known stays known while a name cannot be looked up.
    """

    def __init__(
        self,
        peers: Mapping[str, Address],
        *,
        look_up: Lookup = look_up,
        run_in_thread: RunInThread = run_in_thread,
    ) -> None:
        self._peers = peers
        self._look_up = look_up
        self._run_in_thread = run_in_thread
        self._known: dict[str, tuple[SocketAddress, ...]] = {}
        self._trouble: dict[str, str] = {}
        self._under_way: set[str] = set()
        self._again: DelayedCall | None = None

    def of(self, uid: str) -> tuple[SocketAddress, ...]:
        """Return the addresses of *uid*, the preferred one first; none while unknown."""
        return self._known.get(uid, ())

    def trouble(self, uid: str) -> str:
        """Say why there is no address of *uid*."""
        if uid not in self._peers:
            return "there is no other server of that name"
        return self._trouble.get(uid, f"{self._peers[uid].host} is still being looked up")

    def start(self, reactor: Reactor, family: int) -> None:
        """Learn the addresses in *family*, and go on doing so on *reactor*."""
        for uid, address in self._peers.items():
            if _is_numeric(address):
                self._known[uid] = ((address.host, address.port),)
        names = {uid: where for uid, where in self._peers.items() if uid not in self._known}
        if names:
            self._look_up_all(reactor, family, names)

    def stop(self) -> None:
        """Look up no more names."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _look_up_all(self, reactor: Reactor, family: int, names: Mapping[str, Address]) -> None:
        for uid in names.keys() - self._under_way:
            self._under_way.add(uid)
            self._run_in_thread(_lookup_of(uid, names[uid], family, reactor, self))
        self._again = reactor.callLater(
            RESOLVE_SECONDS, lambda: self._look_up_all(reactor, family, names)
        )

    def learn(self, uid: str, found: tuple[SocketAddress, ...] | OSError) -> None:
        """Take the outcome of looking up the name of *uid*."""
        self._under_way.discard(uid)
        if isinstance(found, OSError):
            self._trouble[uid] = f"{self._peers[uid].host} is not known: {found.strerror}"
        else:
            self._known[uid] = found

    def find(self, address: Address, family: int) -> tuple[SocketAddress, ...] | OSError:
        """Look up *address*; blocks. The one method that runs in a thread: it changes nothing."""
        try:
            return self._look_up(address, family)
        except OSError as error:
            return error


def _lookup_of(
    uid: str, address: Address, family: int, reactor: Reactor, addresses: PeerAddresses
) -> Callable[[], None]:
    def look_up_and_tell() -> None:
        found = addresses.find(address, family)
        reactor.callFromThread(lambda: addresses.learn(uid, found))

    return look_up_and_tell


def _is_numeric(address: Address) -> bool:
    try:
        ip_address(address.host)
    except ValueError:
        return False
    return True
