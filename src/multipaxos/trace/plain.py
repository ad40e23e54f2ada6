"""The protocol's values as plain ones: what JSON can hold, and a reader needs no classes for."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass

from immutables import Map

from composable_paxos import ProposalID
from multipaxos.chain.requests import RequestID


def plain(value: object) -> object:
    """
    Return *value* made of dicts, lists, strings, numbers, booleans and None only.

    A proposal is written ``2.A`` and a request ``client/7``; any other dataclass becomes a dict of
    its fields with its class's name as ``type``. Sets are sorted, so that equal values look equal.
    """
    # Strings, numbers and None come first: they are most of what a message is made of.
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, ProposalID | RequestID):
        return str(value)
    if is_dataclass(value):
        named = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__name__, **named}
    if isinstance(value, Map):
        # Its own order is that of hashes, which differ from run to run.
        return {key: plain(value[key]) for key in sorted(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    assert isinstance(value, AbstractSet | list | tuple), f"no plain form for {type(value)}"
    items = [plain(item) for item in value]
    return sorted(items, key=str) if isinstance(value, AbstractSet) else items
