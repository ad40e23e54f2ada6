"""The files of the page: only what lies in the package's own folder, by name."""

from importlib.resources import files
from importlib.resources.abc import Traversable

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
PAGE = "index.html"


def folder() -> Traversable:
    """Return the folder with the page's files."""
    return files("multipaxos.lab").joinpath("static")


def names() -> tuple[str, ...]:
    """Return the names of all files of the page."""
    return tuple(sorted(f.name for f in folder().iterdir() if f.is_file() and _kind(f.name)))


def read(name: str) -> tuple[bytes, str] | None:
    """Return the file *name* and its type; None if the page has no such file."""
    if name not in names():
        return None
    return folder().joinpath(name).read_bytes(), TYPES[_kind(name)]


def _kind(name: str) -> str:
    ending = name.rpartition(".")[2]
    return ending if ending in TYPES else ""
