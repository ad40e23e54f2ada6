"""The limit of open files: raised where it may be, and obeyed where it may not."""

from resource import RLIM_INFINITY

import pytest

from multipaxos.runtime.file_limit import RESERVED_FILES, make_room_for

HIGHEST = 3000


class System:
    """An operating system, which lets nobody have more than HIGHEST files, whatever it says."""

    def __init__(self, soft: int, hard: int) -> None:
        """Begin with these limits."""
        self.limits = (soft, hard)

    def getrlimit(self, resource: int) -> tuple[int, int]:
        """Return the limits."""
        del resource
        return self.limits

    def setrlimit(self, resource: int, limits: tuple[int, int]) -> None:
        """Change the limits, or fail."""
        del resource
        if limits[0] > HIGHEST:
            raise ValueError("not allowed to raise maximum limit")
        self.limits = limits


@pytest.mark.parametrize(
    "soft, hard, connections, after",
    [
        (4096, 4096, 1000, 4096),
        (RLIM_INFINITY, RLIM_INFINITY, 1000, RLIM_INFINITY),
        (1024, 4096, 1000, 1000 + RESERVED_FILES),
        (1024, RLIM_INFINITY, 1000, 1000 + RESERVED_FILES),
        (1024, 1024, 1024 - RESERVED_FILES, 1024),
        (256, 1024, 1024 - RESERVED_FILES, 1024),
        (64, 64, 1, 64),
    ],
)
def test_room_is_made_as_far_as_the_system_allows(
    soft: int, hard: int, connections: int, after: int
) -> None:
    """A thousand clients where that is possible, else as many as there can be."""
    system = System(soft, hard)

    assert make_room_for(1000, system=system) == connections
    assert system.limits == (after, hard)


def test_a_system_that_refuses_is_obeyed() -> None:
    """Some have a limit beyond the hard one, and do not say where it is."""
    system = System(1024, RLIM_INFINITY)

    assert make_room_for(5000, system=system) == 1024 - RESERVED_FILES
    assert system.limits == (1024, RLIM_INFINITY)
