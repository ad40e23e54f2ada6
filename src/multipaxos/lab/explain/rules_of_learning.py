"""The rules by which servers find out what is chosen, and answer for it."""

from multipaxos.invariants.names import (
    AGREEMENT,
    APPLIED_ONCE,
    LINEARIZABLE,
    PROGRESS,
    RESOLVED_MEANS_CHOSEN,
)
from multipaxos.lab.explain.rules import Rule

_BASE = "multipaxos.chain.replicated_value:BaseReplicatedValue"

RULES_OF_LEARNING = (
    Rule(
        id="chosen",
        title="A value is chosen when a quorum has accepted one proposal",
        text="The instant at which the last acceptance of a quorum is durable decides the link, "
        "before anybody knows. From then on no other value can be chosen: every later quorum "
        "shares a server with this one, and that server reports it.",
        invariant=AGREEMENT,
        paper="Paxos Made Simple, 2.2",
        function="composable_paxos.quorum:Quorums.have_accepted",
        mark="self.accept_size",
    ),
    Rule(
        id="count-acceptance",
        title="Acceptances of one proposal add up, each server's once",
        text="A learner counts which servers have accepted one and the same proposal. A message "
        "that comes twice counts once. At a quorum it knows what is chosen.",
        invariant=RESOLVED_MEANS_CHOSEN,
        paper="Paxos Made Simple, 2.3",
        function="composable_paxos.learner:Learner.receive_accepted",
        mark="self.quorums.have_accepted",
    ),
    Rule(
        id="resolved-by-counting",
        title="A learner resolves what it counted a quorum for",
        text="When a quorum's acceptances of one proposal have reached a server, it knows that the "
        "value is chosen. It applies the link and goes on to the next one.",
        invariant=RESOLVED_MEANS_CHOSEN,
        paper="Paxos Made Simple, 2.3",
        function="composable_paxos.learner:Learner.receive_accepted",
        mark="Resolution(",
    ),
    Rule(
        id="resolved-by-being-told",
        title="Who accepted a proposal need only hear that it was chosen",
        text="A number stands for one value. A server that has accepted a proposal and hears that "
        "this very number decided the link knows the link, without counting.",
        invariant=RESOLVED_MEANS_CHOSEN,
        paper="Paxos Made Simple, 2.3: a distinguished learner",
        function="multipaxos.strategies.brevity:Brevity.take_hint",
        mark="envelope.decided_by == accepted.accepted_id",
    ),
    Rule(
        id="brevity",
        title="What everybody can know is not said again",
        text="Every server was asked to accept, and a number stands for one value: an acceptance "
        "needs no value, and only the proposer needs it. The proposer tells the others which "
        "number decided the link.",
        paper="Paxos Made Simple, 2.3: a distinguished learner",
        function="multipaxos.strategies.brevity:Brevity.tell_acceptance",
        mark="replace(accepted, value=None)",
    ),
    Rule(
        id="learned",
        title="Decided links are told to whoever missed them",
        text="What another server has learned is decided, however it came to know. A server that "
        "is told the links that it missed applies them in their order.",
        invariant=APPLIED_ONCE,
        paper="Paxos Made Simple, 2.3",
        function="multipaxos.strategies.replay:Replaying._replay",
        mark="decided.number == self.instance",
    ),
    Rule(
        id="caught-up",
        title="Who is far behind takes over what the links amount to",
        text="A server that missed more than is worth telling takes over the state after those "
        "links, and drops its own part in them: they are decided.",
        invariant=APPLIED_ONCE,
        paper="Paxos Made Live, 5.5",
        function=f"{_BASE}.install",
        mark="instance > self.instance",
    ),
    Rule(
        id="help",
        title="Whoever is behind is helped",
        text="A request about a closed link, or a greeting from an earlier link, shows that its "
        "sender is behind. It is told the links that it missed, or what they amount to.",
        invariant=PROGRESS,
        function="multipaxos.strategies.replay:Replaying.help_peer",
        mark="Decided(links=links)",
    ),
    Rule(
        id="sync",
        title="Servers greet each other, so that nobody stays behind",
        text="From time to time a server tells another, picked at random, at which link it is. "
        "Whoever is behind asks for help, and whoever is ahead gives it.",
        invariant=PROGRESS,
        function="multipaxos.strategies.sync:Synchronization.receive_sync",
        mark="envelope.instance < self.instance",
    ),
    Rule(
        id="request",
        title="A request waits at its server until it is in the chain",
        text="A server queues what its clients ask for, each under the request's own id, and "
        "proposes it when no other link is in flight. What loses its link to another value goes "
        "into the next one.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 3",
        function=f"{_BASE}.propose_updates",
        mark="self.propose_next()",
    ),
    Rule(
        id="answer",
        title="A client is answered when its request is decided and applied",
        text="An answer comes from the link that holds the request, after that is decided. A "
        "request that comes again is recognised by its id, applied once, and answered as it was.",
        invariant=APPLIED_ONCE,
        paper="Viewstamped Replication Revisited, 4.1",
        function="multipaxos.chain.ledger:_apply_updates",
        mark="_outcome_in",
    ),
    Rule(
        id="unknown",
        title="No answer is not a refusal",
        text="When a client hears nothing, or its server cannot know, the request may be in the "
        "chain or may come into it later. It is told just that: unknown. It may ask again under "
        "the same id.",
        invariant=LINEARIZABLE,
        function="multipaxos.chain.ledger:_outcome_in",
        mark="Unknown(",
    ),
    Rule(
        id="refused-request",
        title="A refused request was not proposed",
        text="A server says that it refuses a request only if it has not proposed it, and never "
        "will. Elsewhere the same request may still be proposed, if the client asked there too.",
        invariant=LINEARIZABLE,
        function=f"{_BASE}.take_update",
        mark="Refused(",
    ),
)
