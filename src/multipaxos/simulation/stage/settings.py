"""The settings of a script: they stand before everything that happens."""

from multipaxos.chain.settings import Settings
from multipaxos.composition import UnknownStrategyError, strategy_names
from multipaxos.machines import UnknownMachineError, find_machine
from multipaxos.simulation.fault_plan import LEVELS
from multipaxos.simulation.faults import SERVERS_MAX
from multipaxos.simulation.stage.base import BadCommandError, StageBase
from multipaxos.simulation.stage.setup import RandomClients, RandomFaults
from multipaxos.strategies.broken import UnknownBugError, find_bug

SEED_MAX = 10**12
CLIENTS_MAX = 20
RATE_MAX = 1000.0
SECONDS_MAX = 600.0
REQUESTS_MAX = 5_000


class SettingCommands(StageBase):
    """Changes the setup, as long as nothing has happened."""

    def servers(self, rest: str) -> None:
        """Name the servers."""
        names = tuple(rest.split())
        if not names:
            raise BadCommandError("name at least one server, as in: servers A B C")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise BadCommandError(f"name each server once: {twice!r} is there more than once")
        if len(names) > SERVERS_MAX:
            raise BadCommandError(f"there are at most {SERVERS_MAX} servers, not {len(names)}")
        self.setup.servers = names

    def seed(self, rest: str) -> None:
        """``seed 7``: what all chance is drawn from."""
        self.setup.seed = self._count(rest, 0, SEED_MAX, "a seed")

    def master(self, rest: str) -> None:
        """Let servers seek mastership."""
        self._no_more(rest)
        self.setup.master = True

    def without(self, rest: str) -> None:
        """``without brevity group-commit``: leave out these strategies."""
        names = tuple(rest.split())
        try:
            strategy_names(master=True, without=names)
        except UnknownStrategyError as error:
            raise BadCommandError(str(error)) from error
        self.setup.without = tuple(dict.fromkeys((*self.setup.without, *names)))

    def bug(self, rest: str) -> None:
        """``bug own-value``: make the servers wrong on purpose; a run goes on when it breaks."""
        try:
            found = find_bug(rest)
        except UnknownBugError as error:
            raise BadCommandError(str(error)) from error
        self.setup.bug = found.name

    def quorums(self, rest: str) -> None:
        """``quorums 3 1``: ask for 3 promises, and take 1 acceptance for enough."""
        match rest.split():
            case [promises, acceptances]:
                sizes = (
                    self._count(promises, 1, SERVERS_MAX, "a quorum's size"),
                    self._count(acceptances, 1, SERVERS_MAX, "a quorum's size"),
                )
            case _:
                raise BadCommandError("write: quorums PROMISES ACCEPTANCES")
        self.setup.quorums = sizes

    def newborn(self, rest: str) -> None:
        """Begin without memory instead of at link 1 of a chain."""
        self._no_more(rest)
        self.setup.founded = False

    def automatic(self, rest: str) -> None:
        """Let a network without faults deliver: ``advance`` then shows what happens by itself."""
        self._no_more(rest)
        self.setup.manual = False

    def faults(self, rest: str) -> None:
        """``faults rough 20s``: let chance strike so long, and the network deliver by itself."""
        match rest.split():
            case [level, duration] if level in LEVELS:
                seconds = self._no_longer(duration)
            case _:
                raise BadCommandError(f"write: faults LEVEL 20s; levels: {', '.join(LEVELS)}")
        self.setup.faults = RandomFaults(level=level, seconds=seconds)
        self.setup.manual = False

    def clients(self, rest: str) -> None:
        """``clients 3 2 20s``: 3 clients make 2 requests a second, together, for so long."""
        match rest.split():
            case [count, rate, duration]:
                number = self._count(count, 1, CLIENTS_MAX, "the number of clients")
                often = self._number(rate)
                seconds = self._no_longer(duration)
            case _:
                raise BadCommandError("write: clients COUNT REQUESTS-A-SECOND 20s")
        if not 0 < often <= RATE_MAX:
            raise BadCommandError(f"requests a second are above 0 and at most {RATE_MAX:g}")
        if often * seconds > REQUESTS_MAX:
            raise BadCommandError(f"clients make at most {REQUESTS_MAX:,} requests")
        self.setup.clients = RandomClients(count=number, rate=often, seconds=seconds)

    def state(self, rest: str) -> None:
        """Replicate another state than a register: ``state dictionary``."""
        try:
            self.setup.machine = find_machine(rest)
        except UnknownMachineError as error:
            raise BadCommandError(str(error)) from error

    def set(self, rest: str) -> None:
        """Change a setting: ``set lease_seconds 10``."""
        name, _, number = rest.partition(" ")
        if name not in Settings.__dataclass_fields__:
            raise BadCommandError(f"there is no setting {name!r}")
        wanted = self._number(number)
        if wanted < 0:
            raise BadCommandError(f"a setting is 0 or more, not {number!r}")
        value = type(getattr(Settings(), name))(wanted)
        if value != wanted:
            raise BadCommandError(f"{name} is a whole number, not {number!r}")
        try:
            Settings(**(self.setup.settings | {name: value}))
        except ValueError as error:
            raise BadCommandError(str(error)) from error
        self.setup.settings[name] = value

    def _no_longer(self, duration: str) -> float:
        seconds = self._seconds(duration)
        if seconds > SECONDS_MAX:
            raise BadCommandError(f"chance strikes for at most {SECONDS_MAX:g} s")
        return seconds
