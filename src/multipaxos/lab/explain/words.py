"""Names, numbers, values and times in words: bounded, for a trace may hold anything."""

from collections.abc import Collection, Mapping
from typing import Any

from multipaxos.trace import describe_link, describe_state, printable, quoted
from multipaxos.trace.diagram.words import NO_PROPOSAL
from multipaxos.trace.diagram.words import joined as phrase

NAME_LENGTH_MAX = 24
REQUEST_LENGTH_MAX = 48
VALUE_LENGTH_MAX = 40
LINK_LENGTH_MAX = 120
SENTENCE_LENGTH_MAX = 400
PARAGRAPH_LENGTH_MAX = 1500
NAMES_MAX = 9
"""Of more servers than this, the others are counted."""
PAIRS_MAX = NAMES_MAX * (NAMES_MAX - 1)
"""Cut wires beyond these are left out: so many servers have no more."""
UPDATES_MAX = 3
"""Of a link with more updates than this, the others are counted."""

BROKEN = "\ue000"
"""
Stands in a paragraph where it says that a rule is broken: see :mod:`multipaxos.lab.explain.broken`.

It cannot come from a trace: what is not printable is escaped in all that is shown of it.
"""

NOTHING = NO_PROPOSAL
"""How the lowest proposal, that of nobody, is written in a trace."""


def name(uid: object) -> str:
    """Return the name of a server, a client or a chain, safe to show."""
    return printable(str(uid), length_max=NAME_LENGTH_MAX)


def request_name(request_id: object) -> str:
    """Return the id of a request, safe to show; mostly its number at the end is, too."""
    return printable(str(request_id), length_max=REQUEST_LENGTH_MAX)


def number(proposal_id: object) -> str:
    """Return a proposal number, safe to show; the lowest one in words."""
    return "nothing" if proposal_id == NOTHING else name(proposal_id)


def joined(uids: Collection[object]) -> str:
    """Return names as one phrase: ``A, B and C``."""
    shown = [name(uid) for uid in list(uids)[:NAMES_MAX]]
    if len(uids) > NAMES_MAX:
        shown.append(f"{len(uids) - NAMES_MAX} more")
    return phrase(shown) if shown else "nobody"


def value(link: Any) -> str:  # noqa: PLR0911 - one case a kind
    """Return what a link, or the value of a bare role, is: ``"x"``, ``A as master for 2 s``."""
    match link:
        case None:
            return "a value that it does not tell"
        case str():
            return quoted(link, length_max=VALUE_LENGTH_MAX)
        case {"type": "NewMaster", "uid": uid, "lease_seconds": seconds}:
            return f"{name(uid)} as master for {seconds:g} s"
        case {"type": "Nothing"}:
            return "nothing (a link that only closes its instance)"
        case {"type": "Founding", "chain_id": chain_id}:
            return f"the founding of chain {name(chain_id)}"
        case {"type": "Updates", "updates": [*updates]} if len(updates) > UPDATES_MAX:
            first = describe_link({"type": "Updates", "updates": updates[:UPDATES_MAX]})
            return clipped(first, LINK_LENGTH_MAX) + f", ... ({len(updates)} updates)"
        case _:
            return clipped(describe_link(link, length_max=VALUE_LENGTH_MAX), LINK_LENGTH_MAX)


def state(plain_state: Any) -> str:
    """Return the state of a state machine, shortened."""
    return clipped(describe_state(plain_state), LINK_LENGTH_MAX)


def acceptance(proposal_id: object, link: Any) -> str:
    """Return an acceptance: ``2.A with "x"``; that of nothing in words."""
    if proposal_id == NOTHING:
        return "nothing"
    return f"{number(proposal_id)} with {value(link)}"


def votes_in_words(saved: Mapping[str, Any], *, none: str) -> str:
    """Return what a *saved* state has promised and accepted in its link; *none* if nothing."""
    promised, accepted = saved["promised"], saved["accepted"]
    if promised == NOTHING:
        return none
    return f"promised {number(promised)}, accepted {acceptance(accepted, saved['value'])}"


def founders_in_words(fields: Mapping[str, Any]) -> str:
    """Return who founds a chain, by the *fields* of that event: there each has its birth, too."""
    return joined(
        [one[0] if isinstance(one, list | tuple) and one else one for one in fields["founders"]]
    )


def call(fields: Mapping[str, Any]) -> str:
    """Return what a client asks for: ``set "hello"``."""
    arguments = list(fields["arguments"])
    shown = [quoted(item, length_max=VALUE_LENGTH_MAX) for item in arguments[:UPDATES_MAX]]
    rest = [f"... ({len(arguments)} arguments)"] * (len(arguments) > UPDATES_MAX)
    return clipped(" ".join([name(fields["operation"]), *shown, *rest]), LINK_LENGTH_MAX)


def duration(seconds: float) -> str:
    """Return a time span, as exact as a reader needs it: ``5.0 ms``, ``9.80 s``."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s"


def text(said: object, length_max: int = SENTENCE_LENGTH_MAX) -> str:
    """Return words that stand in a trace, safe to show and not too many."""
    return printable(str(said), length_max=length_max)


def counted(count: int, noun: str) -> str:
    """Return *count* and *noun* as people write them: ``1 link``, ``2 links``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def clipped(said: str, length_max: int) -> str:
    """Return *said*, cut where it is longer than *length_max*."""
    return said if len(said) <= length_max else f"{said[: length_max - 3]}..."
