"""
What a path leaves out: messages that are answered without anything else happening.

The model lets such answers be sent at once, as the network keeps them anyway. A person who reads
the path wants to see those that are delivered later, and no other.
"""

from collections.abc import Iterable, Iterator, Sequence

from multipaxos.chain.messages import Envelope
from multipaxos.exploration.chain_events import Receive
from multipaxos.exploration.chain_model import Action, ChainModel
from multipaxos.exploration.chain_process import Process, value_of


class Network:
    """Everything that was sent, in order, each message once."""

    def __init__(self) -> None:
        """Begin empty."""
        self.sent: dict[object, Envelope] = {}

    def take(self, envelopes: Iterable[Envelope]) -> list[object]:
        """Take *envelopes*, and return what is known of those that are new."""
        new = []
        for envelope in envelopes:
            key = value_of(envelope)
            if key not in self.sent:
                self.sent[key] = envelope
                new.append(key)
        return new


def with_echoes(model: ChainModel, path: Sequence[Action]) -> list[Action]:
    """Return the prologue and *path*, with the answers between the steps that these need."""
    told: list[tuple[Action, list[object] | None]] = []
    network = Network()
    processes: list[Process] = []
    for n, server in enumerate(model.servers):
        played = server.stage.start(model.disk(n))
        processes.append(played.process)
        network.take(e for _, outbox in played.outboxes for e in outbox.sent)
    told.extend(_echoes(model, processes, network))
    for n, event in (*model.prologue, *path):
        played = model.servers[n].stage.play(processes[n], event)
        processes[n] = played.process
        network.take(e for _, outbox in played.outboxes for e in outbox.sent)
        told.append(((n, event), None))
        told.extend(_echoes(model, processes, network))
    return _needed(told)


def _needed(told: Sequence[tuple[Action, list[object] | None]]) -> list[Action]:
    kept: list[Action] = []
    delivered: set[object] = set()
    for (n, event), answers in reversed(told):
        if answers is None or not delivered.isdisjoint(answers):
            kept.append((n, event))
            if isinstance(event, Receive):
                delivered.add(value_of(event.envelope))
    return kept[::-1]


def _echoes(
    model: ChainModel, processes: Sequence[Process], network: Network
) -> Iterator[tuple[Action, list[object]]]:
    """Yield deliveries that only send something new, each with what is known of that."""
    uids = model.bounds.uids
    found = True
    while found:
        found = False
        for envelope in tuple(network.sent.values()):
            n = uids.index(envelope.receiver)
            if processes[n].reads or processes[n].halted:
                continue
            played = model.servers[n].stage.play(processes[n], Receive(envelope))
            if played.process.key() != processes[n].key() or played.turns:
                continue
            new = network.take(e for _, outbox in played.outboxes for e in outbox.sent)
            if new:
                found = True
                yield (n, Receive(envelope)), new
