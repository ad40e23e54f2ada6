"""The scripted cluster of the client library's tests, at addresses of this machine."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from tests.client.cluster import FakeConnection, FakeServer, SocketCluster
from typing_extensions import override

from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import StateMachine
from multipaxos.cli.processes import write_config
from multipaxos.runtime.address import Address
from multipaxos.runtime.config import Config, ServerConfig

UIDS = ("A", "B", "C")


class LoopbackCluster(SocketCluster):
    """Servers A, B and C behind real listeners, and the configuration that tells of them."""

    def __init__(self, directory: Path, machine: StateMachine | None = None) -> None:
        machine = machine or Register()
        self._listeners = [socket.create_server(("127.0.0.1", 0)) for _ in UIDS]
        super().__init__(*(each.getsockname() for each in self._listeners), machine=machine)
        self.by_uid: dict[str, FakeServer] = dict(zip(UIDS, self.servers.values(), strict=True))
        for uid, server in self.by_uid.items():
            server.status = {"uid": uid, "cluster": "main", "state": machine.kind}
        self.config_path = directory / "cluster.toml"
        write_config(self.config_path, self._config())
        for listener, server in zip(self._listeners, self.by_uid.values(), strict=True):
            thread = threading.Thread(target=self._accept, args=(listener, server), daemon=True)
            thread.start()
            self._threads.append(thread)

    def asked(self, uid: str, *words: str) -> bool:
        """Tell whether *uid* was asked something that begins with *words*."""
        return any(tuple(each[: len(words)]) == words for each in self.by_uid[uid].asked)

    @override
    def end(self) -> None:
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        super().end()

    def _config(self) -> Config:
        servers = {
            uid: ServerConfig(
                uid=uid,
                peer=Address(host="127.0.0.1", port=place),
                client=Address(host="127.0.0.1", port=server.endpoint[1]),
            )
            for place, (uid, server) in enumerate(self.by_uid.items(), start=1)
        }
        return Config(cluster="main", servers=servers)

    def _accept(self, listener: socket.socket, server: FakeServer) -> None:
        while True:
            try:
                far, _ = listener.accept()
            except OSError:
                return
            if server.is_down:
                far.close()
                continue
            connection = FakeConnection(server)
            thread = threading.Thread(target=self._serve, args=(connection, far), daemon=True)
            with self._lock:
                self._connections.append((connection, far))
                self._threads.append(thread)
            thread.start()
