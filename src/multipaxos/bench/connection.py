"""One client of a load: a connection, and its requests that are under way."""

import errno
import os
import select
import socket
from collections.abc import Sequence
from itertools import cycle, islice
from time import monotonic_ns
from typing import Any

import hiredis

from multipaxos.bench.plan import Endpoint
from multipaxos.bench.tally import Tally
from multipaxos.bench.tape import OK_REPLY, Entry

RECEIVE_BYTES_MIN = 512
RECEIVE_BYTES_MAX = 1 << 20

READING = select.EPOLLIN
WRITING = select.EPOLLOUT

Address = tuple[socket.AddressFamily, Any]
"""Where a server is, as the operating system wants it."""


def address_of(endpoint: Endpoint) -> Address:
    """Return the address of *endpoint*; OSError, naming it, if there is none."""
    host, port = endpoint
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OSError(f"cannot find {host}: {error.strerror}") from error
    return family, address


class Connection:
    """
    A client that sends the next entry of its *tape* when the last one is answered.

    State: the *entry* that is under way, if any, when it *began*, how many of its replies came
    (*answered*), and what of it is not sent. Where all goes well, an entry costs one ``recv``, one
    comparison and one ``send``.
    """

    def __init__(
        self,
        number: int,
        addresses: Sequence[Address],
        tape: Sequence[Entry],
        tally: Tally,
        epoll: select.epoll,
    ) -> None:
        """Be client *number*, which says where on the *tape* and with which address it begins."""
        self.number = number
        self.entry: Entry | None = None
        self.answered = 0
        self.is_open = False
        self._places = islice(cycle(addresses), number % len(addresses), None)
        # Each begins somewhere else, and all go around.
        self._tape = islice(cycle(tape), number * 97 % len(tape), None)
        self._tally = tally
        self._epoll = epoll
        self._unsent = memoryview(b"")
        self._socket: Any = None
        self._reader: hiredis.Reader = hiredis.Reader()
        self._began = 0
        largest = max(len(entry.expected or b"") for entry in tape)
        self._receive_bytes = min(max(largest, RECEIVE_BYTES_MIN), RECEIVE_BYTES_MAX)

    # -- the connection ----------------------------------------------------------------------------

    def open(self) -> int:
        """Begin to connect to the next address; return the file descriptor."""
        family, address = next(self._places)
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = self._socket.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, os.strerror(error))
        self._reader = hiredis.Reader()
        self._epoll.register(self._socket, READING | WRITING)
        descriptor: int = self._socket.fileno()
        return descriptor

    def close(self) -> None:
        """Let go of the connection; what is under way has an unknown outcome."""
        if self.entry is not None:
            self._tally.unknown += self.entry.size - self.answered
        self.entry = None
        self.is_open = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def finish_opening(self) -> None:
        """Take note that the connection came about; OSError if it did not."""
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        self.is_open = True
        self._epoll.modify(self._socket, READING)

    # -- requests ----------------------------------------------------------------------------------

    def send_next(self, now: int) -> None:
        """Send the next entry; OSError if the connection is gone."""
        self.entry = entry = next(self._tape)
        self.answered = 0
        self._began = now
        request = entry.request
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        if sent < len(request):
            self._unsent = memoryview(request)[sent:]
            self._epoll.modify(self._socket, READING | WRITING)

    def send_rest(self) -> None:
        """Send what the operating system did not take before."""
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._epoll.modify(self._socket, READING)

    def receive(self) -> int:
        """Take what came; return the time if the entry is answered by now, else 0."""
        data = self._socket.recv(self._receive_bytes)
        now = monotonic_ns()
        entry = self.entry
        if entry is not None and data == entry.expected and not self.answered:
            tally = self._tally
            tally.times.append(now)
            tally.latencies.append(now - self._began)
            tally.sizes.append(entry.reads + entry.writes)
            tally.reads += entry.reads
            tally.writes += entry.writes
            self.entry = None
            return now
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection")
        return self._receive_in_parts(data, now)

    def _receive_in_parts(self, data: bytes, now: int) -> int:
        """Take some replies of many, or part of one, or one that is not as expected."""
        self._reader.feed(data)
        good = 0
        while (reply := self._reader.gets()) is not False:
            good += self._take(reply)
        if good:
            self._tally.times.append(now)
            self._tally.latencies.append(now - self._began)
            self._tally.sizes.append(good)
        if self.entry is None or self.answered < self.entry.size:
            return 0
        self.entry = None
        return now

    def _take(self, reply: Any) -> bool:
        """Count a *reply*; tell whether it is as it must be."""
        entry = self.entry
        if entry is None or self.answered == entry.size:
            self._tally.fail("a reply that nobody asked for")
            return False
        place = self.answered
        self.answered += 1
        if isinstance(reply, hiredis.ReplyError):
            self._tally.fail(str(reply))
            return False
        if entry.replies is None:
            self._tally.counted[self.number] += 1
        elif reply != entry.replies[place]:
            self._tally.fail(f"a wrong reply: {reply!r:.40} for {entry.replies[place]!r:.40}")
            return False
        if entry.replies is None or reply == OK_REPLY:
            self._tally.writes += 1
        else:
            self._tally.reads += 1
        return True
