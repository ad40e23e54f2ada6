"""
The wire format, field by field: one structure a message and a link, as it stands in the JSON text.

These structures hold nothing but what a reader of a packet capture sees; what a field means says
the dataclass that it is made from. Every text has a
character set and a length, every number a range. Nothing else passes: unknown fields do not.
"""

from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Raw, Struct

NUMBER_MAX = 10**9
"""The highest proposal number: eleven days of a thousand rounds a second on one link."""
INTEGER_MAX = 2**53 - 1
"""The highest instance or sequence: what every reader of JSON reads exactly."""
LEASE_SECONDS_MAX = 3600.0
SERVERS_MAX = 9
UID_LENGTH_MAX = 16
CLUSTER_LENGTH_MAX = 32
NAME_LENGTH_MAX = 32
CLIENT_LENGTH_MAX = 40

UID_PATTERN = rf"\A[A-Za-z0-9_-]{{1,{UID_LENGTH_MAX}}}\Z"
CLUSTER_PATTERN = rf"\A[A-Za-z0-9_.-]{{1,{CLUSTER_LENGTH_MAX}}}\Z"
CLIENT_PATTERN = rf"\A[A-Za-z0-9_.:-]{{1,{CLIENT_LENGTH_MAX}}}\Z"
NAME_PATTERN = rf"\A[A-Za-z0-9_.:-]{{1,{NAME_LENGTH_MAX}}}\Z"

Uid: TypeAlias = Annotated[str, Meta(pattern=UID_PATTERN)]
Cluster: TypeAlias = Annotated[str, Meta(pattern=CLUSTER_PATTERN)]
Client: TypeAlias = Annotated[str, Meta(pattern=CLIENT_PATTERN)]
Name: TypeAlias = Annotated[str, Meta(pattern=NAME_PATTERN)]
"""A chain's id, a birth, a bid or a machine's kind."""
ChainId: TypeAlias = Annotated[str, Meta(pattern=rf"\A[A-Za-z0-9_.:-]{{0,{NAME_LENGTH_MAX}}}\Z")]
Integer: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
Number: TypeAlias = Annotated[int, Meta(ge=1, le=NUMBER_MAX)]
Lease: TypeAlias = Annotated[float, Meta(gt=0, le=LEASE_SECONDS_MAX)]

Proposal: TypeAlias = tuple[Number, Uid]
"""``[2,"A"]``. Where there may be none, ``null`` says so."""
Founders: TypeAlias = Annotated[tuple[tuple[Uid, Name], ...], Meta(max_length=SERVERS_MAX)]
"""``[["A","4f1c"],["B","a200"]]``: each founder with its birth."""

Result: TypeAlias = Any
"""``true``, ``"text"``, ``7``, ``["a",null]``, ``{"error":"ERR …"}``; the rest is checked later."""
Session: TypeAlias = tuple[Client, Integer, Integer, Result]
"""``["client",7,12,true]``: the client's newest request, its link and its result."""


class Part(Struct, forbid_unknown_fields=True, kw_only=True):
    """A JSON object without fields that its reader does not know."""


# -------------------------------------------------------------------------------- updates and links


class Update(Part):
    """``{"client":"c","sequence":7,"since":5,"do":["SET","hello"]}``."""

    client: Client
    sequence: Integer
    since: Integer
    do: Annotated[tuple[str, ...], Meta(min_length=1)]


class Founding(Part, tag_field="kind", tag="founding"):
    """Link 0: ``{"kind":"founding","chain":"…","machine":"register","founders":[["A","…"]]}``."""

    chain: Name
    machine: Name
    founders: Founders


class Updates(Part, tag_field="kind", tag="updates"):
    """``{"kind":"updates","updates":[…]}``."""

    updates: tuple[Update, ...]


class NewMaster(Part, tag_field="kind", tag="master"):
    """``{"kind":"master","uid":"A","lease":2.0,"bid":"…"}``."""

    uid: Uid
    lease: Lease
    bid: Name


class Nothing(Part, tag_field="kind", tag="nothing"):
    """``{"kind":"nothing"}``."""


Link: TypeAlias = Founding | Updates | NewMaster | Nothing


# ------------------------------------------------------------------------------------ durable state


class Snapshot(Part):
    """
    ``{"value":"hello","sessions":[…],"forgotten_before":0,"master":null}``.

    The least recently used session comes first.
    """

    value: Any
    sessions: tuple[Session, ...]
    forgotten_before: Integer
    master: NewMaster | None


class Votes(Part):
    """The durable state without its snapshot: what changes with every vote. Not sent."""

    birth: Name
    founders: Founders
    founding: Founding | None
    instance: Integer
    votes_from: Integer
    promised: Proposal | None
    accepted: Proposal | None
    value: Link | None


# ---------------------------------------------------------------------------------------- datagrams


class Datagram(
    Part, rename={"sender": "from", "receiver": "to"}, tag_field="type", omit_defaults=True
):
    """
    The envelope. Its fields and the message's stand side by side in one flat object.

    ``"decided":[1,"A"]`` is there only if the sender says by what the link before was decided.
    """

    cluster: Cluster
    chain: ChainId
    link: Integer
    sender: Uid
    receiver: Uid
    decided: Proposal | None = None


class Prepare(Datagram, tag="prepare", kw_only=True):
    """``{"type":"prepare",…,"proposal":[2,"A"]}``."""

    proposal: Proposal


class Promise(Datagram, tag="promise", kw_only=True):
    """``{"type":"promise",…,"acceptor":"B","proposal":[3,"A"],"accepted":[2,"C"],"value":{…}}``."""

    acceptor: Uid
    proposal: Proposal
    accepted: Proposal | None
    value: Link | None


class Accept(Datagram, tag="accept", kw_only=True):
    """``{"type":"accept",…,"proposal":[2,"A"],"value":{…}}``: the value is a link, read apart."""

    proposal: Proposal
    value: Raw


class Accepted(Datagram, tag="accepted", kw_only=True):
    """``{"type":"accepted",…,"acceptor":"B","proposal":[2,"A"],"value":{…}}``, or ``null``."""

    acceptor: Uid
    proposal: Proposal
    value: Link | None


class Nack(Datagram, tag="nack", kw_only=True):
    """``{"type":"nack",…,"acceptor":"B","proposal":[2,"A"],"promised":[3,"C"]}``."""

    acceptor: Uid
    proposal: Proposal
    promised: Proposal | None


class Sync(Datagram, tag="sync", kw_only=True):
    """``{"type":"sync",…,"votes_from":0}``."""

    votes_from: Integer


class CatchUp(Datagram, tag="catch_up", kw_only=True):
    """``{"type":"catch_up",…,"founding":{…},"snapshot":{…}}``."""

    founding: Founding
    snapshot: Snapshot


class Decided(Datagram, tag="decided", kw_only=True):
    """``{"type":"decided",…,"links":[[5,{…}],[6,{…}]]}``: each link with its number."""

    links: Annotated[tuple[tuple[Integer, Link], ...], Meta(min_length=1)]


class SnapshotPart(Datagram, tag="snapshot_part", kw_only=True):
    """``{"type":"snapshot_part",…,"founding":{…},"at":9,"number":1,"last":false,"snapshot":{…}}``."""

    founding: Founding
    at: Integer
    number: Integer
    last: bool
    snapshot: Snapshot


class FetchPart(Datagram, tag="fetch_part", kw_only=True):
    """``{"type":"fetch_part",…,"at":9,"number":1}``."""

    at: Integer
    number: Integer


class OtherChain(Datagram, tag="other_chain", kw_only=True):
    """``{"type":"other_chain",…}``."""


class Forward(Datagram, tag="forward", kw_only=True):
    """``{"type":"forward",…,"updates":[…]}``."""

    updates: Annotated[tuple[Update, ...], Meta(min_length=1)]


class Answered(Datagram, tag="answered", kw_only=True):
    """``{"type":"answered",…,"client":"c","sequence":8,"at":12,"result":"hello"}``."""

    client: Client
    sequence: Integer
    at: Integer
    result: Result


class WhereAreYou(Datagram, tag="where_are_you", kw_only=True):
    """``{"type":"where_are_you",…,"birth":"…"}``."""

    birth: Name


class IAmAt(Datagram, tag="i_am_at", kw_only=True):
    """
    Its ``voted`` is the highest link that the sender may have voted on.

    ``{"type":"i_am_at",…,"asked_in":"…","birth":"…","newborn":false,"voted":12,"founders":[…],
    "founding":{…}}``
    """

    asked_in: Name
    birth: Name
    newborn: bool
    voted: Integer
    founders: Founders
    founding: Founding | None


AnyDatagram: TypeAlias = (
    Prepare
    | Promise
    | Accept
    | Accepted
    | Nack
    | Sync
    | CatchUp
    | Decided
    | SnapshotPart
    | FetchPart
    | OtherChain
    | Forward
    | Answered
    | WhereAreYou
    | IAmAt
)
