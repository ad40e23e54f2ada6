"""Saves that are wrong on purpose."""

from dataclasses import replace
from typing import Any

from typing_extensions import override

from multipaxos.chain.effects import Outbox, Save
from multipaxos.chain.replicated_value import BaseReplicatedValue


class SavesAfterSending(BaseReplicatedValue):
    """
    Sends first, and saves a little later.

    Mistake: the state is on its way to the disk when the message is on its way to the others. A
    crash between the two leaves a server that does not know what it has promised, and others that
    do.

    Rule: an acceptor records its response in stable storage before it sends the response (Paxos
    Made Simple, 2.5).

    Met: with write-behind caches, ``fsync`` switched off for speed, and writes that are made
    "asynchronous" in the name of latency.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with nothing that waits to be saved."""
        super().__init__(**arguments)
        self._late: Save | None = None

    @override
    def take_outbox(self) -> Outbox:
        outbox = super().take_outbox()
        late, self._late = self._late, outbox.save
        return replace(outbox, save=late)


class SavesHalf(BaseReplicatedValue):
    """
    Saves its votes, and not the value.

    Mistake: two things change together and are saved apart, so that a crash, or forgetfulness, can
    leave one without the other: a server that is at link 7 with the value of link 3.

    Rule: the state machine's state is what all links so far amount to, applied in order and each
    once (Paxos Made Simple, 3; Schneider, State Machine Approach, 1990).

    Met: with the log in one file and the state in another, and no transaction around them.
    """

    @override
    def take_outbox(self) -> Outbox:
        outbox = super().take_outbox()
        if outbox.save is None:
            return outbox
        state = outbox.save.state
        state = replace(state, snapshot=replace(state.snapshot, value=None))
        return replace(outbox, save=replace(outbox.save, state=state))
