"""One client's connection: its requests are answered in the order in which they came."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol as Interface
from typing import cast

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.chain import pipelines
from multipaxos.chain.requests import Outcome, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.runtime.change_log import ChangesMissingError
from multipaxos.runtime.client_port import redis_report, resp
from multipaxos.runtime.client_port.actions import (
    Action,
    Become,
    Greet,
    Propose,
    Quit,
    Watch,
    Welcome,
    replies_to,
)
from multipaxos.runtime.client_port.intake import Intake
from multipaxos.runtime.client_port.replies import reply_at_once
from multipaxos.runtime.client_port.service import CallObserver, Info, Service
from multipaxos.runtime.client_port.session import Rules, Session
from multipaxos.runtime.client_port.time_limit import TimeLimit
from multipaxos.runtime.client_port.transport import Transport, address_text, send
from multipaxos.runtime.client_port.watch_feed import WatchFeed
from multipaxos.runtime.reactor import Scheduler

IDLE_SECONDS_MAX = 300
"""A connection that asks nothing for so long is closed."""
ANSWER_SECONDS_MAX = 600
"""A connection whose request finds no quorum for so long is closed: the outcome is unknown."""


class Port(Interface):
    """What a connection needs of the port that made it."""

    service: Service
    clock: Scheduler
    observer: CallObserver
    rules: Rules

    def opened(self, connection: "ClientConnection") -> int:
        """Take note of a *connection*; return its number."""

    def closed(self, connection: "ClientConnection") -> None:
        """Take note of the end of *connection*."""

    def served(self, count: int = 1) -> None:
        """Take note of *count* requests."""

    def submit(self, asked: "Asked", connection: "ClientConnection") -> None:
        """Hand what is *asked* to the protocol; *connection* waits for its outcome."""

    def forget(self, request_id: RequestID, connection: "ClientConnection") -> None:
        """Let *connection* wait no more for *request_id*, which goes on all the same."""

    def info(self) -> Info:
        """Return what INFO tells."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the protocol was asked for: one *command* under one id, for what one or more propose."""

    request_id: RequestID
    command: Command
    since: int | None
    proposes: Sequence[Propose]


class ClientConnection(Protocol):
    """
    One client's connection.

    State: the *session*; the *intake* with the bytes not yet served; what is *in_protocol*; the
    *feed*, if the client watches; whether the client leaves its replies unread. One thing is in the
    protocol at a time, a request or a pipeline of them, so replies come in the requests' order.
    """

    def __init__(self, port: Port) -> None:
        """Begin for *port*, not connected yet."""
        self.port = port
        self.session = Session(is_trusted=port.rules.password is None)
        self.intake = Intake(port.rules, self.session)
        self.in_protocol: Asked | None = None
        self.feed: WatchFeed | None = None
        # For requests without an id the connection is the client: they come one after the other.
        self._client = f"tcp-{secrets.token_hex(8)}"
        self._sequence = 0
        self._output_is_full = self._input_is_stopped = False
        self._is_serving = False
        self._is_closing = False
        self._silence = TimeLimit(port.clock, self.abort)

    @property
    def tcp(self) -> Transport:
        """The transport, as the TCP connection that it is."""
        return cast("Transport", self.transport)

    # -- Twisted's events --------------------------------------------------------------------------

    @override
    def connectionMade(self) -> None:
        """Take up the connection."""
        self.tcp.setTcpNoDelay(True)
        self.tcp.setTcpKeepAlive(True)
        # As the producer of its replies it is told when the client does not read them.
        self.tcp.registerProducer(self, True)  # noqa: FBT003 - it pushes, unasked
        self.session = replace(
            self.session,
            number=self.port.opened(self),
            peer=address_text(self.tcp.getPeer()),
            own=address_text(self.tcp.getHost()),
        )
        self._begin_silence()

    @override
    def dataReceived(self, data: bytes) -> None:
        """Take bytes of the client."""
        self.intake.feed(data)
        self._serve()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client. Its request in the protocol goes on: it may be chosen already."""
        self._is_closing = True
        self._silence.stop()
        self.port.closed(self)
        self._end_watch()
        self._give_up()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Serve nothing while the client leaves its replies unread."""
        self._output_is_full = True
        if self.feed is not None:
            self.feed.pause()
        self._regulate_input()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Go on: the client has read."""
        self._output_is_full = False
        if self.feed is not None:
            self.feed.resume()
        self._serve()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Close: there is nobody to read."""
        self.close()

    # -- serving -----------------------------------------------------------------------------------

    def answer(self, outcome: Outcome) -> None:
        """Write the *outcome* of what is in the protocol, and go on to the next."""
        asked, self.in_protocol = self.in_protocol, None
        assert asked is not None, "only what was asked is answered"
        self.port.observer.returned(asked.request_id, asked.command, outcome)
        send(self.tcp, replies_to(asked.proposes, outcome))
        self._begin_silence()
        if self.intake.is_waiting and not self._is_serving:
            # Not at once: the driver is in the midst of the event that gave this answer.
            self.port.clock.callLater(0, self._serve)

    def close(self) -> None:
        """Close once all that was written is with the client."""
        self._is_closing = True
        self._end_watch()
        self.tcp.unregisterProducer()
        self.tcp.loseConnection()

    def abort(self) -> None:
        """Close now."""
        self._is_closing = True
        self._end_watch()
        self._give_up()
        self.tcp.abortConnection()

    def _serve(self) -> None:
        self._is_serving, has_served = True, False
        try:
            while self.in_protocol is None and not (self._output_is_full or self._is_closing):
                action = self.intake.next_action(self.session)
                if action is None:
                    break
                has_served = True
                self.port.served()
                self._perform(action)
        finally:
            self._is_serving = False
        if has_served:
            self._begin_silence()
        self._regulate_input()

    def _perform(self, action: Action) -> None:
        if self.feed is not None and not isinstance(action, Quit):
            send(self.tcp, resp.error("ERR this connection watches: only QUIT is possible here"))
            return
        match action:
            case Propose():
                self._propose(self.intake.gather(action, self.session))
            case Become(session=session, reply=reply):
                self._become(session)
                send(self.tcp, reply)
            case Welcome(session=session):
                self._become(session)
                send(self.tcp, redis_report.welcome(session, self.port.service.role()))
            case Greet():
                self._greet(action)
            case Watch():
                self._watch(action)
            case Quit(reply=reply):
                send(self.tcp, reply)
                self.close()
            case _:
                send(self.tcp, reply_at_once(action, self.port, self.session))

    def _become(self, session: Session) -> None:
        self.session = session
        self.intake.become(session)

    def _greet(self, greeting: Greet) -> None:
        service = self.port.service
        if greeting.uid is None or greeting == Greet(cluster=service.cluster, uid=service.uid):
            send(self.tcp, resp.integer(service.instance))
            return
        # What stands behind the greeting, in the same packet even, was meant for somebody else.
        send(self.tcp, resp.error(f"OTHER server {service.uid} of cluster {service.cluster}"))
        self.close()

    def _propose(self, proposes: Sequence[Propose]) -> None:
        first = proposes[0]
        command = first.command
        if len(proposes) > 1:
            self.port.served(len(proposes) - 1)
            is_read = self.port.rules.machine.is_read
            commands = [each.command for each in proposes]
            command = pipelines.pack(commands, reads=all(map(is_read, commands)))
        asked = Asked(first.request_id or self._next_id(), command, first.since, proposes)
        self.in_protocol = asked
        self.port.observer.called(asked.request_id, command)
        self.port.submit(asked, self)

    def _watch(self, watch: Watch) -> None:
        service = self.port.service
        try:
            feed = WatchFeed(
                service.change_log,
                watch.position,
                watch.key,
                clock=self.port.clock,
                instance=lambda: service.instance,
                encoding=self.session.encoding,
                write=self._write_push,
                on_gap=self._end_watch,
            )
        except ChangesMissingError as error:
            send(self.tcp, resp.error(f"GAP {error}"))
            return
        self.feed = feed
        send(self.tcp, resp.OK)
        feed.start()

    def _write_push(self, push: resp.Reply) -> None:
        # Who watches asks nothing, and is there as long as it reads.
        self._begin_silence()
        send(self.tcp, push)

    def _end_watch(self) -> None:
        feed, self.feed = self.feed, None
        if feed is not None:
            feed.stop()

    def _give_up(self) -> None:
        asked, self.in_protocol = self.in_protocol, None
        if asked is None:
            return
        self.port.forget(asked.request_id, self)
        unknown = Unknown(reason="the connection closed before the answer came")
        self.port.observer.returned(asked.request_id, asked.command, unknown)

    def _next_id(self) -> RequestID:
        self._sequence += 1
        return RequestID(self._client, self._sequence)

    def _regulate_input(self) -> None:
        if self._is_closing:
            return
        # While a request is in the protocol, reading goes on: a client's end must be noticed. More
        # unserved bytes than the longest request stay with the system, and so with the client.
        is_full = self._output_is_full or self.intake.is_full
        if is_full != self._input_is_stopped:
            self._input_is_stopped = is_full
            if is_full:
                self.tcp.pauseProducing()
            else:
                self.tcp.resumeProducing()

    def _begin_silence(self) -> None:
        if self._is_closing:
            self._silence.stop()
        else:
            self._silence.begin(
                IDLE_SECONDS_MAX if self.in_protocol is None else ANSWER_SECONDS_MAX
            )
