"""The server as an object: a replicated value that lives in the program itself."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from typing import Any, Self

from typing_extensions import override

from multipaxos.chain.effects import Changes
from multipaxos.chain.requests import Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.client import Change, CommandError, StaleValue
from multipaxos.client.async_methods import AsyncMethods
from multipaxos.client.calls import result_of, stale_command
from multipaxos.client.fate import BUSY
from multipaxos.embedding.local_watch import LocalWatch, told
from multipaxos.embedding.surroundings import NotRunningError, Surroundings
from multipaxos.runtime.building import STORAGES, build_server
from multipaxos.runtime.client_port.request_reader import limits_for
from multipaxos.runtime.codec import MalformedDatagramError, value_bytes
from multipaxos.runtime.config import Config, ConfigError, built_in_config, load_config
from multipaxos.runtime.options import NotStartedError, ServerOptions
from multipaxos.runtime.server import Server
from multipaxos.runtime.storage import default_directory
from multipaxos.runtime.toml_values import SECONDS_MAX
from multipaxos.trace import FileSink, Sink

TIMEOUT_SECONDS = 5.0
PAUSE_SECONDS_MAX = 0.1
"""A request that finds the server busy comes back after a part of this time."""


class ReplicatedValue(AsyncMethods):
    """
    Server *uid* of a cluster, in this program, and a client of it without a network between.

    It serves its peers and other clients as ``multipaxos server`` does, on the addresses in
    *config*: a :class:`Config`, the path of a TOML file, or None for three servers on this machine.
    The rest is as on that command's line: *state*, *storage*, *master*, *directory*, *trace*.

    >>> async def main():
    ...     async with ReplicatedValue("A", "cluster.toml", directory="state") as value:
    ...         await value.set("hello")
    ...         return await value.get()
    >>> asyncio.run(main())
    'hello'

    Its methods are coroutines, under asyncio and under Twisted (there, ``Deferred.fromCoroutine``
    runs them). All calls come from the thread of the loop. *on_change* is told of each new value,
    in order; *on_halt* gets a sentence, should the server stop by itself: its disk failed, say.

    State: the *server*, while it runs; the names under which this program asks, each for one
    request at a time, with the sequence used last; what waits for an outcome, and which changes
    were not told yet.
    """

    def __init__(  # noqa: PLR0913 - as many as the command's line has
        self,
        uid: str,
        config: Config | Path | str | None = None,
        *,
        state: str = "register",
        storage: str = "sqlite",
        master: bool = False,
        directory: Path | str | None = None,
        trace: Path | str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        on_change: Callable[[Change], None] | None = None,
        on_halt: Callable[[str], None] | None = None,
        reactor: Any = None,
    ) -> None:
        """
        Check what is asked for; nothing runs before :meth:`start`.

        Raises ConfigError. A *reactor* need only be given where there are several.
        """
        config = _read(config)
        config.server(uid)
        if storage not in STORAGES:
            raise ConfigError(f"storage is one of {', '.join(STORAGES)}, not {storage!r}")
        if not 0 < timeout_seconds <= SECONDS_MAX:
            raise ConfigError(
                f"timeout_seconds is above 0 and at most {SECONDS_MAX:g}, not {timeout_seconds!r}"
            )
        self.options = ServerOptions(
            config=config,
            uid=uid,
            directory=Path(directory or default_directory(config.cluster)),
            storage=storage,
            state=state,
            is_master=master,
            trace=None if trace is None else Path(trace),
        )
        self.timeout_seconds = timeout_seconds
        self.server: Server | None = None
        self._on_change = on_change
        self._on_halt = on_halt
        self._given_reactor = reactor
        self._surroundings: Surroundings | None = None
        self._stopped_for = "it was not started"
        self._free_names: list[RequestID] = []
        self._open: dict[RequestID, Callable[[Outcome], None]] = {}
        self._untold: deque[Change] = deque()

    # -- running -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """
        Load the state, open the sockets, and take part in the cluster.

        Raises NotStartedError, ConfigError or StorageError, each with a sentence that says why.
        """
        if self.server is not None:
            raise NotStartedError(f"server {self.options.uid} runs already in this program")
        surroundings = self._surroundings = Surroundings(self._given_reactor)
        server = build_server(
            self.options,
            reactor=surroundings.reactor,
            sinks=self._open_sinks(),
            on_halt=self._halted,
        )
        try:
            server.listen()
            server.change_log.listen(self, self._changed)
            self.server = server
            server.start()
        except BaseException:
            self.server = None
            server.stop()
            raise

    async def stop(self) -> None:
        """Leave the cluster. What is saved stays; what is asked for now has an unknown outcome."""
        if self._surroundings is not None:
            self._surroundings.check_thread()
            self._end("it was stopped")
            # The reactor closes sockets in its next turn; whoever starts again finds them free.
            await self._surroundings.sleep(0)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the server takes part in its cluster."""
        return self.server is not None and not self.server.driver.halted

    # -- asking ------------------------------------------------------------------------------------

    @override
    async def execute(self, *command: str) -> Outcome:
        """
        Return what became of *command*; after *timeout_seconds*, that it is unknown.

        Raises NotRunningError where nothing was asked because the server does not run.
        """
        if not all(isinstance(text, str) for text in command):
            raise TypeError("a command is made of texts")
        server, surroundings = self._running()
        asked = (command[0].upper(), *command[1:]) if command else ()
        fault = _fault(asked, server)
        if fault is not None:
            return Refused(reason=fault)
        deadline = server.clock.seconds() + self.timeout_seconds
        request_id = self._take_name()
        while True:
            outcome = await self._ask(request_id, asked, deadline)
            if not (isinstance(outcome, Refused) and outcome.reason.startswith(BUSY)):
                break
            if server.clock.seconds() >= deadline or not self.is_running:
                break
            await surroundings.sleep(SystemRandom().uniform(0, PAUSE_SECONDS_MAX))
        if not isinstance(outcome, Unknown):
            # A later request under the name of one that is still under way would hide it.
            self._free_names.append(request_id)
        return outcome

    async def stale_get(self, *key: str) -> StaleValue:
        """Return what this server has, without asking the others: it may be out of date."""
        server, _ = self._running()
        command = stale_command(*key)
        fault = _fault(command, server)
        if fault is not None:
            raise CommandError(fault.removeprefix("ERR "))
        read = server.read_stale(command)
        if read is None:
            raise NotRunningError("this server has no memory yet: it still looks for the others")
        value = result_of(read)
        if not isinstance(value, str | None):
            raise CommandError("the value is no text: ask for it with execute")
        return StaleValue(value=value, link=read.link, server=self.options.uid)

    def watch(self, key: str | None = None) -> LocalWatch:
        """
        Return an iterator over all changes from now on, of *key* or of everything.

        Where this server skipped links in a catch-up, one Change says that some were *missed*.
        """
        server, surroundings = self._running()
        return LocalWatch(server, surroundings, key)

    # -- own affairs -------------------------------------------------------------------------------

    def _open_sinks(self) -> list[Sink]:
        path = self.options.trace
        try:
            return [] if path is None else [FileSink(path)]
        except OSError as error:
            raise NotStartedError(f"cannot write the trace to {path}: {error.strerror}") from error

    def _running(self) -> tuple[Server, Surroundings]:
        if self.server is None or self._surroundings is None or self.server.driver.halted:
            raise NotRunningError(f"server {self.options.uid} does not run: {self._stopped_for}")
        self._surroundings.check_thread()
        return self.server, self._surroundings

    def _take_name(self) -> RequestID:
        if not self._free_names:
            return RequestID(f"in-{self.options.uid}-{SystemRandom().getrandbits(64):016x}", 1)
        client, sequence = self._free_names.pop()
        return RequestID(client, sequence + 1)

    async def _ask(self, request_id: RequestID, command: Command, deadline: float) -> Outcome:
        server, surroundings = self._running()
        promise = surroundings.promise()
        server.call(request_id, command, promise.keep)
        self._open[request_id] = promise.keep
        late = Unknown(reason=f"there was no answer in {self.timeout_seconds:g} seconds")
        seconds_left = max(0.0, deadline - server.clock.seconds())
        timer = surroundings.later(seconds_left, lambda: promise.keep(late))
        try:
            outcome: Outcome = await promise
        finally:
            # Also where whoever waited was cancelled.
            self._open.pop(request_id, None)
            server.forget(request_id)
            if timer.active():
                timer.cancel()
        return outcome

    def _changed(self, changes: Changes) -> None:
        # Not at once: the driver is in the midst of an event, which must not fail for their sake.
        if self._on_change is None or self.server is None or self._surroundings is None:
            return
        if not self._untold:
            self._surroundings.later(0, self._tell)
        self._untold.extend(told(changes, self.server))

    def _tell(self) -> None:
        assert self._on_change is not None, "only who listens is told"
        while self._untold:
            change = self._untold[0]
            try:
                self._on_change(change)
            except BaseException:
                # The loop tells of it; the rest is told in its next turn.
                if len(self._untold) > 1 and self._surroundings is not None:
                    self._surroundings.later(0, self._tell)
                raise
            finally:
                self._untold.popleft()

    def _halted(self, reason: str) -> None:
        # Not at once: the driver is in the midst of the event that stops it.
        assert self._surroundings is not None, "only what was started stops"
        self._stopped_for = reason
        self._surroundings.later(0, lambda: self._end_halted(reason))

    def _end_halted(self, reason: str) -> None:
        self._end(reason)
        if self._on_halt is not None:
            self._on_halt(reason)

    def _end(self, reason: str) -> None:
        server, self.server = self.server, None
        if server is None:
            return
        self._stopped_for = reason
        server.stop()
        server.change_log.listen(self, None)
        server.change_log.close()
        for keep in tuple(self._open.values()):
            keep(Unknown(reason=f"the server stopped before the answer came: {reason}"))


def _fault(command: Command, server: Server) -> str | None:
    """Return what is wrong with *command*: nothing that cannot be saved may be proposed."""
    if not command:
        return "ERR there is no command"
    try:
        sizes = [value_bytes(text) for text in command]
    except MalformedDatagramError:
        return "the value has lone surrogates, which no UTF-8 text can hold"
    request_bytes_max = limits_for(server.value_bytes_max).request_bytes_max
    if max(sizes) > server.value_bytes_max or sum(sizes) > request_bytes_max:
        return (
            f"the value is too large: it takes {max(sizes)} bytes in a message, with all beside it "
            f"{sum(sizes)}; {server.value_bytes_max} and {request_bytes_max} are the most that fit"
        )
    return server.machine.refusal(command)


def _read(config: Config | Path | str | None) -> Config:
    if isinstance(config, Config):
        return config
    return built_in_config() if config is None else load_config(config)
