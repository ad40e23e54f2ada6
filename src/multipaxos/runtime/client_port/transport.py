"""What a client's connection asks of Twisted's TCP transport, under Twisted's names."""

from typing import Any, Protocol

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


def send(transport: Transport, data: bytes) -> None:
    """
    Send *data* now, as far as the network takes it; the rest when it does.

    A Twisted transport keeps what it is given for the reactor's next round: to wait there for the
    socket, which is nearly always ready, costs more than to send. Where the transport holds nothing
    back, what is sent directly overtakes nothing.
    """
    twisted: Any = transport
    if not hasattr(transport, "writeSomeData") or _must_wait(twisted):
        transport.write(data)
        return
    sent = twisted.writeSomeData(data)
    # What is no count is an error, which the transport meets again and reports in its own way.
    sent = sent if isinstance(sent, int) and sent >= 0 else 0
    if sent < len(data):
        transport.write(data[sent:])


def _must_wait(transport: Any) -> bool:
    # What a lost connection is given Twisted drops; its socket is gone.
    is_behind = transport.dataBuffer or transport._tempDataBuffer  # noqa: SLF001 - it has no public name
    return bool(is_behind or not transport.connected)


def address_text(address: IAddress) -> str:
    """Write one end of a connection as ``host:port``."""
    return str(Address(host=getattr(address, "host", ""), port=getattr(address, "port", 0)))
