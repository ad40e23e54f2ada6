"""On what kind of disk a directory is: one that is kept in memory makes every save look quick."""

from pathlib import Path

IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")


def file_system_of(directory: Path, mounts: str) -> str:
    """
    Return the kind of file system that holds *directory*, such as ``ext4``; "" if nobody knows.

    *mounts* is the text of ``/proc/self/mounts``.
    """
    found = kind = ""
    resolved = directory.resolve()
    for line in mounts.splitlines():
        _, where, mounted, *_ = line.split()
        place = where.replace("\\040", " ")
        # What was mounted last over a place is what is seen there.
        if resolved.is_relative_to(place) and len(place) >= len(found):
            found, kind = place, mounted
    return kind


def kind_of_disk(directory: Path) -> str:
    """Return the kind of file system that holds *directory* on this machine; "" if unknown."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return file_system_of(directory, mounts)


def is_in_memory(directory: Path) -> bool:
    """Tell whether *directory* is lost with the power; False where that cannot be found out."""
    return kind_of_disk(directory) in IN_MEMORY
