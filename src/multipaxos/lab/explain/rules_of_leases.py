"""The rules of mastership: leases, bids, and reads without a round."""

from multipaxos.invariants.names import LINEARIZABLE, ONE_READER, PROGRESS
from multipaxos.lab.explain.rules import Rule

_MASTER = "multipaxos.strategies.master:MasterLease"
_LEASE = "multipaxos.strategies.lease:LeaseRespect"

RULES_OF_LEASES = (
    Rule(
        id="bid",
        title="A lease is counted from the bid",
        text="The hourglass of a lease is turned when the bid for it leaves. The others learn of "
        "the bid's success later than that, and respect the lease from then on: so the master's "
        "own time ends first.",
        invariant=ONE_READER,
        paper="Paxos Made Live, 5.2",
        function=f"{_MASTER}.send_accept",
        mark="self.settings.held_lease_seconds",
    ),
    Rule(
        id="lease-began",
        title="A master trusts its lease from its bid on, less the error of clocks",
        text="Whoever finds its own bid in the chain is master. It trusts its lease for the time "
        "that was left in the hourglass: counted from when the bid left, and shortened by what "
        "two clocks may differ.",
        invariant=ONE_READER,
        paper="Paxos Made Live, 5.2",
        function=f"{_MASTER}._elected",
        mark="self.lease, self._bid_hourglass",
    ),
    Rule(
        id="lease-ended",
        title="A master stops trusting a lease before the others do",
        text="When its hourglass is empty, or the chain names another master, a server is master "
        "no more: it answers no reads alone and skips no phase. The others respect the lease for "
        "a little longer.",
        invariant=ONE_READER,
        paper="Paxos Made Live, 5.2",
        function=f"{_MASTER}._end_lease",
        mark="self.lease = None",
    ),
    Rule(
        id="foreign-lease",
        title="Who learns of a master respects it for a full lease",
        text="From the moment it learns who is master, by whatever route, a server helps nobody "
        "else for a full lease of its own clock; after a restart it begins anew. That is never "
        "earlier than when the master began to count.",
        invariant=ONE_READER,
        paper="Paxos Made Live, 5.2",
        function=f"{_LEASE}._respect",
        mark="master.lease_seconds",
    ),
    Rule(
        id="foreign-lease-ended",
        title="After a full lease without news, mastership is open",
        text="When the lease that a server respected is over, it votes for anybody again, and "
        "waits a random moment before it seeks mastership itself, so that not all do at once.",
        invariant=PROGRESS,
        function=f"{_LEASE}.timeout",
        mark="Timer.FOREIGN_LEASE",
    ),
    Rule(
        id="election",
        title="Mastership is sought in the chain itself",
        text="A server that wants to be master, or to stay it, proposes a link that says so. The "
        "chain decides on it as on any other link, so all agree on who is master in which link.",
        invariant=PROGRESS,
        paper="Paxos Made Simple, 2.4: a distinguished proposer",
        function=f"{_MASTER}.timeout",
        mark="Timer.ELECTION",
    ),
    Rule(
        id="local-read",
        title="A master answers reads alone while its lease runs",
        text="While a master trusts its lease, no quorum helps anybody else, so every link is its "
        "own. The value that it holds is the newest one, if the lease still runs after it was "
        "read and no link is in flight.",
        invariant=LINEARIZABLE,
        paper="Paxos Made Live, 5.2",
        function="multipaxos.strategies.reads:LocalReads._read_all",
        mark="LocalRead(",
    ),
)
