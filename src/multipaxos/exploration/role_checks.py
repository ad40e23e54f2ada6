"""
The invariants of a single decree, held against states of the roles model.

They look at what was sent and at what is on the disks. No role's logic is used: what a quorum is,
they ask the quorums that the servers count with, and I6 looks whether these can be right.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, combinations

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Message,
    PeerID,
    Prepare,
    Promise,
    ProposalID,
    Quorums,
    Value,
)
from multipaxos.invariants.names import (
    ACCEPTED_WITHIN_PROMISE,
    AGREEMENT,
    NAMES,
    ONE_VALUE_PER_NUMBER,
    PROMISE_KEPT,
    QUORUMS_INTERSECT,
    SAVED_BEFORE_SENT,
    VALUE_IS_SAFE,
)

# -- what one step of one server can break ---------------------------------------------------------


def broken_by(
    before: AcceptorState,
    after: AcceptorState,
    sent: Iterable[Message],
    *,
    checked: Collection[str],
    uid: PeerID,
    assertion: str | None = None,
) -> tuple[str, str] | None:
    """
    Return the first of the *checked* invariants that a step broke, and how; None if it broke none.

    In the step, *uid* went from *before* to *after* on its disk, and sent messages then. An
    *assertion* of the roles themselves that failed begins with the invariant's name.
    """
    found = chain(
        _asserted(assertion, uid),
        _promise_broken(before, after, uid),
        _beyond_promise(after, uid),
        _revealed(after, sent, uid),
    )
    return next((each for each in found if each[0] in checked), None)


def _asserted(assertion: str | None, uid: PeerID) -> Iterator[tuple[str, str]]:
    if assertion is not None:
        words = assertion.partition(":")[0]
        name = next((name for name in NAMES if name.endswith(f" {words}")), AGREEMENT)
        yield name, f"the roles of {uid} themselves find it: {assertion}"


def _promise_broken(
    before: AcceptorState, after: AcceptorState, uid: PeerID
) -> Iterator[tuple[str, str]]:
    if after.promised_id < before.promised_id:
        yield (
            PROMISE_KEPT,
            f"{uid} had promised {before.promised_id} and now has {_number(after.promised_id)}",
        )
    if after.accepted_id != before.accepted_id and after.accepted_id < before.promised_id:
        if after.accepted_id == LOWEST:
            yield (
                SAVED_BEFORE_SENT,
                f"{uid} had accepted {before.accepted_id} and told so; now it has nothing of it",
            )
        else:
            yield (
                PROMISE_KEPT,
                f"{uid} accepts {after.accepted_id} and had promised {before.promised_id}",
            )


def _beyond_promise(after: AcceptorState, uid: PeerID) -> Iterator[tuple[str, str]]:
    if after.accepted_id > after.promised_id:
        yield (
            ACCEPTED_WITHIN_PROMISE,
            f"{uid} has accepted {after.accepted_id} and promised {_number(after.promised_id)}",
        )


def _revealed(
    after: AcceptorState, sent: Iterable[Message], uid: PeerID
) -> Iterator[tuple[str, str]]:
    for message in sent:
        match message:
            case Prepare(proposal_id=number) | Accept(proposal_id=number):
                is_saved = after.promised_id >= number
            case Promise(proposal_id=number):
                is_saved = after.promised_id >= number
            case Accepted(proposal_id=number):
                is_saved = after.accepted_id >= number
            case _:
                continue
        if not is_saved:
            yield (
                SAVED_BEFORE_SENT,
                (
                    f"{uid} sends {type(message).__name__} {number}; on its disk it has promised "
                    f"{_number(after.promised_id)} and accepted {_number(after.accepted_id)}"
                ),
            )


def _number(proposal_id: ProposalID) -> str:
    return "nothing" if proposal_id == LOWEST else str(proposal_id)


# -- what can be seen of the whole cluster ---------------------------------------------------------


def quorums_apart(quorums: Quorums) -> tuple[str, str] | None:
    """I6: return two quorums, one that promises and one that accepts, without a common acceptor."""
    names = sorted(quorums.acceptors)
    for promised in _subsets(names):
        rest = [name for name in names if name not in promised]
        if quorums.have_promised(promised) and quorums.have_accepted(rest):
            return (
                QUORUMS_INTERSECT,
                f"{_listed(promised)} may promise and {_listed(rest)} accept: none is in both",
            )
    return None


def number_reused(proposals: Iterable[Accept | Accepted]) -> tuple[str, str] | None:
    """I2: return a proposal number under which two values travel."""
    values: dict[ProposalID, Value] = {}
    for message in proposals:
        known = values.setdefault(message.proposal_id, message.value)
        if known != message.value:
            return (
                ONE_VALUE_PER_NUMBER,
                f"{message.proposal_id} stands for {known} and for {message.value}",
            )
    return None


def choices(
    accepted: Iterable[Accepted], quorums: Quorums
) -> dict[tuple[ProposalID, Value], tuple[PeerID, ...]]:
    """Return the proposals of which a quorum has sent an acceptance, with all who did."""
    votes: dict[tuple[ProposalID, Value], set[PeerID]] = {}
    for message in accepted:
        votes.setdefault((message.proposal_id, message.value), set()).add(message.acceptor)
    return {
        proposal: tuple(sorted(acceptors))
        for proposal, acceptors in sorted(votes.items(), key=lambda item: item[0][0])
        if quorums.have_accepted(acceptors)
    }


def two_chosen(
    chosen: Mapping[tuple[ProposalID, Value], tuple[PeerID, ...]],
) -> tuple[str, str] | None:
    """I1: return two proposals of different values that are both chosen."""
    for (one, other), (one_by, other_by) in zip(
        combinations(chosen, 2), combinations(chosen.values(), 2), strict=True
    ):
        if one[1] != other[1]:
            return (
                AGREEMENT,
                (
                    f"{one[0]} chose {one[1]} by {_listed(one_by)}; "
                    f"{other[0]} chose {other[1]} by {_listed(other_by)}"
                ),
            )
    return None


def unsafe_request(
    requests: Iterable[Accept],
    accepted: Iterable[Accepted],
    promised: Mapping[PeerID, ProposalID],
    quorums: Quorums,
) -> tuple[str, str] | None:
    """
    I4: return an accept request whose value is not safe at its number.

    It is safe if some quorum has promised the number, or more, and the highest acceptance below the
    number in it, if there is any, is of this value. (Lamport's Voting, ShowsSafeAt)
    """
    votes = list(accepted)
    for request in requests:
        number = request.proposal_id
        able = sorted(uid for uid, promise in promised.items() if promise >= number)
        for quorum in _subsets(able):
            if not quorums.have_promised(quorum):
                continue
            below = [v for v in votes if v.acceptor in quorum and v.proposal_id < number]
            highest = max((vote.proposal_id for vote in below), default=LOWEST)
            values = [vote.value for vote in below if vote.proposal_id == highest]
            if not values or request.value in values:
                break
        else:
            below = sorted(
                (vote for vote in votes if vote.proposal_id < number),
                key=lambda vote: (vote.proposal_id, vote.acceptor),
            )
            told = ", ".join(f"{v.proposal_id} {v.value} by {v.acceptor}" for v in below)
            return (
                VALUE_IS_SAFE,
                (
                    f"{number} asks to accept {request.value}; promised by {_listed(able)}; "
                    f"accepted below it: {told or 'nothing'}"
                ),
            )
    return None


def _subsets(names: Collection[PeerID]) -> Iterator[tuple[PeerID, ...]]:
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def _listed(names: Collection[PeerID]) -> str:
    return " and ".join(sorted(names)) if names else "nobody"
