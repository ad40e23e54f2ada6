"""The state in one JSON file, made anew by each save: slower than SQLite, and easy to look into."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from typing_extensions import override

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.runtime.codec import decode_link, decode_state, encode_link, encode_state
from multipaxos.runtime.storage.base import (
    Contents,
    DamagedError,
    FileStorage,
    Identity,
    check,
    checksum,
    first_kept,
    refuse_other_format,
)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file: the *checksum* is over the bytes of *content* as they stand."""

    checksum: str
    content: msgspec.Raw


class _Format(msgspec.Struct):
    """The one field that every version of the content has."""

    format: int


class _Content(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """``{"format":2,"cluster":"main","uid":"A","machine":"register",…}``."""

    format: int
    cluster: str
    uid: str
    machine: str
    file: str
    saves: int
    state: msgspec.Raw
    history: list[tuple[int, msgspec.Raw]]


class JsonStorage(FileStorage):
    """
    Each save writes ``<uid>.json.new``, syncs it, renames it to ``<uid>.json`` and syncs the name.

    At every instant ``<uid>.json`` is either the old state or the new one, whole. State beyond the
    base class's: the history, each link as it stands in the file.
    """

    kind = "json"

    def __init__(self, directory: Path, **arguments: Any) -> None:
        super().__init__(directory, **arguments)
        self._history: dict[int, bytes] = {}

    @override
    def _read(self) -> Contents | None:
        try:
            text = self.files.read(self.path)
        except FileNotFoundError:
            return None
        content = self._parse(text)
        # A process that died in its save may have left a state that others can read and a power cut
        # can take back. Nobody may act upon it before it is durable.
        self.files.sync(self.path)
        self.files.sync_directory(self.path.parent)
        self._history = {number: bytes(link) for number, link in content.history}
        return Contents(
            identity=Identity(
                format=content.format,
                cluster=content.cluster,
                uid=content.uid,
                machine_kind=content.machine,
                file=content.file,
            ),
            saves=content.saves,
            state=decode_state(bytes(content.state)),
        )

    def _parse(self, text: bytes) -> _Content:
        try:
            file = msgspec.json.decode(text, type=_File)
            content = check(bytes(file.content), file.checksum)
            refuse_other_format(msgspec.json.decode(content, type=_Format).format, self.path)
            return msgspec.json.decode(content, type=_Content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DamagedError(str(error) if text else "it is empty") from error

    @override
    def _write(self, save: Save, before: DurableState | None, saves: int) -> None:
        history = self._history | {
            decided.number: encode_link(decided.link) for decided in save.decided
        }
        first = first_kept(history, self.history_max)
        history = {number: history[number] for number in sorted(history) if number >= first}
        self._replace_file(self._compose(save.state, history, saves))
        self._history = history

    def _compose(self, state: DurableState, history: dict[int, bytes], saves: int) -> bytes:
        content = msgspec.json.encode(
            _Content(
                format=self.identity.format,
                cluster=self.identity.cluster,
                uid=self.identity.uid,
                machine=self.identity.machine_kind,
                file=self.identity.file,
                saves=saves,
                state=msgspec.Raw(encode_state(state)),
                history=[(number, msgspec.Raw(link)) for number, link in history.items()],
            )
        )
        return msgspec.json.encode(_File(checksum=checksum(content), content=msgspec.Raw(content)))

    def _replace_file(self, text: bytes) -> None:
        new = self.path.with_name(self.path.name + ".new")
        with suppress(FileNotFoundError):
            self.files.remove(new)
        with self.files.create(new) as file:
            file.write(text)
            file.sync()
        self.files.rename(new, self.path)
        self.files.sync_directory(self.path.parent)

    @override
    def _newest_links(self, count: int) -> list[DecidedLink]:
        newest = sorted(self._history)[-count:] if count > 0 else []
        return [
            DecidedLink(number=number, link=decode_link(self._history[number])) for number in newest
        ]

    @override
    def _close_file(self) -> None:
        """Nothing stays open between saves."""
