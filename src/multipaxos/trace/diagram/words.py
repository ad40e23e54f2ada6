"""What the diagram says of messages, calls and choices, in the words of the paper and short."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from multipaxos.trace.text import (
    describe_link,
    describe_result,
    links_in_words,
    printable,
    quoted,
)

NO_PROPOSAL = "0."
"""How the lowest proposal, that of nobody, is written in a trace."""

VALUE_LENGTH_MAX = 24
NAME_LENGTH_MAX = 16
CHAIN_LENGTH_MAX = 8
REASON_LENGTH_MAX = 300


def message_words(message: Mapping[str, Any]) -> str:
    """Return *message* in one short line: ``Promise 3.C has 2.A "x"``."""
    name = printable(str(message["type"]))
    said = f"{name} {printable(str(message['proposal_id']))}" if "proposal_id" in message else name
    match name:
        case "Promise" if message["accepted_id"] == NO_PROPOSAL:
            said += " nothing"
        case "Promise":
            accepted = printable(str(message["accepted_id"]))
            said += f" has {accepted} {value_words(message['accepted_value'])}"
        case "Accept" | "Accepted" if message["value"] is not None:
            said += f" {value_words(message['value'])}"
        case "Nack":
            said += f": promised {printable(str(message['promised_id']))}"
        case "CatchUp":
            said += f" {_quoted(message['snapshot']['value'])}"
        case "Decided":
            said += f" {links_in_words([link['number'] for link in message['links']])}"
        case "SnapshotPart" | "FetchPart":
            said += f" {message['number']}"
        case "Forward":
            said += f" {value_words({'type': 'Updates', 'updates': message['updates']})}"
        case "Answered":
            said += f" {_quoted(message['result'])}"
        case _:
            pass
    return said


def shorter(words: str, message: Mapping[str, Any]) -> str:
    """Return the *words* for *message* without the value, where its ``Accept`` told that."""
    if message["type"] != "Accepted" or message["value"] is None:
        return words
    return words.removesuffix(f" {value_words(message['value'])}")


def value_words(link: Any) -> str:
    """Return what a link holds, shortened."""
    match link:
        case {"type": "NewMaster", "uid": uid}:
            return f"master {name_words(uid)}"
        case str():
            return _quoted(link)
        case {"type": "Founding", "chain_id": chain_id}:
            return f"chain {printable(str(chain_id)[:CHAIN_LENGTH_MAX])}"
        case _:
            return describe_link(link, length_max=VALUE_LENGTH_MAX)


def name_words(name: object) -> str:
    """Return the *name* of a server or client, safe to print."""
    return printable(str(name), length_max=NAME_LENGTH_MAX)


def call_words(fields: Mapping[str, Any]) -> str:
    """Return what a client asks: ``set "hello"``."""
    shown = [_quoted(item) for item in fields["arguments"]]
    return " ".join([printable(str(fields["operation"])), *shown])


def return_words(fields: Mapping[str, Any]) -> str:
    """Return what a client is told: ``ok, link 1``, ``refused: ...`` or ``unknown: ...``."""
    status = printable(str(fields["status"]))
    if status != "ok":
        reason = fields.get("reason")
        return status if not reason else f"{status}: {printable(str(reason))}"
    result, link = fields.get("result"), fields.get("link")
    told = f" {describe_result(result)}".rstrip()
    return f"ok{told}" if link is None else f"ok{told}, link {link}"


def refusal_words(fields: Mapping[str, Any]) -> str:
    """Return why the message that was drawn just before is refused: ``refused: promised 2.C``."""
    text = printable(str(fields.get("text") or fields.get("reason") or "refused"))
    if text.startswith("refused ") and ": " in text:
        text = text.partition(": ")[2]
    return f"refused: {text}"


def chosen_words(fields: Mapping[str, Any], *, again: bool) -> str:
    """Return the sentence of the instant of choice; *again*: another value was chosen before."""
    proposal, names = fields["proposal_id"], joined([*map(name_words, sorted(fields["acceptors"]))])
    has = "has" if len(fields["acceptors"]) == 1 else "have"
    what = f"chosen AGAIN, as {value_words(fields['value'])}" if again else "chosen"
    value = "" if again else f": {value_words(fields['value'])}"
    return f"link {fields['instance']} is {what}{value} ({names} {has} accepted {proposal})"


def wires_words(blocked: Sequence[Sequence[str]], servers: Collection[str]) -> str:
    """Return who cannot reach whom: groups if that is all there is to it, else the pairs."""
    # What a server sends to itself travels on no wire.
    pairs = {(sender, receiver) for sender, receiver in blocked if sender != receiver}
    if not pairs:
        return "the partition is healed: everybody reaches everybody"
    groups = _groups(servers, pairs)
    between = {
        (one, other) for group in groups for one in group for other in servers if other not in group
    }
    if pairs == between:
        return "partition: " + " | ".join(" ".join(map(name_words, group)) for group in groups)
    both = sorted(pair for pair in pairs if pair[0] < pair[1] and pair[::-1] in pairs)
    one_way = sorted(pair for pair in pairs if pair[::-1] not in pairs)
    said = [f"{name_words(one)} and {name_words(other)} are cut off" for one, other in both]
    said += [f"{name_words(one)} does not reach {name_words(other)}" for one, other in one_way]
    return ", ".join(said)


def _groups(servers: Collection[str], blocked: Collection[tuple[str, str]]) -> list[list[str]]:
    # Two servers are in one group if either reaches the other, be it by way of a third.
    left, groups = list(servers), []
    while left:
        group = [left.pop(0)]
        for member in group:
            near = [
                uid for uid in left if (member, uid) not in blocked or (uid, member) not in blocked
            ]
            group += near
            left = [uid for uid in left if uid not in near]
        groups.append([uid for uid in servers if uid in group])
    return groups


def joined(names: Sequence[str]) -> str:
    """Return *names* as one phrase: ``A, B and C``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _quoted(value: object) -> str:
    return quoted(value, length_max=VALUE_LENGTH_MAX)
