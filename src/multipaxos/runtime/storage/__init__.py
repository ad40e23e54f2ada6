"""
Storage on disk: what a server must not forget, and the history of decided links.

Two kinds, with the same promises: SQLite (:class:`SqliteStorage`) and one JSON file that a person
can read (:class:`JsonStorage`). A save returns when it survives a power cut. A state that is
damaged, belongs to another server, or is in use is refused with a sentence that says what to do;
only a state that is not there at all counts as missing.

An old copy is refused as well, be it a restored backup or a database whose file ending in ``-wal``
was removed or cut: the lock file notes how often the state was saved. That has limits. The note is
not synced, so that after a power cut it may be behind and miss the newest saves; and it is deceived
by whoever removes the lock file, or puts an old one back together with the old state. A server
whose state may be old must start without one: it then learns from a majority before it votes.
"""

from multipaxos.runtime.storage.json_storage import JsonStorage
from multipaxos.runtime.storage.place import default_directory
from multipaxos.runtime.storage.sqlite_storage import SqliteStorage

__all__ = ["JsonStorage", "SqliteStorage", "default_directory"]
