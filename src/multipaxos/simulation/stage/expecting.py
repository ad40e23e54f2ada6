"""
The command of a script that claims something: if it is not so, the script cannot be carried out.

A caption tells people what happens; an expectation beside it makes sure that it does.
"""

from collections.abc import Callable

from composable_paxos import PeerID
from multipaxos.chain.requests import Chosen
from multipaxos.simulation.manual_network import way_of
from multipaxos.simulation.stage.base import BadCommandError, StageBase
from multipaxos.trace import describe_link, describe_state, plain, printable

NOTHING = "nothing"
NOBODY = "nobody"
LENGTH_MAX = 200


class ExpectCommand(StageBase):
    """Holds what a script claims against what is so."""

    def expect(self, rest: str) -> None:
        """``expect chosen 1 x``, ``expect not promised B 2.A``: go on only if it is so."""
        words = rest.split()
        is_wanted = words[:1] != ["not"]
        match words if is_wanted else words[1:]:
            case [claim, *details] if claim in _CLAIMS:
                found = _CLAIMS[claim](self, details)
            case _:
                claims = ", ".join(_CLAIMS)
                raise BadCommandError(
                    f"write: expect CLAIM, or: expect not CLAIM; claims: {claims}"
                )
        wanted = " ".join(details)
        if (wanted in found) is not is_wanted:
            raise BadCommandError(f"it is not so: {claim} is {_shown(found)}")

    # -- claims: each returns all that is true of it -----------------------------------------------

    def _chosen(self, details: list[str]) -> list[str]:
        link = self._link(details)
        chosen = self.cluster.invariants.chosen.get(link)
        if chosen is None:
            return [f"{link} {NOTHING}"]
        told = describe_link(plain(chosen.value)).replace('"', "")
        return [f"{link}", f"{link} {told}", f"{link} {told} under {chosen.proposal_id}"]

    def _promised(self, details: list[str]) -> list[str]:
        uid = self._first_uid(details)
        state = self.cluster.servers[uid].disk.state
        return [f"{uid} {NOTHING if state is None else state.acceptor.promised_id}"]

    def _accepted(self, details: list[str]) -> list[str]:
        uid = self._first_uid(details)
        state = self.cluster.servers[uid].disk.state
        if state is None or state.acceptor.accepted_id.number == 0:
            return [f"{uid} {NOTHING}"]
        value = describe_link(plain(state.acceptor.accepted_value)).replace('"', "")
        number = state.acceptor.accepted_id
        return [f"{uid} {number}", f"{uid} {number} {value}"]

    def _refused(self, _details: list[str]) -> list[str]:
        refusals = []
        for event in self.events:
            if event.kind == "refused":
                message = event.fields["message"]
                assert isinstance(message, dict)
                number = message.get("proposal_id", "")
                refused = f"{event.server} {message['type']}"
                refusals += [refused, f"{refused} {number}"]
        return refusals or [NOTHING]

    def _at(self, details: list[str]) -> list[str]:
        uid = self._first_uid(details)
        server = self.cluster.servers[uid]
        if server.up:
            return [f"{uid} {server.replica.instance}"]
        state = server.disk.state
        return [f"{uid} {NOTHING if state is None else state.instance}"]

    def _value(self, details: list[str]) -> list[str]:
        uid = self._first_uid(details)
        state = self.cluster.servers[uid].disk.state
        value = None if state is None else state.snapshot.value
        told = NOTHING if value is None else describe_state(plain(value)).replace('"', "")
        return [f"{uid} {told}"]

    def _trusting(self, _details: list[str]) -> list[str]:
        return [*self.cluster.trusting()] or [NOBODY]

    def _up(self, _details: list[str]) -> list[str]:
        return [server.uid for server in self.cluster.live()] or [NOBODY]

    def _answered(self, _details: list[str]) -> list[str]:
        answers = []
        for call in self.cluster.calls.values():
            outcome = call.outcome
            if isinstance(outcome, Chosen):
                answers += [f"{call.request_id}", f"{call.request_id} {outcome.link}"]
                answers.append(f"{call.request_id} {outcome.link} {outcome.result}")
        return answers or [NOTHING]

    def _broken(self, _details: list[str]) -> list[str]:
        names = [name.partition(" ")[0] for name, _ in self.cluster.violations]
        return names or [NOTHING]

    def _in_flight(self, _details: list[str]) -> list[str]:
        return [way_of(envelope) for envelope in self.hand.on_their_way()] or [NOTHING]

    def _link(self, details: list[str]) -> int:
        return self._count(details[0] if details else "", 0, 10**9, "the number of a link")

    def _first_uid(self, details: list[str]) -> PeerID:
        return self._uid(details[0] if details else "")


def _shown(found: list[str]) -> str:
    return printable("; ".join(dict.fromkeys(found)), length_max=LENGTH_MAX)


# ruff: disable[SLF001]
_CLAIMS: dict[str, Callable[[ExpectCommand, list[str]], list[str]]] = {
    "chosen": ExpectCommand._chosen,
    "promised": ExpectCommand._promised,
    "accepted": ExpectCommand._accepted,
    "refused": ExpectCommand._refused,
    "at": ExpectCommand._at,
    "value": ExpectCommand._value,
    "trusting": ExpectCommand._trusting,
    "up": ExpectCommand._up,
    "answered": ExpectCommand._answered,
    "broken": ExpectCommand._broken,
    "in-flight": ExpectCommand._in_flight,
}
# ruff: enable[SLF001]
