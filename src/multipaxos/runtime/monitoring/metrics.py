"""
What a server counts and measures, in Prometheus' terms; docs/reference/metrics.md lists all of it.

Every server has a registry of its own: a process may hold several.
"""

from collections import Counter as Tally
from collections.abc import Callable, Mapping
from itertools import product
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder

from composable_paxos import Message
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import ChainMessage, Envelope
from multipaxos.chain.pipelines import READS, commands_of
from multipaxos.chain.refusals import Reason
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.runtime.ports import Storage

COUNTED = {
    EventKind.RESOLVED: ("links_resolved", "Links that this server found to be decided."),
    EventKind.LEARNED: ("links_learned", "Links that another server told it were decided."),
    EventKind.CAUGHT_UP: ("catch_ups", "Times that it skipped links, with another's snapshot."),
    EventKind.ROUND_LOST: ("rounds_lost", "Rounds of its own that others outbid: duels."),
    EventKind.TAKEOVER: ("takeovers", "Rounds that it began after a proposer's silence."),
    EventKind.FORWARDED: ("requests_forwarded", "Requests that it sent to the master."),
}
"""What the protocol says of itself, and the counter of each."""
REFUSED = "Messages that the protocol did not take, by reason."
SENT = "Messages to other servers, by type."
RECEIVED = "Messages of other servers, by type."
REQUESTS = "Requests of clients that ended, by command and outcome."
REQUEST_SECONDS = (
    "Time from a client's call to its answer, if that was chosen; of a pipeline, once."
)
SAVE_SECONDS = "Time that it took to make the state durable."

OUTCOMES = {Chosen: "chosen", Refused: "refused", Unknown: "unknown"}
SAVE_BUCKETS = (1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
REQUEST_BUCKETS = (*SAVE_BUCKETS[1:], 5.0, 10.0)


class Metrics:
    """
    Counts what a driver and a client port do, as an observer of both.

    State: the counts, in *registry*; and of the requests in hand, when each was called.
    """

    def __init__(self, *, seconds: Callable[[], float], machine: StateMachine) -> None:
        """Begin at zero; *seconds* is the server's clock, *machine* knows its commands."""
        self.registry = CollectorRegistry()
        self._seconds = seconds
        self._machine = machine
        self._called: dict[RequestID, list[float]] = {}
        self._happened = {kind: self._counter(*counted) for kind, counted in COUNTED.items()}
        reasons: dict[object, str] = {reason: reason.value for reason in Reason}
        types = {each: each.__name__ for each in (*get_args(Message), *get_args(ChainMessage))}
        self._refused = _each(self._counter("messages_refused", REFUSED, "reason"), reasons)
        self._sent = _each(self._counter("messages_sent", SENT, "type"), types)
        self._received = _each(self._counter("messages_received", RECEIVED, "type"), types)
        self._requests = self._counter("requests", REQUESTS, "command", "outcome")
        # A label that any stranger could invent would let him fill the memory.
        self._ended = {
            labels: self._requests.labels(*labels)
            for labels in product((*machine.forms, "other"), OUTCOMES.values())
        }
        requests = self._histogram("request", REQUEST_SECONDS, REQUEST_BUCKETS, "kind")
        self._read_seconds, self._write_seconds = requests.labels("read"), requests.labels("write")
        self._save_seconds = self._histogram("save", SAVE_SECONDS, SAVE_BUCKETS)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics as text and the type of that, by what the header *accept* asks for."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # It asks for a version that is no number.
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type

    def timed(self, storage: Storage) -> Storage:
        """Return *storage* with its saves measured."""
        return _TimedStorage(storage, self._seconds, self._save_seconds)

    # -- the driver --------------------------------------------------------------------------------

    def sent(self, envelope: Envelope) -> None:
        """Count a message."""
        self._sent[type(envelope.message)].inc()

    def delivered(self, envelope: Envelope) -> None:
        """Count a message."""
        self._received[type(envelope.message)].inc()

    def happened(self, event: Event) -> None:
        """Count what the protocol says of itself."""
        if event.kind is EventKind.REFUSED:
            self._refused[event.details["reason"]].inc()
        elif event.kind in self._happened:
            self._happened[event.kind].inc()

    # -- clients -----------------------------------------------------------------------------------

    def called(self, request_id: RequestID, command: Command) -> None:  # noqa: ARG002 - an observer
        """Note when the request came; its repetition may come while it is in hand."""
        self._called.setdefault(request_id, []).append(self._seconds())

    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """
        Count the request, and measure it if it was chosen: a refusal is quick, an end is not.

        Of a pipeline, each command is counted, and their time is measured once: it is the same.
        """
        ended = OUTCOMES[type(outcome)]
        commands = commands_of(command)
        # Most requests are one command: to tally that would cost more than to count it.
        counts = {commands[0][0]: 1} if len(commands) == 1 else Tally(each[0] for each in commands)
        for name, count in counts.items():
            self._ended.get((name, ended), self._ended["other", ended]).inc(count)
        calls = self._called[request_id]
        seconds = self._seconds() - calls.pop(0)
        if not calls:
            del self._called[request_id]
        if isinstance(outcome, Chosen):
            is_read = command[0] == READS or self._machine.is_read(command)
            (self._read_seconds if is_read else self._write_seconds).observe(seconds)

    # -- own affairs -------------------------------------------------------------------------------

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"multipaxos_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, what: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        name = f"multipaxos_{what}_seconds"
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)


class _TimedStorage:
    """A *storage* whose saves are measured."""

    def __init__(
        self, storage: Storage, seconds: Callable[[], float], histogram: Histogram
    ) -> None:
        self._storage = storage
        self._seconds = seconds
        self._histogram = histogram

    def load(self) -> DurableState | None:
        return self._storage.load()

    def save(self, save: Save) -> None:
        began = self._seconds()
        self._storage.save(save)
        self._histogram.observe(self._seconds() - began)

    def history(self, count: int) -> list[DecidedLink]:
        return self._storage.history(count)

    def close(self) -> None:
        self._storage.close()


def _each(counter: Counter, labels: Mapping[object, str]) -> dict[object, Counter]:
    """Return the counter of each of *labels*: what never happened is shown, too, as a zero."""
    return {value: counter.labels(label) for value, label in labels.items()}
