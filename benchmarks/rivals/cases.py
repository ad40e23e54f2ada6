"""The loads of the comparison, and who takes part in each."""

from dataclasses import dataclass, field

from multipaxos.bench.plan import Content, Load

OURS, ETCD, REDIS, PYSYNCOBJ = "multipaxos", "etcd", "Redis", "PySyncObj"
UNBATCHED = "PySyncObj, unbatched"
SHARED = "etcd, 4 connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A load of the comparison, with the names of the *systems* that it is put on."""

    name: str
    load: Load
    systems: tuple[str, ...]
    content: Content = field(default_factory=Content)

    @property
    def title(self) -> str:
        """The case in words."""
        mib = self.content.value_bytes / 2**20
        return self.load.title + (f", values of {mib:g} MiB" * (mib >= 1))


LARGE = Content(keys=8, value_bytes=1 << 20)

ONE = Case(name="one", load=Load(clients=1), systems=(OURS, ETCD, REDIS, PYSYNCOBJ))
SOME = Case(
    name="some", load=Load(clients=64), systems=(OURS, ETCD, SHARED, REDIS, PYSYNCOBJ, UNBATCHED)
)
MANY = Case(
    name="many", load=Load(clients=256), systems=(OURS, ETCD, SHARED, REDIS, PYSYNCOBJ, UNBATCHED)
)
MOST = Case(name="most", load=Load(clients=1000), systems=(ETCD, SHARED, PYSYNCOBJ, UNBATCHED))
"""Only to find the best of those whose best is asked for."""
READS = Case(name="reads", load=Load(clients=256, reads=1.0), systems=(OURS, ETCD, SHARED, REDIS))
PIPED = Case(name="piped", load=Load(clients=64, pipeline=16), systems=(OURS, REDIS))
BIG = Case(name="big", load=Load(clients=1), systems=(OURS, ETCD, REDIS), content=LARGE)

CASES = (ONE, SOME, MANY, MOST, READS, PIPED, BIG)
FAILOVER = Load(clients=64)
MEMORY = {OURS: Load(clients=64, pipeline=16), ETCD: Load(clients=256)}
"""With which load many writes are quickly done."""
COST = Load(clients=256)
