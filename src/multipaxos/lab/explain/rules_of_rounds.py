"""The rules by which a proposer drives its rounds."""

from multipaxos.invariants.names import (
    ONE_VALUE_PER_NUMBER,
    PROGRESS,
    QUORUMS_INTERSECT,
    VALUE_IS_SAFE,
)
from multipaxos.lab.explain.rules import Rule

_PROPOSER = "composable_paxos.proposer:Proposer"
_RESOLVING = "multipaxos.strategies.resolution:Resolving"

RULES_OF_ROUNDS = (
    Rule(
        id="prepare",
        title="A round begins above every number seen",
        text="A proposer takes a number above all that it has met, with its own name in it, so "
        "that nobody else can issue the same one. It asks the acceptors to promise it, and to say "
        "what they have accepted.",
        invariant=ONE_VALUE_PER_NUMBER,
        paper="Paxos Made Simple, 2.2, phase 1",
        function=f"{_PROPOSER}.prepare",
        mark="self.highest_seen.number + 1",
    ),
    Rule(
        id="count-promise",
        title="A quorum of promises, counted by name",
        text="A proposer may ask for acceptance once a quorum has promised its number. It counts "
        "servers, not messages: a repeated promise is still one promise.",
        invariant=QUORUMS_INTERSECT,
        paper="Paxos Made Simple, 2.2, phase 2",
        function=f"{_PROPOSER}.receive_promise",
        mark="self.promised_by.add",
    ),
    Rule(
        id="free-choice",
        title="Nothing was reported: the proposer is free",
        text="If no acceptor of the promising quorum has accepted anything, then nothing below the "
        "number is chosen, nor ever will be. The proposer may ask for any value: its own.",
        invariant=VALUE_IS_SAFE,
        paper="Paxos Made Simple, 2.2, P2c",
        function=f"{_PROPOSER}.receive_promise",
        mark="message.accepted_id > self.adopted_id",
    ),
    Rule(
        id="bound-choice",
        title="The highest reported acceptance binds the proposer",
        text="If acceptors report what they have accepted, the value under the highest number may "
        "be chosen already, and no other can be. The proposer must ask for that one, whatever it "
        "wished itself.",
        invariant=VALUE_IS_SAFE,
        paper="Paxos Made Simple, 2.2, P2c",
        function=f"{_PROPOSER}.receive_promise",
        mark="message.accepted_id > self.adopted_id",
    ),
    Rule(
        id="number-one",
        title="The master asks for acceptance at once",
        text="Number 1 is the lowest, and the master alone may use it: nothing can have been "
        "accepted below. Phase 1 could report nothing, so the master leaves it out and needs one "
        "round trip instead of two.",
        invariant=VALUE_IS_SAFE,
        paper="Paxos Made Simple, 3",
        function="multipaxos.strategies.master:MasterLease.start_round",
        mark="self.paxos.skip_prepare",
    ),
    Rule(
        id="retransmission",
        title="What may be lost is asked again",
        text="A request that gets no answer may be lost, or its answer may be. It is repeated as "
        "it was, number and value, until the link is decided: acceptors answer a repetition as "
        "they did before, and learners count each of them once.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.1: messages can be lost and duplicated",
        function=f"{_RESOLVING}._repeat",
        mark="self.broadcast(request)",
    ),
    Rule(
        id="nack",
        title="A refusal tells the proposer of the higher number",
        text="A refusal is not needed for safety. It tells the proposer which number it must go "
        "above; when those that have not refused are no quorum any more, the round is lost.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.2",
        function=f"{_PROPOSER}.receive_nack",
        mark="self.refused_by.add",
    ),
    Rule(
        id="round-lost",
        title="A round that cannot get a quorum any more is given up",
        text="Once the acceptors that have not refused are too few for a quorum, the round cannot "
        "succeed. Nothing is lost but time: another one begins, with a higher number.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.4",
        function=f"{_PROPOSER}.receive_nack",
        mark="self.quorums.have_accepted(remaining)",
    ),
    Rule(
        id="backoff",
        title="After a lost round: wait, at random, and longer each time",
        text="Two proposers can undo each other's rounds for ever, and no protocol without chance "
        "or clocks can exclude that. So the wait before the next round is drawn at random from a "
        "window that doubles with each loss: sooner or later one of them has time to finish.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.4",
        function=f"{_RESOLVING}.round_lost",
        mark="self.rng.uniform",
    ),
    Rule(
        id="takeover",
        title="Who accepted a value and hears no more of it finishes it",
        text="A value that was accepted may be chosen, and its proposer dead. Whoever accepted it "
        "and hears nothing for a while begins a round of its own, and finds out.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.3",
        function=f"{_RESOLVING}._take_over",
        mark="EventKind.TAKEOVER",
    ),
    Rule(
        id="abstention",
        title="A proposer need not vote itself",
        text="An acceptor may vote as late as it likes: a quorum needs no particular member. If "
        "the others answered last time, the proposer, which has most to do, leaves the vote to "
        "them, and casts its own only when they are late.",
        paper="Cheap Paxos, Lamport and Massa, 2004",
        function="multipaxos.strategies.abstention:Abstention.send_accept",
        mark="self._accepted_before",
    ),
    Rule(
        id="forward",
        title="Who must not propose hands the request to the master",
        text="While another server's lease runs, a server proposes nothing itself. It keeps its "
        "clients' requests, sends them to the master, and repeats that until they are in the "
        "chain: the request's id keeps it from being applied twice.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 3",
        function="multipaxos.strategies.forwarding:Forwarding._forward",
        mark="Forward(updates=together)",
    ),
)
