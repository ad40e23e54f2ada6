"""What a random run depends on, as plain data; and the one command that repeats it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from composable_paxos import PeerID
from multipaxos.chain.register import Register
from multipaxos.chain.settings import Settings
from multipaxos.chain.state_machine import StateMachine
from multipaxos.composition import strategy_names
from multipaxos.errors import MultipaxosError
from multipaxos.machines import UnknownMachineError, find_machine
from multipaxos.simulation.commands import NoCommandError, commands_of
from multipaxos.simulation.fault_plan import LEVELS, PARTS, FaultPlan, draw_fault_plan
from multipaxos.simulation.faults import SERVERS_MAX, Fault, draw_faults
from multipaxos.simulation.workload import Request, draw_requests
from multipaxos.trace import printable

STORAGES = ("simulated", "json")
CLIENTS = 3
CLIENTS_MAX = 100
SESSIONS_MAX = 10_000
RATE_MAX = 1e6
SHOWN_LENGTH_MAX = 40
NUMBER_MAX = 10_000_000
"""A number of a fault or of a request is not higher: a list of them must fit into memory."""


class PlanError(MultipaxosError, ValueError):
    """A run like that is not possible; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """
    All that a run depends on. Equal plans give equal traces, on every machine.

    *seconds* is the length of the safety phase. *kept_faults* and *kept_requests* name those of the
    seed's that happen, by number, None: all. *switched_off* are parts of the fault plan; *chances*
    takes the place of the one that the seed stands for at the level *faults*. *state* names the
    state machine; it remembers so many *sessions* of clients (None: as many as the *settings* say).

    Raises PlanError for what cannot be run.
    """

    seed: int
    servers: int = 3
    seconds: float = 60.0
    faults: str = "rough"
    master: bool = False
    without: tuple[str, ...] = ()
    state: str = Register.kind
    sessions: int | None = None
    bug: str | None = None
    storage: str = "simulated"
    founded: bool = False
    clients: int = CLIENTS
    rate: float = 1.0
    reads: float = 0.4
    kept_faults: tuple[int, ...] | None = None
    kept_requests: tuple[int, ...] | None = None
    switched_off: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    chances: FaultPlan | None = None
    traced: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        _refuse_unless(
            1 <= self.servers <= SERVERS_MAX, f"1 to {SERVERS_MAX} servers", self.servers
        )
        _refuse_unless(0 <= self.seconds < float("inf"), "seconds, zero or more", self.seconds)
        _refuse_unless(
            1 <= self.clients <= CLIENTS_MAX, f"1 to {CLIENTS_MAX} clients", self.clients
        )
        _refuse_unless(0 < self.rate <= RATE_MAX, "requests a second, up to a million", self.rate)
        _refuse_unless(0 <= self.reads <= 1, "a share of reads from 0 to 1", self.reads)
        _refuse_unless(self.faults in LEVELS, f"one of {', '.join(LEVELS)}", self.faults)
        _refuse_unless(self.storage in STORAGES, f"one of {', '.join(STORAGES)}", self.storage)
        _refuse_unless(
            self.sessions is None or 1 <= self.sessions <= SESSIONS_MAX,
            f"1 to {SESSIONS_MAX} sessions",
            self.sessions,
        )
        try:
            commands_of(self.machine, Random(0))
        except (UnknownMachineError, NoCommandError) as error:
            raise PlanError(str(error)) from error
        for part in self.switched_off:
            _refuse_unless(part in PARTS, f"one of {', '.join(PARTS)}", part)

    @property
    def uids(self) -> tuple[PeerID, ...]:
        """The servers' names."""
        return tuple("ABCDEFGHI"[: self.servers])

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies that the servers are woven from. Raises UnknownStrategyError."""
        return strategy_names(master=self.master, without=self.without)

    @property
    def machine(self) -> StateMachine:
        """The state machine. Raises UnknownMachineError."""
        return find_machine(self.state)

    @property
    def sized_settings(self) -> Settings:
        """The settings, with as many sessions as the plan says."""
        if self.sessions is None:
            return self.settings
        return replace(self.settings, sessions_max=self.sessions)

    @property
    def demands_progress(self) -> bool:
        """Whether every request must be answered in the end: not without what brings that about."""
        return not {"resolution", "sync"} & set(self.without)

    def fault_plan(self) -> FaultPlan:
        """Return the chances in this run."""
        plan = self.chances or draw_fault_plan(self.seed, self.faults)
        return plan.without(*self.switched_off)

    def fault_schedule(self) -> tuple[Fault, ...]:
        """Return the faults that are kept."""
        drawn = draw_faults(self.seed, self.fault_plan(), self.seconds)
        if self.kept_faults is None:
            return drawn
        return tuple(fault for fault in drawn if fault.number in self.kept_faults)

    def request_schedule(self) -> tuple[Request, ...]:
        """Return the requests that are kept."""
        drawn = draw_requests(
            self.seed,
            machine=self.machine,
            rate=self.rate,
            reads=self.reads,
            seconds=self.seconds,
        )
        if self.kept_requests is None:
            return drawn
        kept = set(self.kept_requests)
        return tuple(request for request in drawn if request.number in kept)

    def command_line(self) -> str:
        """Return the command that repeats this run."""
        words = ["multipaxos simulate", f"--seed {self.seed}"]
        words.append(f"--servers {self.servers} --seconds {_render(self.seconds)}")
        words.append(f"--faults {self.faults}")
        words.extend(["--master"] if self.master else [])
        words.extend(f"--without {name}" for name in self.without)
        words.extend([] if self.state == Register.kind else [f"--state {self.state}"])
        words.extend([] if self.sessions is None else [f"--sessions {self.sessions}"])
        words.extend([] if self.bug is None else [f"--bug {self.bug}"])
        words.extend([] if self.storage == "simulated" else [f"--storage {self.storage}"])
        words.extend([] if self.clients == CLIENTS else [f"--clients {self.clients}"])
        words.extend([] if self.rate == 1 else [f"--rate {_render(self.rate)}"])
        words.extend(["--founded"] if self.founded else [])
        for option, numbers in (
            ("--keep-faults", self.kept_faults),
            ("--keep-requests", self.kept_requests),
        ):
            words.extend([] if numbers is None else [f"{option} {render_numbers(numbers)}"])
        words.extend(f"--switch-off {part}" for part in self.switched_off)
        return " ".join(words)


def render_numbers(numbers: Sequence[int]) -> str:
    """Write *numbers*, in order, as ``1-3,7``; none of them as ``none``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    spans = [f"{p[0]}" if len(p) == 1 else f"{p[0]}-{p[-1]}" for p in parts]
    return ",".join(spans) or "none"


def parse_numbers(text: str) -> tuple[int, ...]:
    """Read what :func:`render_numbers` wrote. Raises PlanError."""
    if text == "none":
        return ()
    numbers: list[int] = []
    for span in text.split(","):
        # Python would read more than ASCII digits, and refuse thousands of them.
        found = re.fullmatch("0*([0-9]+)(?:-0*([0-9]+))?", span)
        if found is None:
            raise PlanError(f"{_shown(text)} is no list of numbers: write 1-3,7, or none")
        first, last = found[1], found[2] or found[1]
        for digits in (first, last):
            if len(digits) > len(str(NUMBER_MAX)) or int(digits) > NUMBER_MAX:
                raise PlanError(f"no run has as many as {_shown(digits)}")
        if int(first) > int(last):
            raise PlanError(f"{_shown(span)} counts down: write {last}-{first}")
        numbers.extend(range(int(first), int(last) + 1))
    return tuple(numbers)


def _shown(text: str) -> str:
    return f'"{printable(text, length_max=SHOWN_LENGTH_MAX)}"'


def _render(number: float) -> str:
    return f"{float(number)!r}".removesuffix(".0")


def _refuse_unless(condition: bool, wanted: str, found: object) -> None:  # noqa: FBT001
    if not condition:
        raise PlanError(f"a run needs {wanted}, not {found!r}")
