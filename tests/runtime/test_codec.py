"""The wire format: exact in both directions, readable, and deaf to garbage."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime import generators

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
from multipaxos.chain.links import Founding, Link, NewMaster, Nothing, Updates
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
from multipaxos.runtime import codec
from multipaxos.runtime.codec import MalformedDatagramError, wire


def set_to(value: str) -> Update:
    """Return an update that sets *value*."""
    return Update(request_id=RequestID("c1", 7), command=("SET", value), since=3)


HELLO = Updates(updates=(set_to("hello"),))
FOUNDING = Founding(chain_id="9c61f0", machine_kind="register", founders=(("A", "4f1c"),))
MASTER = NewMaster(uid="A", lease_seconds=2.0, bid="77aa")
TWO_A, THREE_C = ProposalID(2, "A"), ProposalID(3, "C")
HEAD = '"cluster":"main","chain":"9c61f0","link":5,"from":"A","to":"B"'
HELLO_TEXT = (
    '{"kind":"updates","updates":[{"client":"c1","sequence":7,"since":3,"do":["SET","hello"]}]}'
)
FOUNDING_TEXT = (
    '{"kind":"founding","chain":"9c61f0","machine":"register","founders":[["A","4f1c"]]}'
)
MASTER_TEXT = '{"kind":"master","uid":"A","lease":2.0,"bid":"77aa"}'


def carry(message: Any) -> Envelope:
    """Return an envelope from A to B with *message*."""
    return Envelope(
        cluster="main", chain_id="9c61f0", instance=5, sender="A", receiver="B", message=message
    )


ON_THE_WIRE = [
    (Prepare(proposal_id=TWO_A), "prepare", '"proposal":[2,"A"]'),
    (
        Promise(acceptor="A", proposal_id=THREE_C, accepted_id=TWO_A, accepted_value=HELLO),
        "promise",
        f'"acceptor":"A","proposal":[3,"C"],"accepted":[2,"A"],"value":{HELLO_TEXT}',
    ),
    (
        Promise(acceptor="A", proposal_id=THREE_C, accepted_id=LOWEST, accepted_value=None),
        "promise",
        '"acceptor":"A","proposal":[3,"C"],"accepted":null,"value":null',
    ),
    (Accept(proposal_id=TWO_A, value=HELLO), "accept", f'"proposal":[2,"A"],"value":{HELLO_TEXT}'),
    (
        Accept(proposal_id=TWO_A, value=Nothing()),
        "accept",
        '"proposal":[2,"A"],"value":{"kind":"nothing"}',
    ),
    (
        Accepted(acceptor="A", proposal_id=TWO_A, value=MASTER),
        "accepted",
        f'"acceptor":"A","proposal":[2,"A"],"value":{MASTER_TEXT}',
    ),
    (
        Nack(acceptor="A", proposal_id=TWO_A, promised_id=THREE_C),
        "nack",
        '"acceptor":"A","proposal":[2,"A"],"promised":[3,"C"]',
    ),
    (Sync(votes_from=3), "sync", '"votes_from":3'),
    (
        CatchUp(
            founding=FOUNDING,
            snapshot=Snapshot(
                value="x",
                sessions={"c1": Session(sequence=7, link=4, result=None)},
                forgotten_before=2,
                master=MASTER,
            ),
        ),
        "catch_up",
        (
            f'"founding":{FOUNDING_TEXT},'
            f'"snapshot":{{"value":"x","sessions":[["c1",7,4,null]],"forgotten_before":2,"master":{MASTER_TEXT}}}'
        ),
    ),
    (
        Decided(
            links=(
                DecidedLink(number=3, link=Nothing()),
                DecidedLink(number=4, link=MASTER),
            )
        ),
        "decided",
        f'"links":[[3,{{"kind":"nothing"}}],[4,{MASTER_TEXT}]]',
    ),
    (
        SnapshotPart(founding=FOUNDING, at=9, number=2, is_last=True, snapshot=Snapshot(value="x")),
        "snapshot_part",
        (
            f'"founding":{FOUNDING_TEXT},"at":9,"number":2,"last":true,'
            '"snapshot":{"value":"x","sessions":[],"forgotten_before":0,"master":null}'
        ),
    ),
    (FetchPart(at=9, number=2), "fetch_part", '"at":9,"number":2'),
    (OtherChain(), "other_chain", ""),
    (
        Forward(updates=(Update(request_id=RequestID("c1", 8), command=("GET",), since=3),)),
        "forward",
        '"updates":[{"client":"c1","sequence":8,"since":3,"do":["GET"]}]',
    ),
    (
        Answered(request_id=RequestID("c1", 8), link=4, result="x"),
        "answered",
        '"client":"c1","sequence":8,"at":4,"result":"x"',
    ),
    (WhereAreYou(birth="4f1c"), "where_are_you", '"birth":"4f1c"'),
    (
        IAmAt(
            asked_in="4f1c",
            birth="a200",
            newborn=False,
            may_have_voted_on=5,
            founders=(("A", "4f1c"),),
            founding=FOUNDING,
        ),
        "i_am_at",
        (
            '"asked_in":"4f1c","birth":"a200","newborn":false,"voted":5,'
            f'"founders":[["A","4f1c"]],"founding":{FOUNDING_TEXT}'
        ),
    ),
]


@pytest.mark.parametrize("message, type_, fields", ON_THE_WIRE)
def test_every_message_has_the_documented_form(message: Any, type_: str, fields: str) -> None:
    """One flat object: the type, the envelope, then the message's own fields."""
    tail = f",{fields}" if fields else ""
    text = f'{{"type":"{type_}",{HEAD}{tail}}}'

    datagram = codec.encode_envelope(carry(message))

    assert datagram.decode() == text
    assert codec.decode_envelope(datagram) == carry(message)


def test_every_type_of_message_is_tested() -> None:
    """A message that is added to the wire format must be added here and to the generators."""
    tags = {structure.__struct_config__.tag for structure in get_args(wire.AnyDatagram)}

    assert {type_ for _, type_, _ in ON_THE_WIRE} == tags
    assert set(generators.messages) == tags


@pytest.mark.parametrize("type_", generators.messages)
def test_what_is_decoded_equals_what_was_encoded(type_: str) -> None:
    """Nothing is lost, rounded or reordered on the way."""

    @given(generators.envelopes(type_))
    def check(envelope: Envelope) -> None:
        assert codec.decode_envelope(codec.encode_envelope(envelope)) == envelope

    check()


@given(generators.links)
def test_links_survive_the_round_trip(link: Link) -> None:
    """The history keeps links exactly."""
    assert codec.decode_link(codec.encode_link(link)) == link


@given(generators.states)
def test_durable_state_survives_the_round_trip(state: DurableState) -> None:
    """A restarted server knows what it knew, the order of its sessions included."""
    whole = codec.decode_state(codec.encode_state(state))
    snapshot = codec.decode_snapshot(codec.encode_snapshot(state.snapshot))
    parts = codec.decode_votes(codec.encode_votes(state), snapshot)

    assert whole == parts == state
    assert list(whole.snapshot.sessions) == list(state.snapshot.sessions)
    assert list(snapshot.sessions) == list(state.snapshot.sessions)


# ------------------------------------------------------------------------------------------ garbage


def decode_or_refuse(datagram: bytes) -> None:
    """Decode; what decodes must encode to the same message; every error but one is a failure."""
    try:
        envelope = codec.decode_envelope(datagram)
    except MalformedDatagramError as error:
        check_text(error)
    else:
        assert codec.decode_envelope(codec.encode_envelope(envelope)) == envelope


def check_text(error: MalformedDatagramError) -> None:
    """Check that the text of *error* can be printed anywhere, whatever the datagram was."""
    assert str(error).isprintable()
    assert str(error).isascii()
    assert 0 < len(str(error)) <= 200


@given(st.binary(max_size=300))
def test_random_bytes_raise_the_one_error(datagram: bytes) -> None:
    """Nothing that arrives can stop a server."""
    decode_or_refuse(datagram)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_random_json_raises_the_one_error(value: Any) -> None:
    """Being JSON is not enough."""
    decode_or_refuse(json.dumps(value).encode())


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every part of a JSON document."""
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(part, (*path, key))


@given(generators.envelopes(), json_values, st.data())
def test_a_datagram_with_one_part_replaced_raises_the_one_error(
    envelope: Envelope, value: Any, data: st.DataObject
) -> None:
    """Every field is checked: no other type in its place comes through to the protocol."""
    document = json.loads(codec.encode_envelope(envelope))
    *way, last = data.draw(st.sampled_from(list(paths(document))[1:]))
    part = document
    for key in way:
        part = part[key]
    part[last] = value

    decode_or_refuse(json.dumps(document).encode())


@given(generators.envelopes(), st.data())
def test_a_datagram_with_bytes_changed_raises_the_one_error(
    envelope: Envelope, data: st.DataObject
) -> None:
    """A flipped, lost or added byte gives another message or the one error."""
    datagram = bytearray(codec.encode_envelope(envelope))
    place = data.draw(st.integers(0, len(datagram) - 1))
    length = data.draw(st.integers(0, 3))

    datagram[place : place + length] = data.draw(st.binary(max_size=3))

    decode_or_refuse(bytes(datagram))


GOOD = json.loads(codec.encode_envelope(carry(Accept(proposal_id=TWO_A, value=HELLO))))


def changed(**fields: Any) -> bytes:
    """Return a good datagram with some fields replaced."""
    return json.dumps(GOOD | fields).encode()


def answered(result: object) -> bytes:
    """Return the answer to a read, with this *result*."""
    head = {name: GOOD[name] for name in ("cluster", "chain", "link", "from", "to")}
    told = {"client": "c1", "sequence": 7, "at": 3, "result": result}
    return json.dumps({"type": "answered", **head, **told}).encode()


def caught_up(value: object) -> bytes:
    """Return a catch-up with this *value*."""
    head = {name: GOOD[name] for name in ("cluster", "chain", "link", "from", "to")}
    founding = {"kind": "founding", "chain": "c", "machine": "register", "founders": []}
    snapshot = {"value": value, "sessions": [], "forgotten_before": 0, "master": None}
    return json.dumps(
        {"type": "catch_up", **head, "founding": founding, "snapshot": snapshot}
    ).encode()


def with_update(**fields: Any) -> bytes:
    """Return a good datagram with some fields of its update replaced."""
    update = {"client": "c1", "sequence": 7, "since": 3, "do": ["SET", "hello"]} | fields
    return changed(value={"kind": "updates", "updates": [update]})


def raw(text: str, value: bytes) -> bytes:
    """Return a good datagram with *value*, as it stands, in the place of the JSON *text*."""
    datagram = codec.encode_envelope(carry(Accept(proposal_id=TWO_A, value=HELLO)))
    assert text.encode() in datagram
    return datagram.replace(text.encode(), value)


GARBAGE = {
    "empty": b"",
    "one zero byte": b"\0",
    "null": b"null",
    "a list": b"[]",
    "an empty object": b"{}",
    "two objects": changed() + b"{}",
    "not UTF-8": raw("hello", b"\xff\xfe"),
    "a surrogate in UTF-8": raw("hello", b"\xed\xa0\x80"),
    "a lone high surrogate": raw("hello", b"\\ud800"),
    "a lone low surrogate": raw("hello", b"\\udc00 hello"),
    "surrogates in the wrong order": raw("hello", b"\\udc00\\ud800"),
    "deep arrays": b"[" * 60_000,
    "deep objects": b'{"x":' * 12_000,
    "deep arrays in an unknown field": raw('"link":5', b'"x":' + b"[" * 60_000),
    "NaN": raw('"link":5', b'"link":NaN'),
    "Infinity": raw('"link":5', b'"link":-Infinity'),
    "a huge float": raw('"link":5', b'"link":1e999'),
    "a huge integer": raw('"link":5', b'"link":' + b"9" * 50_000),
    "a link beyond 2**53": changed(link=2**53),
    "a negative link": changed(link=-1),
    "a fractional link": changed(link=5.0),
    "a link that is a text": changed(link="5"),
    "a link that is true": changed(link=True),
    "an unknown field": changed(extra=1),
    "a missing field": json.dumps({k: v for k, v in GOOD.items() if k != "to"}).encode(),
    "an unknown type": changed(type="coup"),
    "no type": json.dumps({k: v for k, v in GOOD.items() if k != "type"}).encode(),
    "a type that is a list": changed(type=["accept"]),
    "an empty cluster": changed(cluster=""),
    "a long cluster": changed(cluster="c" * 33),
    "a cluster with a space": changed(cluster="ma in"),
    "a cluster with a line end": changed(cluster="main\n"),
    "a cluster with foreign letters": changed(cluster="mäin"),
    "a long chain id": changed(chain="c" * 33),
    "an empty sender": changed(**{"from": ""}),
    "a long sender": changed(**{"from": "A" * 17}),
    "a receiver with a dot": changed(to="a.b"),
    "a receiver that is null": changed(to=None),
    "a proposal that is null": changed(proposal=None),
    "a short proposal": changed(proposal=[2]),
    "a long proposal": changed(proposal=[2, "A", "B"]),
    "proposal number zero": changed(proposal=[0, "A"]),
    "a high proposal number": changed(proposal=[10**9 + 1, "A"]),
    "a proposal without a uid": changed(proposal=[2, ""]),
    "a value that is null": changed(value=None),
    "a value that is a text": changed(value="hello"),
    "an unknown kind of link": changed(value={"kind": "war"}),
    "an unknown field of a link": changed(value={"kind": "nothing", "why": 1}),
    "a command that is a text": with_update(do="delete"),
    "a command without a name": with_update(do=[]),
    "a command with null": with_update(do=["SET", None]),
    "a command with a number": with_update(do=["SET", 1]),
    "a result that is a fraction": answered(1.5),
    "a result that is an object": answered({"error": 1}),
    "a result in a deep list": answered([{}]),
    "a deep result": answered(0).replace(b'"result": 0', b'"result": ' + b"[" * 400 + b"]" * 400),
    "a deep state": caught_up(0).replace(b'"value": 0', b'"value": ' + b"[" * 900 + b"]" * 900),
    "an empty client": with_update(client=""),
    "a long client": with_update(client="c" * 41),
    "a client with a space": with_update(client="c 1"),
    "a sequence beyond 2**53": with_update(sequence=2**53),
    "a lease of zero": changed(value=json.loads(MASTER_TEXT) | {"lease": 0}),
    "a negative lease": changed(value=json.loads(MASTER_TEXT) | {"lease": -1.5}),
    "a lease of a day": changed(value=json.loads(MASTER_TEXT) | {"lease": 86400}),
    "a lease that is true": changed(value=json.loads(MASTER_TEXT) | {"lease": True}),
    "ten founders": changed(
        value=json.loads(FOUNDING_TEXT) | {"founders": [[f"S{i}", "x"] for i in range(10)]}
    ),
    "a founder twice": changed(
        value=json.loads(FOUNDING_TEXT) | {"founders": [["A", "x"], ["A", "y"]]}
    ),
    "an acceptance without a value": json.dumps(
        GOOD | {"type": "promise", "acceptor": "A", "accepted": [1, "A"], "value": None}
    ).encode(),
    "a value without an acceptance": json.dumps(
        GOOD | {"type": "promise", "acceptor": "A", "accepted": None}
    ).encode(),
    "an acceptance above the promise": json.dumps(
        GOOD | {"type": "promise", "acceptor": "A", "accepted": [3, "A"]}
    ).encode(),
    "a session twice": codec.encode_envelope(carry(ON_THE_WIRE[8][0])).replace(
        b'["c1",7,4,null]', b'["c1",7,4,null],["c1",8,5,null]'
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_raises_the_one_error(name: str) -> None:
    """Wrong types, ranges, characters, depth: one documented error, one short text."""
    with pytest.raises(MalformedDatagramError) as caught:
        codec.decode_envelope(GARBAGE[name])

    check_text(caught.value)


def test_the_good_datagram_of_these_tests_is_good() -> None:
    """The cases above fail for the one thing that is wrong with them, and for no other."""
    assert codec.decode_envelope(changed()).message == Accept(proposal_id=TWO_A, value=HELLO)
    assert codec.decode_envelope(with_update()).message == Accept(proposal_id=TWO_A, value=HELLO)


@pytest.mark.parametrize("value", ["", "\0\x1b[31m\n", "ÄÖ€😀\u2028", '"\\/', "\ufffe\U0010ffff"])
def test_any_text_can_be_a_value(value: str) -> None:
    """Empty, control characters, all of Unicode: what is set is what is read."""
    link = Updates(updates=(set_to(value),))

    assert codec.decode_link(codec.encode_link(link)) == link


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_lone_surrogates_cannot_be_sent(value: str) -> None:
    """UTF-8 cannot write them: the one error, when measured, sent or saved."""
    update = set_to(value)
    state = DurableState(birth="b", snapshot=Snapshot(value=value))

    with pytest.raises(MalformedDatagramError):
        codec.value_bytes(value)
    with pytest.raises(MalformedDatagramError):
        codec.encode_envelope(carry(Forward(updates=(update,))))
    with pytest.raises(MalformedDatagramError):
        codec.encode_state(state)


@pytest.mark.parametrize(
    "envelope",
    [
        replace(carry(OtherChain()), cluster="two words"),
        replace(carry(OtherChain()), instance=2**53),
        replace(carry(OtherChain()), sender=""),
        carry(Prepare(proposal_id=LOWEST)),
        carry(Accept(proposal_id=TWO_A, value=None)),
        carry(Accept(proposal_id=TWO_A, value="a bare text")),
        carry(
            Forward(updates=(Update(request_id=RequestID("c 1", 1), command=("GET",), since=3),))
        ),
        carry(Accept(proposal_id=TWO_A, value=replace(MASTER, lease_seconds=float("nan")))),
    ],
)
def test_what_could_not_be_decoded_is_not_encoded(envelope: Envelope) -> None:
    """A server sends nothing that its peers would have to refuse."""
    with pytest.raises(MalformedDatagramError):
        codec.encode_envelope(envelope)


@pytest.mark.parametrize(
    "old, new",
    [
        (b'"accepted":[2,"A"]', b'"accepted":[4,"A"]'),
        (b'"accepted":[2,"A"]', b'"accepted":null'),
        (b'"promised":[3,"C"]', b'"promised":null'),
        (b'"votes_from":0', b'"votes_from":-1'),
        (b'"founders":[]', b'"founders":[["A","x"],["A","x"]]'),
        (b'"sessions":[]', b'"sessions":[["c",1,1,null],["c",1,1,null]]'),
        (b'"birth":"4f1c"', b'"birth":""'),
    ],
)
def test_state_that_no_server_can_come_to_is_refused(old: bytes, new: bytes) -> None:
    """It is refused before an assertion could meet it, also where assertions are switched off."""
    state = DurableState(
        birth="4f1c",
        acceptor=AcceptorState(promised_id=THREE_C, accepted_id=TWO_A, accepted_value=HELLO),
    )
    text = codec.encode_state(state)
    assert old in text

    with pytest.raises(MalformedDatagramError):
        codec.decode_state(text.replace(old, new, 1))


@pytest.mark.parametrize(
    "is_valid, good, bad",
    [
        (codec.is_uid, ["A", "server-1_b", "Z" * 16], ["", "a b", "Z" * 17, "A\n", "é", "a.b"]),
        (codec.is_cluster_name, ["main", "a.b-c_d", "z" * 32], ["", "z" * 33, "a:b", "main\n"]),
        (codec.is_client_id, ["c", "10.0.0.1:99", "z" * 40], ["", "z" * 41, "a/b", "c\n"]),
    ],
)
def test_names_are_checked_where_they_come_in(is_valid: Any, good: Any, bad: Any) -> None:
    """The same rule holds in the configuration, at the client's port and on the wire."""
    assert all(is_valid(name) for name in good)
    assert not any(is_valid(name) for name in bad)
