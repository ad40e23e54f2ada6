"""Servers that answer as they are told, in the protocol of Redis."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import hiredis

from multipaxos.bench.plan import Endpoint

Answer = Callable[[list[bytes]], list[bytes]]
"""What a server sends, piece by piece, to a command; nothing at all means that it hangs up."""


class ScriptedServer:
    """
    A server that gives *answer* to every command, to each client in a thread of its own.

    State: how many *commands* it had.
    """

    def __init__(self, answer: Answer) -> None:
        """Listen, and serve."""
        self.commands = 0
        self._answer = answer
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return host, port

    def close(self) -> None:
        """Take no more clients."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = hiredis.Reader()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := connection.recv(1 << 16):
                reader.feed(data)
                while (command := reader.gets()) is not False:
                    with self._lock:
                        self.commands += 1
                        pieces = self._answer(command)
                    if not pieces:
                        return
                    for piece in pieces:
                        connection.sendall(piece)


@contextmanager
def serving(*answers: Answer) -> Iterator[list[ScriptedServer]]:
    """Run servers, and close them in the end."""
    with ExitStack() as stack:
        servers = [ScriptedServer(answer) for answer in answers]
        for server in servers:
            stack.callback(server.close)
        yield servers
