"""What a client's connection asks of Twisted's TCP transport, under Twisted's names."""

from typing import Protocol

from twisted.internet.interfaces import IAddress

from multipaxos.runtime.address import Address


class Transport(Protocol):
    """One TCP connection, as the server sees it."""

    # ruff: disable[N802]
    def getPeer(self) -> IAddress:
        """Return the client's address."""

    def getHost(self) -> IAddress:
        """Return the server's own address."""

    def write(self, data: bytes, /) -> object:
        """Send *data*, when the network takes it."""

    def loseConnection(self) -> object:
        """Close once all is sent."""

    def abortConnection(self) -> object:
        """Close now."""

    def pauseProducing(self) -> object:
        """Leave what arrives with the operating system."""

    def resumeProducing(self) -> object:
        """Read again."""

    def registerProducer(self, producer: object, streaming: bool, /) -> object:  # noqa: FBT001
        """Tell *producer* when too much waits to be sent, and when it does no more."""

    def unregisterProducer(self) -> object:
        """Tell it no more."""

    def setTcpNoDelay(self, enabled: bool, /) -> object:  # noqa: FBT001
        """Send small replies at once."""

    def setTcpKeepAlive(self, enabled: bool, /) -> object:  # noqa: FBT001
        """Let the operating system find out that a silent client's machine is gone."""

    # ruff: enable[N802]


def address_text(address: IAddress) -> str:
    """Write one end of a connection as ``host:port``."""
    return str(Address(host=getattr(address, "host", ""), port=getattr(address, "port", 0)))
