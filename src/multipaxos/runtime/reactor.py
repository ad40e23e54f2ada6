"""What this package asks of Twisted's reactor, so that a test can offer less than a whole one."""

import socket
from collections.abc import Callable
from typing import Any, Protocol

# The names are Twisted's. Its own interfaces are zope's, which the type checker cannot follow.


class DelayedCall(Protocol):
    """A call that was scheduled."""

    def active(self) -> bool:
        """Tell whether it is still to come."""

    def cancel(self) -> None:
        """Prevent it."""

    def reset(self, seconds: float, /) -> None:
        """Put it off: it comes in *seconds* from now."""


class Scheduler(Protocol):
    """Tells the time, in seconds from any start, and wakes us later."""

    def seconds(self) -> float:
        """Return the time now."""

    def callLater(self, delay: float, action: Callable[[], object], /) -> DelayedCall:  # noqa: N802
        """Call *action* in *delay* seconds."""


class Reactor(Scheduler, Protocol):
    """Waits for sockets, time and other threads, in one loop."""

    def callFromThread(self, action: Callable[[], object], /) -> None:  # noqa: N802
        """Call *action* in the loop; the one method that another thread may use."""

    def listenUDP(  # noqa: N802
        self,
        port: int,
        protocol: Any,
        interface: str = "",
        maxPacketSize: int = 8192,  # noqa: N803
    ) -> Any:
        """Hand the datagrams that arrive at *interface* and *port* to *protocol*."""

    def listenTCP(  # noqa: N802
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> Any:
        """Let *factory* make a protocol of each connection to *interface* and *port*."""

    def connectTCP(  # noqa: N802
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,  # noqa: N803
    ) -> Any:
        """Connect to *host* and *port*, and let *factory* make a protocol of the connection."""


class TcpTransport(Protocol):
    """A connection between servers."""

    # ruff: disable[N802]
    def write(self, data: bytes, /) -> object:
        """Send *data*, when the network takes it."""

    def abortConnection(self) -> object:
        """Close now."""

    def registerProducer(self, producer: object, streaming: bool, /) -> object:  # noqa: FBT001
        """Ask *producer* for more, now and whenever all that was written is on its way."""

    def getHandle(self) -> socket.socket:
        """Return the socket."""

    # ruff: enable[N802]
