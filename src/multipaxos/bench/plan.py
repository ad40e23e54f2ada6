"""What one load asks of the servers."""

from dataclasses import dataclass

Endpoint = tuple[str, int]

STATES = ("dictionary", "register")
KEY_PREFIX = "multipaxos-bench:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """
    What is varied: so many *clients*, each with *pipeline* requests under way at a time.

    *reads* is the share of the requests that read; the others write.
    """

    clients: int = 1
    pipeline: int = 1
    reads: float = 0.0

    @property
    def title(self) -> str:
        """The load in words."""
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        what = {0.0: "writes", 1.0: "reads"}.get(self.reads, f"{self.reads:.0%} reads")
        return f"{clients}, {what}" + (f", {self.pipeline} at a time" * (self.pipeline > 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """
    What is written and read: values of *value_bytes* below *keys* keys, in a *state* of that kind.

    *counting* clients count instead: each has a key, and increments it with each request.
    """

    state: str = "dictionary"
    keys: int = 1000
    value_bytes: int = 64
    counting: bool = False

    def key(self, number: int) -> bytes:
        """Return the key *number*; those of counting clients are apart from the others."""
        return f"{KEY_PREFIX}{'count:' * self.counting}{number}".encode()

    def value(self, number: int) -> bytes:
        """Return what is written below the key *number*, always the same: so a reply is known."""
        if self.state == "register":
            number = 0
        return (b"%d." % number * self.value_bytes)[: self.value_bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """
    One run of a load process: its part of the *load*, and where it goes.

    The clients are spread over the *addresses* in turn; whoever loses his connection goes on at the
    next. The first *warm_up_seconds* are not measured. The run ends *seconds* later, or once
    *requests_max* requests are sent, if that comes first. *seed* chooses the keys.
    """

    addresses: tuple[Endpoint, ...]
    load: Load
    content: Content
    warm_up_seconds: float
    seconds: float
    requests_max: int | None = None
    seed: int = 1
    first_client: int = 0
