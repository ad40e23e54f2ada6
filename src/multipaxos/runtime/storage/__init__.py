"""
Storage on disk: what a server must not forget, and the history of decided links.

Two kinds, with the same promises: SQLite (:class:`SqliteStorage`) and one JSON file that a person
can read (:class:`JsonStorage`). A save returns when it survives a power cut. A state that is
damaged, belongs to another server, or is in use is refused with a sentence that says what to do;
only a state that is not there at all counts as missing.
"""

from multipaxos.runtime.storage.json_storage import JsonStorage
from multipaxos.runtime.storage.place import default_directory
from multipaxos.runtime.storage.sqlite_storage import SqliteStorage

__all__ = ["JsonStorage", "SqliteStorage", "default_directory"]
