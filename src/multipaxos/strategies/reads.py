"""Local reads: a master whose lease runs answers a read without a round."""

from typing import Any

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.effects import LocalRead, Timer
from multipaxos.chain.links import Link
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, Refused, RequestID, Update
from multipaxos.chain.state_machine import apply_safely


class LocalReads(BaseReplicatedValue):
    """
    Answers reads from this server's own state while its lease runs and no link is in flight.

    A link in flight may be chosen already, and learned elsewhere; a read must not be older than
    what another client has seen, so it waits for that link. Without a lease a read goes through the
    chain like an update. State: the *reads* that wait, each once, by request and the server that it
    came from.

    Invariant (Linearizable, I11): at some instant between the read's call and its answer, the value
    was the newest chosen one. That instant is when the driver finds the lease running.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with no read waiting."""
        super().__init__(**arguments)
        self.reads: dict[tuple[RequestID, PeerID], Update] = {}

    @override
    def take_update(self, update: Update, *, origin: PeerID) -> None:
        """Keep a read for a local answer; super() is called for all that must go elsewhere."""
        if self.lease is None or not self.machine.is_read(update.command):
            super().take_update(update, origin=origin)
        elif (update.request_id, origin) in self.reads:
            return  # Asked again: a Forward was repeated, or doubled on its way.
        elif len(self.reads) >= self.settings.queue_max:
            reason = f"busy: {len(self.reads)} reads wait already"
            self.answer(update.request_id, Refused(reason=reason))
        else:
            self.reads[update.request_id, origin] = update
            if self.is_untouched:
                self._read_all()

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        super().instance_began(learned=learned)
        if self.lease is None:
            self._send_elsewhere()
        else:
            self._read_all()

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if self.lease is None:
            self._send_elsewhere()

    def _read_all(self) -> None:
        assert self.lease is not None, "only a master reads alone"
        reads, self.reads = self.reads, {}
        for (_, origin), update in reads.items():
            _, result = apply_safely(self.machine, self.snapshot.value, update.command)
            self.read_locally(
                LocalRead(
                    update=update,
                    origin=origin,
                    outcome=Chosen(link=self.instance - 1, result=result),
                    lease=self.lease,
                )
            )

    def _send_elsewhere(self) -> None:
        reads, self.reads = self.reads, {}
        for (_, origin), update in reads.items():
            self.take_update(update, origin=origin)
