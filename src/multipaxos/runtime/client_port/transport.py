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


def send(transport: Transport, data: bytes) -> None:
    """
    Send *data* now, as far as the network takes it; the rest when it does.

    A Twisted transport keeps what it is given for the reactor's next round: to wait there for the
    socket, which is nearly always ready, costs more than to send. Where the transport holds nothing
    back, what is sent directly overtakes nothing.
    """
    send_now = getattr(transport, "writeSomeData", None)
    if send_now is None or transport.dataBuffer or transport._tempDataBuffer:  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name
        transport.write(data)
        return
    sent = send_now(data)
    # What is no count is an error, which the transport meets again and reports in its own way.
    sent = sent if isinstance(sent, int) and sent >= 0 else 0
    if sent < len(data):
        transport.write(data[sent:])


def address_text(address: IAddress) -> str:
    """Write one end of a connection as ``host:port``."""
    return str(Address(host=getattr(address, "host", ""), port=getattr(address, "port", 0)))
