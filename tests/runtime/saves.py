"""A dictionary's storage in SQLite, and what a server would save of a chain there."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from composable_paxos import AcceptorState, ProposalID
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import DecidedLink, DurableState, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.ledger import apply_link
from multipaxos.chain.links import Link, Updates
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.storage import SqliteStorage

MACHINE = Dictionary()
SESSIONS_MAX = 3


def storage(
    directory: Path,
    *,
    history_max: int = 100,
    sessions_max: int = SESSIONS_MAX,
    machine: StateMachine = MACHINE,
) -> SqliteStorage:
    """Return the storage of a dictionary, or another *machine*."""
    return SqliteStorage(
        directory,
        cluster="main",
        uid="A",
        machine=machine,
        sessions_max=sessions_max,
        history_max=history_max,
    )


def first(machine: StateMachine = MACHINE) -> DurableState:
    """Return the state before link 0."""
    return DurableState(birth="b", snapshot=Snapshot(value=machine.initial()))


def after(state: DurableState, *links: Link, machine: StateMachine = MACHINE) -> Save:
    """Return the save of what *links* make of *state*."""
    decided = []
    for link in links:
        decided.append(DecidedLink(number=state.instance, link=link))
        effect = apply_link(
            state.snapshot, state.instance, link, machine=machine, sessions_max=SESSIONS_MAX
        )
        state = replace(
            state,
            instance=state.instance + 1,
            acceptor=AcceptorState(),
            snapshot=effect.snapshot,
        )
    return Save(state=state, decided=tuple(decided))


def accepting(save: Save, link: Link, *, number: int = 1) -> Save:
    """Return *save* with the acceptance of *link* in the instance in progress, too."""
    accepted = ProposalID(number, "A")
    acceptor = AcceptorState(promised_id=accepted, accepted_id=accepted, accepted_value=link)
    return replace(save, state=replace(save.state, acceptor=acceptor))


def command(*words: str, client: str = "c", sequence: int = 1) -> Updates:
    """Return a link with one command."""
    request_id = RequestID(client, sequence)
    return Updates(updates=(Update(request_id=request_id, command=words, since=0),))


def put(key: str, value: str, *, client: str = "c", sequence: int = 1) -> Updates:
    """Return a link that sets *key*."""
    return command("SET", key, value, client=client, sequence=sequence)


def reloaded(directory: Path, **options: Any) -> DurableState | None:
    """Return what the next process would find."""
    with closing(storage(directory, **options)) as disk:
        return disk.load()


def rows(directory: Path, query: str) -> list[Any]:
    """Return what a person would find in the database; of rows with one column, that."""
    with closing(sqlite3.connect(directory / "A.sqlite3", isolation_level=None)) as database:
        found = database.execute(query).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def saved(
    directory: Path, links: Sequence[Link], machine: StateMachine = MACHINE, **options: Any
) -> DurableState:
    """Save the state before link 0, and then link by link; return the last state."""
    state = first(machine)
    with closing(storage(directory, machine=machine, **options)) as disk:
        disk.save(Save(state=state))
        for link in links:
            save = after(state, link, machine=machine)
            disk.save(save)
            state = save.state
    return state
