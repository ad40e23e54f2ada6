"""
The core of a client: what it says to which server, and what it makes of the answers.

No socket, clock or sleep is here. See :mod:`multipaxos.client.steps`.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple, TypeVar

import hiredis

from multipaxos.chain.requests import Chosen, Outcome, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.client.errors import (
    AuthenticationError,
    ClientError,
    ClosedError,
    CommandError,
    NoReplyError,
    NotReachableError,
    OtherServerError,
    ProtocolError,
)
from multipaxos.client.fate import Fate
from multipaxos.client.servers import Attempts, Progress, Servers, shown
from multipaxos.client.steps import Close, Endpoint, IsOpen, Open, Receive, Send, Steps
from multipaxos.client.wire import Request, outcome_of, pack, refusal_of

A = TypeVar("A")

IDLE_SECONDS_MAX = 1.0
"""
A connection that was silent for longer is greeted before a request goes over it.

So a request is not lost on a dead connection, and its *since* is recent: one from long ago may lie
before all that the chain remembers, which then cannot tell a new request from a forgotten one.
"""

TOO_MANY_CLIENTS = "ERR max number of clients"


class Identity(NamedTuple):
    """Which server of which cluster should answer at an endpoint."""

    cluster: str
    uid: str


class Talk:
    """
    One client's talk with one server at a time.

    State: the *name* and the *sequence* of the newest request, which together name each request for
    ever; the *server* whose connection may be used, None if there is none; when it last spoke.

    A name's requests come one after the other. After one whose outcome is Unknown the name goes on
    all the same: should the old request still travel, the chain skips it once it holds a newer one
    of the name. That takes nothing from what was promised, for an Unknown promises nothing, and
    gives something: what such a program does next is not undone by an old request that comes late.
    """

    def __init__(
        self,
        name: str,
        servers: Servers,
        progress: Progress,
        *,
        seconds: Callable[[], float],
        rng: Random,
        sequence: int = 0,
        password: str | None = None,
        identities: Mapping[Endpoint, Identity] | None = None,
    ) -> None:
        """Begin without a connection. *seconds* is the clock of all deadlines."""
        self.name = name
        self.servers = servers
        self.progress = progress
        self.seconds = seconds
        self.sequence = sequence
        self.server: Endpoint | None = None
        self._rng = rng
        self._password = password
        self._identities = dict(identities or {})
        self._heard_at = 0.0

    # -- with retries, until a deadline ------------------------------------------------------------

    def meet(self, *, deadline: float) -> Steps[Endpoint]:
        """Return the first server that answers a greeting."""

        def nothing_more(server: Endpoint, _: float) -> Steps[Endpoint | None]:
            yield from ()
            return server

        return (yield from self._seek(nothing_more, self._attempts(deadline)))

    def execute(self, command: Command, *, deadline: float) -> Steps[Outcome]:
        """
        Return what became of *command*, under one request id through all attempts.

        NotReachableError, AuthenticationError or ClosedError if certainly nothing was sent.
        """
        refusal = refusal_of(command)
        if refusal is not None:
            return refusal
        request: Request | None = None
        fate = Fate()
        attempts = self._attempts(deadline)

        def propose(server: Endpoint, share: float) -> Steps[Outcome | None]:
            nonlocal request
            request = request or self.make_request(command)
            try:
                reply = yield from self.ask(request.packed(), deadline=share)
            except NotReachableError as error:
                fate.not_sent(server, error)
                return None
            except (NoReplyError, ProtocolError) as error:
                fate.unanswered(server, str(error))
                return None
            outcome = fate.judge(server, reply)
            if fate.is_busy:
                yield from attempts.rest()
            self._note(server, outcome)
            return outcome

        found: Outcome | None = yield from self._seek_with(fate, propose, attempts)
        return found or fate.outcome()

    def question(self, packed: bytes, *, deadline: float) -> Steps[tuple[Endpoint, Any]]:
        """
        Return who answered a question that changes nothing, and the reply.

        CommandError if it has no meaning there; NotReachableError if nobody answers.
        """

        def put(server: Endpoint, share: float) -> Steps[tuple[Endpoint, Any] | None]:
            reply = yield from self.ask(packed, deadline=share)
            if not isinstance(reply, hiredis.ReplyError):
                return server, reply
            if str(reply).startswith("ERR "):
                raise CommandError(str(reply).removeprefix("ERR "))
            raise NotReachableError(str(reply))

        return (yield from self._seek(put, self._attempts(deadline)))

    # -- without --------------------------------------------------------------------------------

    def propose(self, request: Request, *, deadline: float) -> Steps[Outcome]:
        """Return what one attempt tells of *request*, through the server that is connected."""
        server = self.server
        assert server is not None, "a server was met"
        try:
            reply = yield from self.ask(request.packed(), deadline=deadline)
        except NoReplyError as error:
            return Unknown(reason=str(error))
        outcome = outcome_of(reply)
        self._note(server, outcome)
        return outcome

    def meet_first(self, *, deadline: float) -> Steps[None]:
        """Greet the server that is connected, or the first that can be; each is tried once."""
        attempts = self._attempts(deadline)
        reasons = []
        for _ in self.servers.endpoints:
            server, share = attempts.next(self.server)
            try:
                yield from self.attend(server, deadline=share)
            except NotReachableError as error:
                reasons.append(f"{shown(server)}: {error}")
                attempts.tried.add(server)
            else:
                return
        raise NotReachableError("; ".join(reasons) or "there is no server to ask")

    # -- one server ------------------------------------------------------------------------------

    def make_request(self, command: Command) -> Request:
        """Name this client's next request. A server must have been met before."""
        self.sequence += 1
        request_id = RequestID(self.name, self.sequence)
        # Whatever link was in progress anywhere by now, those below it were decided without it.
        return Request(request_id=request_id, since=self.progress.link, command=command)

    def attend(self, server: Endpoint, *, deadline: float) -> Steps[None]:
        """
        See to it that *server* is connected, said who it is, and was heard of lately.

        NotReachableError if not; OtherServerError, AuthenticationError and ProtocolError for a
        server that answers, and will not or must not serve. No request was sent to it.
        """
        is_usable = server == self.server and (yield IsOpen())
        if is_usable and self.seconds() - self._heard_at <= IDLE_SECONDS_MAX:
            return
        if not is_usable:
            self.server = None
            yield Open(server=server, deadline=deadline)
        try:
            yield from self._greet(server, deadline, is_new=not is_usable)
        except NoReplyError as error:
            raise NotReachableError(str(error)) from error
        except ClientError:
            yield Close()
            raise

    def ask(self, packed: bytes, *, deadline: float) -> Steps[Any]:
        """Return the reply of the server that is connected."""
        server = self.server
        # Whatever interrupts this: a connection that owes a reply is not used again, for its reply
        # would be taken for that to the next request.
        self.server = None
        yield Send(request=packed, deadline=deadline)
        reply = yield Receive(deadline=deadline)
        self.server = server
        self._heard_at = self.seconds()
        return reply

    # -- own affairs -------------------------------------------------------------------------------

    def _attempts(self, deadline: float) -> Attempts:
        return Attempts(
            servers=self.servers, deadline=deadline, seconds=self.seconds, rng=self._rng
        )

    def _seek(
        self, serve: Callable[[Endpoint, float], Steps[A | None]], attempts: Attempts
    ) -> Steps[A]:
        fate = Fate()

        def serve_or_fail(server: Endpoint, share: float) -> Steps[A | None]:
            try:
                return (yield from serve(server, share))
            except (NoReplyError, NotReachableError, ProtocolError) as error:
                fate.not_sent(server, error)
                return None

        found: A | None = yield from self._seek_with(fate, serve_or_fail, attempts)
        if found is None:
            fate.outcome()
            raise AssertionError("nothing was sent that could have an outcome")
        return found

    def _seek_with(
        self,
        fate: Fate,
        serve: Callable[[Endpoint, float], Steps[Any]],
        attempts: Attempts,
    ) -> Steps[Any]:
        """Return the first that *serve* finds; None if there is no time left to find it."""
        while not attempts.is_over:
            server, share = attempts.next(self.server)
            try:
                yield from self.attend(server, deadline=share)
            except ClosedError:
                if fate.may_be_taken:
                    return None
                raise
            except ClientError as error:
                # To know the password better is up to the caller, unless a request is on its way.
                if isinstance(error, AuthenticationError) and not fate.may_be_taken:
                    raise
                fate.not_sent(server, error)
                if len(fate.strangers) == len(self.servers.endpoints):
                    # To wait does not make them those that were meant.
                    return None
            else:
                found = yield from serve(server, share)
                if found is not None:
                    return found
            yield from attempts.failed(server)
        return None

    def _greet(self, server: Endpoint, deadline: float, *, is_new: bool) -> Steps[None]:
        is_authenticating = is_new and self._password is not None
        packed = pack("MULTIPAXOS", "HELLO", *self._identities.get(server, ()))
        if is_authenticating:
            packed = pack("AUTH", self._password or "") + packed
        self.server = None
        yield Send(request=packed, deadline=deadline)
        if is_authenticating:
            self._check_authentication((yield Receive(deadline=deadline)))
        reply = yield Receive(deadline=deadline)
        self.progress.hear(self._link_in_progress(server, reply), server)
        self.server = server
        self._heard_at = self.seconds()

    def _check_authentication(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            if str(reply).startswith(TOO_MANY_CLIENTS):
                raise NotReachableError("it has too many clients")
            _, _, reason = str(reply).partition(" ")
            raise AuthenticationError(f"the server does not take the password: {reason}")

    def _link_in_progress(self, server: Endpoint, reply: Any) -> int:
        if isinstance(reply, int):
            return reply
        kind, _, who = str(reply).partition(" ")
        if kind == "OTHER" and server in self._identities:
            identity = self._identities[server]
            raise OtherServerError(
                f"{shown(server)} is {who}, the configuration says {identity.uid} of cluster "
                f"{identity.cluster}"
            )
        if kind == "NOAUTH":
            raise AuthenticationError("the server asks for a password")
        if str(reply).startswith(TOO_MANY_CLIENTS):
            raise NotReachableError("it has too many clients")
        raise ProtocolError(f"the server answers: {reply}")

    def _note(self, server: Endpoint, outcome: Outcome | None) -> None:
        if isinstance(outcome, Chosen):
            self.progress.hear(outcome.link + 1, server)
