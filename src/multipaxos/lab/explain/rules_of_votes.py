"""The rules that an acceptor votes by, and by which it refuses."""

from multipaxos.invariants.names import (
    ACCEPTED_WITHIN_PROMISE,
    APPLIED_ONCE,
    ONE_READER,
    ONE_VALUE_PER_NUMBER,
    PROMISE_KEPT,
    SAVED_BEFORE_SENT,
)
from multipaxos.lab.explain.rules import Rule

_ACCEPTOR = "composable_paxos.acceptor:Acceptor"
_BASE = "multipaxos.chain.replicated_value:BaseReplicatedValue"

RULES_OF_VOTES = (
    Rule(
        id="promise",
        title="An acceptor promises the highest number it has met",
        text="An acceptor that is asked to promise a number above all that it has promised does "
        "so, reports what it accepted last, and from then on refuses everything below the number.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Simple, 2.2, P1a",
        function=f"{_ACCEPTOR}.receive_prepare",
        mark="message.proposal_id < self.state.promised_id",
    ),
    Rule(
        id="accept",
        title="An acceptor accepts unless it has promised more",
        text="An acceptor accepts a proposal unless it has promised a higher number. To accept a "
        "number is to promise it as well.",
        invariant=ACCEPTED_WITHIN_PROMISE,
        paper="Paxos Made Simple, 2.2, P1a",
        function=f"{_ACCEPTOR}.receive_accept",
        mark="promised_id=message.proposal_id",
    ),
    Rule(
        id="refuse-promised",
        title="A promise is kept: everything lower is refused",
        text="After it has promised a number, an acceptor neither promises nor accepts anything "
        "lower, however late it comes. It says so, to spare the proposer a wait.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Simple, 2.2, P1a",
        function=f"{_ACCEPTOR}.receive_accept",
        mark="self.nack",
    ),
    Rule(
        id="refuse-lease",
        title="While another's lease runs, its rivals get no vote",
        text="For a full lease from when it learned of the master, a server votes for no other "
        "server's proposals. So no quorum makes another master while the old one still trusts its "
        "lease.",
        invariant=ONE_READER,
        paper="Paxos Made Live, 5.2",
        function="multipaxos.strategies.lease:LeaseRespect.vote_refusal",
        mark="self.respected",
    ),
    Rule(
        id="refuse-number-one",
        title="Number 1 of every link belongs to one master",
        text="The links before name at most one master, and all who work on this link share them. "
        "Only that master may use number 1, and nothing can have been accepted below it: so it "
        "may ask for acceptance at once. Anybody else's number 1 is refused.",
        invariant=ONE_VALUE_PER_NUMBER,
        paper="Paxos Made Simple, 2.2: different proposals have different numbers",
        function="multipaxos.chain.voting:Voting.vote_refusal",
        mark="MASTERS_NUMBER",
    ),
    Rule(
        id="refuse-votes-from",
        title="No vote on a link where an earlier vote may be forgotten",
        text="A server that lost its memory may have voted on links that it cannot name. It sits "
        "out all on which it can have voted, and votes again from the first one beyond.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Live, 5.1",
        function="multipaxos.chain.voting:Voting.vote_refusal",
        mark="self.instance < self.votes_from",
    ),
    Rule(
        id="refuse-founders",
        title="A founder votes only for those who found with it",
        text="Link 0 of a new chain is decided by its founders. A founder votes for a proposer "
        "only if that one names it as it is in this life: otherwise two chains could begin.",
        invariant=PROMISE_KEPT,
        function="multipaxos.strategies.rejoin:Rejoining.vote_refusal",
        mark="Reason.FOUNDERS",
    ),
    Rule(
        id="refuse-no-memory",
        title="A server without memory takes part in nothing",
        text="A missing state is no empty one: the server may have promised and accepted what it "
        "no longer knows. Until it has asked the others it votes on nothing.",
        invariant=PROMISE_KEPT,
        paper="Paxos Made Live, 5.1",
        function=f"{_BASE}._envelope_refusal",
        mark="self.memoryless",
    ),
    Rule(
        id="refuse-other-chain",
        title="Messages of another chain are refused",
        text="Every message names its chain, by what link 0 of it decided. A server takes none of "
        "another chain, and tells the sender which one it keeps.",
        invariant=APPLIED_ONCE,
        function=f"{_BASE}._envelope_refusal",
        mark="envelope.chain_id != self.chain_id",
    ),
    Rule(
        id="refuse-other-founding",
        title="A chain that began otherwise is not taken over",
        text="A server that knows link 0 of its chain takes over no state, and no links, that rest "
        "on another link 0.",
        invariant=APPLIED_ONCE,
        function="multipaxos.strategies.sync:Synchronization.receive_catch_up",
        mark="self.founding not in",
    ),
    Rule(
        id="refuse-too-far",
        title="A jump must be plausible",
        text="A catch-up that skips more links than any cluster could have decided is a forgery "
        "or an accident, and is not taken.",
        function="multipaxos.strategies.sync:Synchronization.receive_catch_up",
        mark="instance_jump_max",
    ),
    Rule(
        id="refuse-behind",
        title="A closed link is voted on no more",
        text="A server that has learned a link has gone on to the next one, and keeps no votes of "
        "the old one. It does not vote there again; whoever asks is behind, and is told what it "
        "missed.",
        invariant=APPLIED_ONCE,
        paper="Paxos Made Simple, 3",
        function=f"{_BASE}._receive_paxos",
        mark="envelope.instance < self.instance",
    ),
    Rule(
        id="refuse-ahead",
        title="Links are worked on one after the other",
        text="A server that does not know the link before yet casts no vote on a later one: it may "
        "not know who its master is. It keeps the message for a while and asks for what it missed.",
        invariant=APPLIED_ONCE,
        paper="Paxos Made Simple, 3",
        function=f"{_BASE}._receive_paxos",
        mark="envelope.instance > self.instance",
    ),
    Rule(
        id="save-before-send",
        title="First saved, then sent",
        text="What a server says about its votes must survive a crash. So an event's new state is "
        "made durable before the messages that reveal it leave, and a server that cannot save "
        "stops.",
        invariant=SAVED_BEFORE_SENT,
        paper="Paxos Made Simple, 2.5: stable storage",
        function="multipaxos.chain.effect_collector:EffectCollector._unsaved",
        mark="self.saved",
    ),
    Rule(
        id="early-send",
        title="A request to accept need not wait for its proposer's own save",
        text="An Accept tells what its proposer wants, not what it has accepted. If its number "
        "can stand for no other value in a later life, it may leave while the save is still under "
        "way (group commit). Promises and acceptances never may.",
        invariant=SAVED_BEFORE_SENT,
        function="multipaxos.strategies.group_commit:GroupCommit.may_overtake_save",
        mark="isinstance(message, Accept)",
    ),
)
