"""
The client library, over plain sockets: it needs no Twisted.

>>> with connect("127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003") as value:
...     value.set("hello")
...     value.get()
True
'hello'

Every request ends in an outcome: :class:`Chosen`, :class:`Refused` (it is in no link and will be in
none) or :class:`Unknown` (it may be in the chain, now or later). Nothing else can be promised over
a network: no answer in time does not mean that nothing happened.

Reading order: ``steps`` (what the core asks of a shell), ``wire``, ``servers``, ``fate`` (what is
known of a request), ``talk`` and ``watching`` (the core), ``calls`` (the methods as pure pairs);
``blocking`` and ``asynchronous`` (the shells), ``lanes``, ``value`` and ``async_value`` (the API);
``client`` makes one attempt and no more, for the command line.
"""

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.client.async_value import AsyncValue, AsyncWatch, connect_async
from multipaxos.client.calls import StaleValue
from multipaxos.client.client import Client, HistoryLink
from multipaxos.client.errors import (
    AuthenticationError,
    BadArgumentError,
    ClientError,
    ClosedError,
    CommandError,
    NoReplyError,
    NotReachableError,
    OtherServerError,
    OutcomeError,
    ProtocolError,
    RefusedError,
    UnknownOutcomeError,
)
from multipaxos.client.steps import Endpoint
from multipaxos.client.talk import Identity
from multipaxos.client.value import Value, Watch, connect
from multipaxos.client.watching import Change
from multipaxos.client.wire import Request

__all__ = [
    "AsyncValue",
    "AsyncWatch",
    "AuthenticationError",
    "BadArgumentError",
    "Change",
    "Chosen",
    "Client",
    "ClientError",
    "ClosedError",
    "CommandError",
    "Endpoint",
    "HistoryLink",
    "Identity",
    "NoReplyError",
    "NotReachableError",
    "OtherServerError",
    "Outcome",
    "OutcomeError",
    "ProtocolError",
    "Refused",
    "RefusedError",
    "Request",
    "RequestID",
    "StaleValue",
    "Unknown",
    "UnknownOutcomeError",
    "Value",
    "Watch",
    "connect",
    "connect_async",
]
