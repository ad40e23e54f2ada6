"""What this package asks of Twisted's reactor, so that a test can offer less than a whole one."""

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
    """Wakes us later."""

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
