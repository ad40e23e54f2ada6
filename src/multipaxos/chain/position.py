"""Where a server is in the chain: what it is part of, what it knows, what it has voted."""

from random import Random

from composable_paxos import AcceptorState, PaxosInstance, PeerID, Quorums
from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.links import Founders, Founding
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import StateMachine

MASTERS_NUMBER = 1
"""The proposal number that only the master named by the chain may use, in every instance."""

LOWEST_ORDINARY_NUMBER = 2


class ChainPosition:
    """
    One server's place in the chain.

    State that survives a crash: *birth*, *founders*, *founding*, *instance*, *votes_from*,
    *snapshot*, and the acceptor's in *paxos*; what they mean, :class:`DurableState` says. A server
    is *memoryless* as long as it does not know whether it had such a state before.
    """

    roles: type[PaxosInstance] = PaxosInstance
    """What takes part in an instance: the roles of single-decree Paxos, or a variant of them."""

    def __init__(
        self,
        *,
        membership: Membership,
        settings: Settings,
        machine: StateMachine,
        state: DurableState | None,
        rng: Random,
    ) -> None:
        """
        Resume from *state*, or begin without memory (None): then vote on nothing.

        *rng* is the only source of chance.
        """
        self.membership = membership
        self.settings = settings
        self.machine = machine
        self.rng = rng
        self.uid = membership.uid
        self.quorums = self.choose_quorums()
        self.memoryless = state is None
        if state is None:
            empty = Snapshot(value=machine.initial())
            state = DurableState(birth=self.draw_name(), snapshot=empty)
        self._durable = state
        self._durable_parts: tuple[object, ...] = ()
        self.birth = state.birth
        self.founders: Founders = state.founders
        self.founding: Founding | None = state.founding
        self.instance = state.instance
        self.votes_from = state.votes_from
        self.snapshot = state.snapshot
        self.paxos = self._new_paxos(state.acceptor)

    @property
    def chain_id(self) -> str:
        """The chain's name; empty until link 0 is known."""
        return "" if self.founding is None else self.founding.chain_id

    @property
    def durable(self) -> DurableState:
        """What must survive a crash, as of now: the same object as long as nothing changes."""
        # Tuples ask first whether two parts are one object; after most events all of them are. A
        # snapshot is another object whenever a link changed it, and may be too large to compare.
        parts = (
            self.paxos.state,
            self.instance,
            self.votes_from,
            self.founding,
            self.founders,
            self.birth,
        )
        if self.snapshot is not self._durable.snapshot or parts != self._durable_parts:
            self._durable_parts = parts
            self._durable = DurableState(
                birth=self.birth,
                founders=self.founders,
                founding=self.founding,
                instance=self.instance,
                votes_from=self.votes_from,
                acceptor=self.paxos.state,
                snapshot=self.snapshot,
            )
        return self._durable

    @property
    def master(self) -> PeerID | None:
        """The server that the links before this instance name as master; None if they name none."""
        return None if self.snapshot.master is None else self.snapshot.master.uid

    def choose_quorums(self) -> Quorums:
        """Return the quorums that this server counts with. Here: majorities."""
        return self.membership.quorums

    def draw_name(self) -> str:
        """Draw a name that no other draw gives: 64 random bits."""
        return f"{self.rng.getrandbits(64):016x}"

    def _enter(self, instance: int, snapshot: Snapshot) -> None:
        self.instance = instance
        self.snapshot = snapshot
        self.paxos = self._new_paxos(AcceptorState())

    def _new_paxos(self, acceptor: AcceptorState) -> PaxosInstance:
        return self.roles(self.uid, self.quorums, acceptor, lowest_number=LOWEST_ORDINARY_NUMBER)
