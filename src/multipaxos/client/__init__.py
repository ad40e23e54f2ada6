"""
The client library: propose values and read them, over plain sockets, one call at a time.

    from multipaxos.client import Chosen, Client

    client = Client([("127.0.0.1", 7001)])
    outcome = client.propose("hello", timeout_seconds=5)
    if isinstance(outcome, Chosen):
        print(f"link {outcome.link}")

Every request ends in an outcome: :class:`Chosen`, :class:`Refused` (it is in no link and will be in
none) or :class:`Unknown` (it may be in the chain, now or later). Nothing else can be promised over
a network: no answer in time does not mean that nothing happened.
"""

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.client.client import Client, HistoryLink
from multipaxos.client.connection import (
    ClientError,
    Endpoint,
    Identity,
    NotReachableError,
    OtherServerError,
    ProtocolError,
)

__all__ = [
    "Chosen",
    "Client",
    "ClientError",
    "Endpoint",
    "HistoryLink",
    "Identity",
    "NotReachableError",
    "OtherServerError",
    "Outcome",
    "ProtocolError",
    "Refused",
    "RequestID",
    "Unknown",
]
