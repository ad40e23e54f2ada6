"""The rules of what befalls servers and messages: crashes, lost disks, clocks, the network."""

from multipaxos.invariants.names import ONE_READER, PROGRESS, PROMISE_KEPT, SAVED_BEFORE_SENT
from multipaxos.lab.explain.rules import Rule

_DRIVER = "multipaxos.runtime.driver:Driver"
_REJOIN = "multipaxos.strategies.rejoin:Rejoining"

RULES_OF_PROCESSES = (
    Rule(
        id="start",
        title="A server goes on from its disk, or has no memory",
        text="What a server has on its disk is all that it knows when it starts: its votes, its "
        "place in the chain, the state. Without a state file it may have forgotten votes, and "
        "must ask before it votes again.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Simple, 2.5: stable storage",
        function="multipaxos.chain.position:ChainPosition.__init__",
        mark="self.memoryless = state is None",
    ),
    Rule(
        id="crash",
        title="A crash takes the memory and leaves the disk",
        text="A crash loses what was in memory: rounds, counts, timers, clients' requests. What "
        "was saved stays, and all that the server ever said of its votes was saved before.",
        invariant=SAVED_BEFORE_SENT,
        paper="Paxos Made Simple, 2.1: agents may fail by stopping and may restart",
        function=f"{_DRIVER}._perform",
        mark="self._save(outbox)",
    ),
    Rule(
        id="halt",
        title="A server that cannot keep the rules stops",
        text="A server that cannot save, or finds that it must not go on, stops for good and says "
        "why. Silence is safe: a quorum of the others can go on without it.",
        invariant=SAVED_BEFORE_SENT,
        function=f"{_DRIVER}._halt",
        mark="self.stop()",
    ),
    Rule(
        id="wiped",
        title="A lost disk is more than a crash",
        text="With its disk a server loses its promises and acceptances. If it voted again as if "
        "it had none, two values could be chosen: so it asks the others first, and sits out what "
        "it may have voted on.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Live, 5.1",
        function=f"{_REJOIN}._rejoin",
        mark="may_have_voted_on",
    ),
    Rule(
        id="pause",
        title="A pause is a crash that nobody notices",
        text="A process may stand still at any instruction, and go on without knowing. The log is "
        "safe whatever the clock says; a lease is looked at again after a value was read.",
        invariant=ONE_READER,
        paper="Paxos Made Simple, 2.1: agents operate at arbitrary speed",
        function=f"{_DRIVER}._check_reads",
        mark="self.seconds_left(lease) > 0",
    ),
    Rule(
        id="clock",
        title="Clocks may differ, and only leases look at them",
        text="No vote depends on a clock. A lease does: so the master trusts it for less time than "
        "the others respect it, by as much as two clocks may differ at worst.",
        invariant=ONE_READER,
        paper="Paxos Made Live, 5.2",
        function="multipaxos.chain.settings:Settings.held_lease_seconds",
        mark="self.lease_seconds * (1 - r)",
    ),
    Rule(
        id="disk",
        title="If saving fails, nothing is sent",
        text="A state that cannot be made durable must never be seen by anybody. The server stops "
        "before a message leaves that tells of it.",
        invariant=SAVED_BEFORE_SENT,
        function=f"{_DRIVER}._save",
        mark="self._halt(str(error))",
    ),
    Rule(
        id="network",
        title="The network may lose, delay, double and reorder",
        text="Nothing in the protocol relies on a message arriving, arriving once, or arriving in "
        "order: safety needs no message, and progress needs only that some get through in the end.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.1",
        function="multipaxos.runtime.ports:Messenger.send",
        mark="lost",
    ),
    Rule(
        id="waiting",
        title="Without memory a server asks, and waits for a majority",
        text="When a majority of the cluster, itself not counted, has told where it is, a server "
        "without memory knows how far it can have voted: each decided link had a quorum, and that "
        "shares a server with those that answer.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Live, 5.1",
        function=f"{_REJOIN}._consider",
        mark="self._are_majority(with_state)",
    ),
    Rule(
        id="rejoined",
        title="Who lost its memory sits out what it may have voted on",
        text="It may have voted at most one link beyond the highest at which those who answered "
        "are. It takes part in the links above that, and in none below.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Live, 5.1",
        function=f"{_REJOIN}._rejoin",
        mark="may_have_voted_on",
    ),
    Rule(
        id="founded",
        title="A quorum of new servers founds a chain",
        text="If a quorum has no memory and nobody who answers has one, no chain can exist that "
        "they forgot: they found a new one. Its first link gives it a name and says who may vote.",
        invariant=PROMISE_KEPT,
        function=f"{_REJOIN}._consider",
        mark="self._quorum_is_new()",
    ),
)
