"""Hypothesis strategies for everything that the codec carries, over the whole documented range."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st
from immutables import Map

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)
from multipaxos.chain.durable import DecidedLink, DurableState, Session, Snapshot
from multipaxos.chain.links import Founding, NewMaster, Nothing, Updates
from multipaxos.chain.messages import (
    Answered,
    CatchUp,
    Decided,
    Envelope,
    FetchPart,
    Forward,
    IAmAt,
    OtherChain,
    SnapshotPart,
    Sync,
    WhereAreYou,
)
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.state_machine import Failure

LETTERS = "ABCXYZabcxyz0189"

T = TypeVar("T")


def names(longest: int, punctuation: str) -> st.SearchStrategy[str]:
    """Return names of 1 to *longest* letters, digits and *punctuation*."""
    return st.text(alphabet=LETTERS + punctuation, min_size=1, max_size=longest)


def tuples_of(
    elements: st.SearchStrategy[T], longest: int, by: Callable[[T], object] | None = None
) -> st.SearchStrategy[tuple[T, ...]]:
    """Return tuples of *elements* that differ in what *by* says of them, if it is given."""
    if by is None:
        return st.lists(elements, max_size=longest).map(tuple)
    return st.lists(elements, max_size=longest, unique_by=by).map(tuple)


uids = names(16, "_-")
clusters = names(32, "_-.")
clients = names(40, "_-.:")
labels = names(32, "_-.:")
integers = st.integers(0, 2**53 - 1)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts
results = st.recursive(
    scalars | st.builds(Failure, texts),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=5,
)
machine_states = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple) | st.dictionaries(texts, inner, max_size=3).map(Map)
    ),
    max_leaves=5,
)
leases = st.floats(min_value=0, max_value=3600, exclude_min=True)

proposal_ids = st.builds(ProposalID, st.integers(1, 10**9), uids)
request_ids = st.builds(RequestID, clients, integers)
updates = st.builds(
    Update,
    request_id=request_ids,
    command=st.lists(texts, min_size=1, max_size=4).map(tuple),
    since=integers,
)
founders = tuples_of(st.tuples(uids, labels), 9, by=lambda founder: founder[0])
foundings = st.builds(Founding, chain_id=labels, machine_kind=labels, founders=founders)
new_masters = st.builds(NewMaster, uid=uids, lease_seconds=leases, bid=labels)
links = (
    foundings | st.builds(Updates, updates=tuples_of(updates, 4)) | new_masters | st.builds(Nothing)
)

snapshots = st.builds(
    Snapshot,
    value=machine_states,
    sessions=st.dictionaries(
        clients, st.builds(Session, sequence=integers, link=integers, result=results), max_size=4
    ),
    forgotten_before=integers,
    master=st.none() | new_masters,
)


@st.composite
def acceptor_states(draw: st.DrawFn) -> AcceptorState:
    """Return what an acceptor can come to remember."""
    promised, accepted = sorted(
        draw(st.tuples(st.just(LOWEST) | proposal_ids, st.just(LOWEST) | proposal_ids)),
        reverse=True,
    )
    value = None if accepted == LOWEST else draw(links)
    return AcceptorState(promised_id=promised, accepted_id=accepted, accepted_value=value)


states = st.builds(
    DurableState,
    birth=labels,
    founders=founders,
    founding=st.none() | foundings,
    instance=integers,
    votes_from=integers,
    acceptor=acceptor_states(),
    snapshot=snapshots,
)


@st.composite
def promises(draw: st.DrawFn) -> Promise:
    """Return the promise of an acceptor that has promised something."""
    state = draw(acceptor_states().filter(lambda state: state.promised_id != LOWEST))
    return Promise(
        acceptor=draw(uids),
        proposal_id=state.promised_id,
        accepted_id=state.accepted_id,
        accepted_value=state.accepted_value,
    )


messages = {
    "prepare": st.builds(Prepare, proposal_id=proposal_ids),
    "promise": promises(),
    "accept": st.builds(Accept, proposal_id=proposal_ids, value=links),
    "accepted": st.builds(
        Accepted, acceptor=uids, proposal_id=proposal_ids, value=st.none() | links
    ),
    "nack": st.builds(
        Nack,
        acceptor=uids,
        proposal_id=proposal_ids,
        promised_id=st.just(LOWEST) | proposal_ids,
    ),
    "sync": st.builds(Sync, votes_from=integers),
    "catch_up": st.builds(CatchUp, founding=foundings, snapshot=snapshots),
    "decided": st.builds(
        Decided,
        links=st.lists(st.builds(DecidedLink, number=integers, link=links), min_size=1).map(tuple),
    ),
    "snapshot_part": st.builds(
        SnapshotPart,
        founding=foundings,
        at=integers,
        number=integers,
        is_last=st.booleans(),
        snapshot=snapshots,
    ),
    "fetch_part": st.builds(FetchPart, at=integers, number=integers),
    "other_chain": st.builds(OtherChain),
    "forward": st.builds(Forward, updates=st.lists(updates, min_size=1, max_size=4).map(tuple)),
    "answered": st.builds(Answered, request_id=request_ids, link=integers, result=results),
    "where_are_you": st.builds(WhereAreYou, birth=labels),
    "i_am_at": st.builds(
        IAmAt,
        asked_in=labels,
        birth=labels,
        newborn=st.booleans(),
        may_have_voted_on=integers,
        founders=founders,
        founding=st.none() | foundings,
    ),
}
"""By the name that the wire format gives each."""


def envelopes(type_: str | None = None) -> st.SearchStrategy[Envelope]:
    """Return envelopes with messages of *type_*, or of all types."""
    return st.builds(
        Envelope,
        cluster=clusters,
        chain_id=st.just("") | labels,
        instance=integers,
        sender=uids,
        receiver=uids,
        message=st.one_of(*messages.values()) if type_ is None else messages[type_],
    )
