"""One client's connection: its requests are served one after the other."""

import secrets
from dataclasses import replace
from typing import Protocol as Interface
from typing import cast

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.chain.requests import Outcome, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.runtime import redis_report, resp
from multipaxos.runtime.actions import (
    Action,
    Become,
    Greet,
    Propose,
    Quit,
    ReadStale,
    Say,
    TellHistory,
    TellInfo,
    TellRole,
    TellStatus,
    Welcome,
    reply_to,
)
from multipaxos.runtime.commands import interpret
from multipaxos.runtime.own_commands import link_and_result
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.reactor import DelayedCall, Scheduler
from multipaxos.runtime.request_reader import (
    LIMITS,
    LIMITS_OF_STRANGERS,
    REQUEST_BYTES_MAX,
    RequestError,
    RequestReader,
)
from multipaxos.runtime.service import CallObserver, Info, Service
from multipaxos.runtime.session import Rules, Session
from multipaxos.runtime.transport import Transport, address_text

IDLE_SECONDS_MAX = 300
"""A connection that asks nothing for so long is closed."""
ANSWER_SECONDS_MAX = 600
"""A connection whose request finds no quorum for so long is closed: the outcome is unknown."""
WAITING_BYTES_MAX = REQUEST_BYTES_MAX
"""More unserved bytes than these stay with the operating system, and so with the client."""


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

    def served(self) -> None:
        """Take note of a request."""

    def submit(
        self, request_id: RequestID, propose: Propose, connection: "ClientConnection"
    ) -> None:
        """Hand what is proposed to the protocol; *connection* waits for its outcome."""

    def forget(self, request_id: RequestID, connection: "ClientConnection") -> None:
        """Let *connection* wait no more for *request_id*, which goes on all the same."""

    def info(self) -> Info:
        """Return what INFO tells."""


class ClientConnection(Protocol):
    """
    One client's connection.

    State: the *session*; the bytes not yet served; the request that is *in_protocol*; whether the
    client leaves its replies unread. Requests are served one after the other, so replies come in
    their order.
    """

    def __init__(self, port: Port) -> None:
        """Begin for *port*, not connected yet."""
        self.port = port
        self.session = Session(is_trusted=port.rules.password is None)
        self.reader = RequestReader(LIMITS if self.session.is_trusted else LIMITS_OF_STRANGERS)
        self.in_protocol: tuple[RequestID, Propose] | None = None
        # For requests without an id the connection is the client: they come one after the other.
        self._client = f"tcp-{secrets.token_hex(8)}"
        self._sequence = 0
        self._output_is_full = False
        self._is_serving = False
        self._is_closing = False
        self._time_out: DelayedCall | None = None

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
        self._restart_time_out()

    @override
    def dataReceived(self, data: bytes) -> None:
        """Take bytes of the client."""
        self.reader.feed(data)
        self._serve()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client. Its request in the protocol goes on: it may be chosen already."""
        self._is_closing = True
        self._stop_time_out()
        self.port.closed(self)
        self._give_up()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Serve nothing while the client leaves its replies unread."""
        self._output_is_full = True
        self._regulate_input()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Go on: the client has read."""
        self._output_is_full = False
        self._serve()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Close: there is nobody to read."""
        self.close()

    # -- serving -----------------------------------------------------------------------------------

    def answer(self, outcome: Outcome) -> None:
        """Write the *outcome* of the request in the protocol, and go on to the next."""
        assert self.in_protocol is not None, "only what was asked is answered"
        request_id, propose = self.in_protocol
        self.in_protocol = None
        self.port.observer.returned(request_id, propose.command, outcome)
        self.tcp.write(reply_to(propose, outcome))
        self._restart_time_out()
        if len(self.reader) and not self._is_serving:
            # Not at once: the driver is in the midst of the event that gave this answer.
            self.port.clock.callLater(0, self._serve)

    def close(self) -> None:
        """Close once all that was written is with the client."""
        self._is_closing = True
        self.tcp.unregisterProducer()
        self.tcp.loseConnection()

    def abort(self) -> None:
        """Close now."""
        self._is_closing = True
        self._give_up()
        self.tcp.abortConnection()

    def _serve(self) -> None:
        self._is_serving = True
        try:
            while self.in_protocol is None and not (self._output_is_full or self._is_closing):
                request = self.reader.next_request()
                if request is None:
                    break
                self.port.served()
                self._restart_time_out()
                self._perform(interpret(request, session=self.session, rules=self.port.rules))
        except RequestError as error:
            self.tcp.write(resp.error(f"ERR {error}"))
            self.close()
        finally:
            self._is_serving = False
        self._regulate_input()

    def _perform(self, action: Action) -> None:
        match action:
            case Propose():
                self._propose(action)
            case Become(session=session, reply=reply):
                self._become(session)
                self.tcp.write(reply)
            case Welcome(session=session):
                self._become(session)
                self.tcp.write(redis_report.welcome(session, self.port.service.role()))
            case Greet():
                self._greet(action)
            case Quit(reply=reply):
                self.tcp.write(reply)
                self.close()
            case _:
                self.tcp.write(self._reply(action))

    def _reply(
        self, action: Say | ReadStale | TellStatus | TellHistory | TellInfo | TellRole
    ) -> resp.Reply:
        match action:
            case Say(reply=reply):
                return reply
            case ReadStale(command=command):
                return self._read_stale(command)
            case TellStatus():
                return resp.bulk(self.port.service.status())
            case TellHistory(count=count):
                return self._history(count)
            case TellInfo(sections=sections):
                text = redis_report.info_text(self.port.info(), sections)
                return self.session.encoding.verbatim(text)
            case TellRole():
                return redis_report.role_reply(self.port.service.role())

    def _become(self, session: Session) -> None:
        self.session = session
        self.reader.limits = LIMITS if session.is_trusted else LIMITS_OF_STRANGERS

    def _read_stale(self, command: Command) -> resp.Reply:
        read = self.port.service.read_stale(command)
        if read is None:
            return resp.error("REFUSED this server has no memory yet")
        return link_and_result(read)

    def _greet(self, greeting: Greet) -> None:
        service = self.port.service
        if greeting.uid is None or greeting == Greet(cluster=service.cluster, uid=service.uid):
            self.tcp.write(resp.integer(service.instance))
            return
        # What stands behind the greeting, in the same packet even, was meant for somebody else.
        self.tcp.write(resp.error(f"OTHER server {service.uid} of cluster {service.cluster}"))
        self.close()

    def _history(self, count: int) -> resp.Reply:
        try:
            return resp.bulk(self.port.service.history(count))
        except StorageError as error:
            return resp.error(f"ERR {error}")

    def _propose(self, propose: Propose) -> None:
        request_id = propose.request_id or self._next_id()
        self.in_protocol = (request_id, propose)
        self._restart_time_out()
        self.port.observer.called(request_id, propose.command)
        self.port.submit(request_id, propose, self)

    def _give_up(self) -> None:
        if self.in_protocol is None:
            return
        request_id, propose = self.in_protocol
        self.in_protocol = None
        self.port.forget(request_id, self)
        unknown = Unknown(reason="the connection closed before the answer came")
        self.port.observer.returned(request_id, propose.command, unknown)

    def _next_id(self) -> RequestID:
        self._sequence += 1
        return RequestID(self._client, self._sequence)

    def _regulate_input(self) -> None:
        if self._is_closing:
            return
        # While a request is in the protocol, reading goes on: a client's end must be noticed.
        if self._output_is_full or len(self.reader) > WAITING_BYTES_MAX:
            self.tcp.pauseProducing()
        else:
            self.tcp.resumeProducing()

    def _restart_time_out(self) -> None:
        seconds = IDLE_SECONDS_MAX if self.in_protocol is None else ANSWER_SECONDS_MAX
        if self._is_closing:
            self._stop_time_out()
        elif self._time_out is None:
            self._time_out = self.port.clock.callLater(seconds, self.abort)
        else:
            self._time_out.reset(seconds)

    def _stop_time_out(self) -> None:
        if self._time_out is not None and self._time_out.active():
            self._time_out.cancel()
