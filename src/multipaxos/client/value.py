"""The replicated value as a blocking object that threads may share."""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, overload

from typing_extensions import override

from multipaxos.chain.requests import Outcome
from multipaxos.client import calls
from multipaxos.client.blocking import BlockingShell, Connect
from multipaxos.client.calls import Call, StaleValue
from multipaxos.client.errors import ClosedError
from multipaxos.client.lanes import Lane, Lanes
from multipaxos.client.servers import Servers, check_name, check_timeout, parse_addresses
from multipaxos.client.steps import Endpoint, Steps
from multipaxos.client.talk import Identity, Talk
from multipaxos.client.watching import Change, Watching, newest_link
from multipaxos.client.wire import pack

A = TypeVar("A")

TIMEOUT_SECONDS = 5.0


def connect(
    addresses: str | Sequence[str],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    password: str | None = None,
    name: str = "client",
    identities: Mapping[Endpoint, Identity] | None = None,
    open_socket: Connect = socket.create_connection,
) -> "Value":
    """
    Return the value that the servers at *addresses* keep, once one of them has answered.

    *addresses* are texts ``host:port``, or one such text with commas; they are tried in this order.
    Every call ends after *timeout_seconds*. In the servers' traces its requests come from clients
    whose names begin with *name*. Where *identities* say which server of which cluster should
    answer at an endpoint, anybody else gets no request. *open_socket* may open another kind of
    connection, such as TLS.

    BadArgumentError, NotReachableError, AuthenticationError or OtherServerError if it cannot begin.

    >>> value = connect("127.0.0.1:7001, 127.0.0.1:7002, 127.0.0.1:7003")
    >>> value.set("hello")
    True
    >>> value.get()
    'hello'
    >>> value.close()
    """
    seconds = time.monotonic
    lanes = Lanes(
        name=check_name(name),
        servers=Servers(parse_addresses(addresses)),
        password=password,
        seconds=seconds,
        make_shell=lambda: BlockingShell(open_socket, seconds=seconds),
        identities=identities,
    )
    value = Value(lanes, timeout_seconds=check_timeout(timeout_seconds))
    try:
        value.meet()
    except BaseException:
        value.close()
        raise
    return value


class Value:
    """
    A replicated value: a register, or a dictionary, as the servers were told.

    Threads may share it; :func:`connect` makes it. Its methods have two forms: with a key for a
    dictionary, without one for a register. Every one that reads sees whatever was done before it
    was called, by anybody; only :meth:`stale_get` does not.

    All but :meth:`execute` raise an :class:`~multipaxos.client.errors.OutcomeError` when there is
    no result, and say which it was: RefusedError (it was not and will not be done), CommandError
    (it cannot be done) or UnknownOutcomeError (nobody knows: no answer came in time). Until then
    they go from server to server, and repeat the request under the same id, so that it is done once
    at most. If certainly nothing was sent, they raise NotReachableError.

    A program that makes one request after the other can rely on this, too: when a later write is
    done, an earlier one whose outcome is unknown is either done already or will never be.

    State: the lanes over which it asks.
    """

    def __init__(self, lanes: Lanes[BlockingShell], *, timeout_seconds: float) -> None:
        """Begin without a connection. Use :func:`connect`."""
        self.timeout_seconds = timeout_seconds
        self._lanes = lanes

    # -- one value, or one key ---------------------------------------------------------------------

    @overload
    def set(self, value: str, /) -> bool: ...

    @overload
    def set(self, key: str, value: str, /, *, nx: bool = False, xx: bool = False) -> bool: ...

    def set(self, *arguments: str, nx: bool = False, xx: bool = False) -> bool:
        """
        Set the value, or that of a key; tell whether it was done.

        With *nx* it is done only if the key does not exist yet, with *xx* only if it does.

        >>> value.set("hello")
        True
        >>> dictionary.set("colour", "blue", nx=True)
        True
        >>> dictionary.set("colour", "red", nx=True)
        False
        """
        return self._call(calls.set_value(*arguments, nx=nx, xx=xx))

    def get(self, *key: str) -> str | None:
        """
        Return the value, or that of a *key*; None if there is none.

        >>> dictionary.get("shape") is None
        True
        """
        return self._call(calls.get(*key))

    @overload
    def compare_and_set(self, expected: str | None, new: str, /) -> bool: ...

    @overload
    def compare_and_set(self, key: str, expected: str | None, new: str, /) -> bool: ...

    def compare_and_set(self, *arguments: str | None) -> bool:
        """
        Set the value, or that of a key, to *new* if it is as *expected*; tell whether it was.

        To expect None is to expect that nothing is there.

        >>> dictionary.compare_and_set("turn", None, "ann")
        True
        >>> dictionary.compare_and_set("turn", "bob", "ann")
        False
        """
        return self._call(calls.compare_and_set(*arguments))

    # -- a dictionary ------------------------------------------------------------------------------

    def delete(self, *keys: str) -> int:
        """
        Delete *keys*; return how many there were.

        >>> dictionary.set_many({"a": "1", "b": "2"})
        >>> dictionary.delete("a", "b", "c")
        2
        """
        return self._call(calls.delete(*keys))

    def exists(self, *keys: str) -> int:
        """Return how many of *keys* there are; one named twice counts twice."""
        return self._call(calls.exists(*keys))

    def increment(self, key: str, amount: int = 1) -> int:
        """
        Add *amount* to the whole number at *key*, 0 if there is none; return the sum.

        >>> dictionary.increment("visits")
        1
        >>> dictionary.increment("visits", 10)
        11
        >>> dictionary.set("visits", "many")
        True
        >>> dictionary.increment("visits")
        Traceback (most recent call last):
        multipaxos.client.errors.CommandError: value is not an integer or out of range
        """
        return self._call(calls.increment(key, amount))

    def append(self, key: str, text: str) -> int:
        """Append *text* to what is at *key*; return the length of that now."""
        return self._call(calls.append(key, text))

    def set_many(self, texts: Mapping[str, str]) -> None:
        """Set all these keys at once: nobody sees some of them set and others not."""
        self._call(calls.set_many(texts))

    def get_many(self, *keys: str) -> list[str | None]:
        """Return what is at *keys* at one moment, None where there is nothing."""
        return self._call(calls.get_many(*keys))

    def keys(self, pattern: str = "*") -> list[str]:
        """Return the keys that match *pattern*: ``*``, ``?``, ``[abc]``, as in Redis."""
        return self._call(calls.keys(pattern))

    def scan(self, pattern: str = "*") -> Iterator[str]:
        """
        Yield the keys that match *pattern*, some at a time.

        A key that is there all the while is yielded; one that comes or goes meanwhile may be.

        >>> dictionary.set_many({"user:1": "ann", "user:2": "bob"})
        >>> sorted(dictionary.scan("user:*"))
        ['user:1', 'user:2']
        """
        cursor = ""
        while cursor != calls.SCAN_END:
            cursor, found = self._call(calls.scan(cursor or calls.SCAN_END, pattern))
            yield from found

    def size(self) -> int:
        """Return how many keys there are."""
        return self._call(calls.size())

    # -- anything ----------------------------------------------------------------------------------

    def execute(self, *command: str) -> Outcome:
        """
        Return what became of any *command*, as a value, whatever it is.

        >>> value.execute("SET", "hello")
        Chosen(link=1, result=True)
        >>> value.execute("SET")
        Refused(reason="ERR wrong number of arguments for 'set' command")

        NotReachableError, AuthenticationError or ClosedError if certainly nothing was sent.
        """
        return self._run(lambda talk, deadline: talk.execute(command, deadline=deadline))

    def stale_get(self, *key: str) -> StaleValue:
        """
        Return what one server has at once, without asking the others: it may be out of date.

        It works without a majority, too.

        >>> value.set("hello")
        True
        >>> value.stale_get()
        StaleValue(value='hello', link=1, server='127.0.0.1:7001')
        """
        packed = pack("MULTIPAXOS", "STALE", *calls.stale_command(*key))
        return calls.stale_value(
            *self._run(lambda talk, deadline: talk.question(packed, deadline=deadline))
        )

    def status(self) -> dict[str, Any]:
        """Return how the server is that this client asks now, as ``multipaxos status`` shows it."""
        packed = pack("MULTIPAXOS", "STATUS")
        _, reply = self._run(lambda talk, deadline: talk.question(packed, deadline=deadline))
        found: dict[str, Any] = json.loads(calls.text_of(reply))
        return found

    def watch(self, key: str | None = None) -> "Watch":
        """
        Return an iterator over all changes from now on, of *key* or of everything.

        It never ends by itself: it goes on at another server when one fails, and waits while there
        is none. Close it, from any thread, to end the loop.

        >>> with value.watch() as changes:
        ...     value.set("hello")
        ...     for change in changes:
        ...         print(change.link, change.value)
        ...         break
        True
        2 hello
        """
        link = self._run(lambda talk, deadline: newest_link(talk, key, deadline=deadline))
        return Watch(self._lanes, link=link, key=key)

    def meet(self) -> None:
        """Greet a server; NotReachableError if none answers, as other errors may be."""
        self._run(lambda talk, deadline: talk.meet(deadline=deadline))

    def close(self) -> None:
        """Close all connections, for good, and end the watches; what is under way goes on."""
        self._lanes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- own affairs -------------------------------------------------------------------------------

    def _call(self, call: Call[A]) -> A:
        return call.answer(self.execute(*call.command))

    def _run(self, steps_of: Callable[[Talk, float], Steps[A]]) -> A:
        deadline = self._lanes.seconds() + self.timeout_seconds
        lane = self._lanes.take()
        try:
            return lane.shell.run(steps_of(lane.talk, deadline))
        finally:
            # Also after an exception of any kind: a name may go on whatever became of its request,
            # see Talk, and a connection that owes a reply is not used again, see Talk.ask.
            self._lanes.put_back(lane)


class Watch(Iterator[Change]):
    """
    The changes of a watch, each once and in order. One thread iterates; any may close it.

    State: a lane of its own, and the position behind which all is still to be told.
    """

    def __init__(self, lanes: Lanes[BlockingShell], *, link: int, key: str | None) -> None:
        """Begin behind *link*. Use :meth:`Value.watch`."""
        self._lanes = lanes
        self._lane: Lane[BlockingShell] = lanes.make()
        self._watching = Watching(self._lane.talk, lanes.make_talk(), link=link, key=key)

    @override
    def __next__(self) -> Change:
        """Wait for the next change; the iteration ends when the watch, or its client, is closed."""
        try:
            return self._lane.shell.run(self._watching.next_change())
        except ClosedError:
            raise StopIteration from None

    def close(self) -> None:
        """End the watch."""
        self._lanes.drop(self._lane)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
