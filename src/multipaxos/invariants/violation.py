"""What a broken invariant is told with."""


class InvariantViolation(Exception):  # noqa: N818 - it is one, and the name says so
    """Something happened that must never happen: the message names rule, link, servers, values."""

    def __init__(self, name: str, link: int | None, explanation: str) -> None:
        """Violate the invariant *name* at *link*."""
        self.name = name
        self.link = link
        at = "" if link is None else f" at link {link}"
        super().__init__(f"{name}{at}: {explanation}")
