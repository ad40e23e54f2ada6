"""
Scenarios: a script that a person wrote, and the trace that it must give.

A file has a comment that says what happens, why, and what to look at; commands, one a line; a line
``----``; and the golden trace. Messages are held until the script delivers them, time passes only
where the script lets it. See :data:`COMMANDS` for the vocabulary.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from composable_paxos import LOWEST
from multipaxos.chain.effects import Timer
from multipaxos.chain.messages import Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.settings import Settings
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.composition import UnknownStrategyError, strategy_names
from multipaxos.machines import UnknownMachineError, find_machine
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.disk import Cut
from multipaxos.simulation.manual_network import NoSuchMessageError
from multipaxos.simulation.narration import narrate
from multipaxos.trace import TraceEvent, describe_link, describe_state, plain

SEPARATOR = "----"
DELIVERIES_MAX = 10_000


class ScenarioError(Exception):
    """A line of a script cannot be carried out: the message names the file and the line."""


class _BadCommandError(Exception):
    """What is wrong with a command; :class:`Stage` adds where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario file: its *path*, the *script* as written, and the *golden* trace."""

    path: Path
    script: str
    golden: str

    def run(self) -> str:
        """Play the script and return its trace in words. Raises as :meth:`play` does."""
        return "\n".join(self.play().lines) + "\n"

    def play(self) -> "Stage":
        """Play the script, and return the stage. Raises ScenarioError and InvariantViolation."""
        stage = Stage()
        for number, line in enumerate(self.script.splitlines(), start=1):
            command = line.partition("#")[0].strip()
            if command:
                try:
                    stage.perform(command)
                except (_BadCommandError, NoSuchMessageError) as error:
                    raise ScenarioError(f"{self.path.name}, line {number}: {error}") from error
        return stage

    def rewrite(self, golden: str) -> None:
        """Put *golden* in place of the file's trace."""
        self.path.write_text(f"{self.script}{SEPARATOR}\n{golden}", encoding="utf-8")


def read_scenario(path: Path) -> Scenario:
    """Read the file at *path*; one without a trace yet is complete, too."""
    script, _, golden = path.read_text(encoding="utf-8").partition(f"{SEPARATOR}\n")
    return Scenario(path=path, script=script, golden=golden)


class Stage:
    """
    A cluster under a person's hand, and the *lines* that tell what happened on it.

    The cluster is built, and all servers start, with the first command that is not a setting.
    """

    def __init__(self) -> None:
        """Begin with the default settings and no cluster."""
        self.lines: list[str] = []
        self._servers: tuple[str, ...] = ("A", "B", "C")
        self._master = False
        self._without: tuple[str, ...] = ()
        self._founded = True
        self._manual = True
        self._machine: StateMachine = Register()
        self._settings: dict[str, float] = {}
        self._started: SimulatedCluster | None = None
        self._told = 0
        self._told_time = 0.0

    @property
    def cluster(self) -> SimulatedCluster:
        """The cluster, once the first command that is not a setting was given."""
        assert self._started is not None, "no command may use the cluster before it is built"
        return self._started

    @property
    def events(self) -> list[TraceEvent]:
        """The trace so far, as every engine writes it."""
        return self.cluster.trace.events

    def perform(self, command: str) -> None:
        """Carry out one *command* and tell what came of it."""
        verb, _, rest = command.partition(" ")
        method = COMMANDS.get(verb)
        if method is None:
            raise _BadCommandError(f"{verb!r} is no command; these are: {', '.join(COMMANDS)}")
        if verb not in SETTINGS:
            self._begin()
            self.lines.append(f"> {command}")
        elif self._started is not None:
            raise _BadCommandError(f"{verb!r} must stand before everything that happens")
        method(self, rest.strip())
        self._tell()

    # -- settings ----------------------------------------------------------------------------------

    def servers(self, rest: str) -> None:
        """Name the servers."""
        self._servers = tuple(rest.split())
        if not self._servers:
            raise _BadCommandError("name at least one server, as in: servers A B C")

    def master(self, rest: str) -> None:
        """Let servers seek mastership."""
        self._no_more(rest)
        self._master = True

    def without(self, rest: str) -> None:
        """``without brevity group-commit``: leave out these strategies."""
        self._without = tuple(rest.split())
        try:
            strategy_names(master=True, without=self._without)
        except UnknownStrategyError as error:
            raise _BadCommandError(str(error)) from error

    def newborn(self, rest: str) -> None:
        """Begin without memory instead of at link 1 of a chain."""
        self._no_more(rest)
        self._founded = False

    def automatic(self, rest: str) -> None:
        """Let a network without faults deliver: ``advance`` then shows what happens by itself."""
        self._no_more(rest)
        self._manual = False

    def state(self, rest: str) -> None:
        """Replicate another state than a register: ``state dictionary``."""
        try:
            self._machine = find_machine(rest)
        except UnknownMachineError as error:
            raise _BadCommandError(str(error)) from error

    def set(self, rest: str) -> None:
        """Change a setting: ``set lease_seconds 10``."""
        name, _, number = rest.partition(" ")
        if name not in Settings.__dataclass_fields__:
            raise _BadCommandError(f"there is no setting {name!r}")
        self._settings[name] = type(getattr(Settings(), name))(self._number(number))

    # -- clients -----------------------------------------------------------------------------------

    def propose(self, rest: str) -> None:
        """``propose A x``: a new client asks A; ``propose A x as ann/1``: under this request id."""
        words = rest.split()
        match words:
            case [uid, value]:
                self._ask(uid, ("SET", value), None)
            case [uid, value, "as", request]:
                self._ask(uid, ("SET", value), request)
            case _:
                raise _BadCommandError("write: propose SERVER VALUE, or: ... as CLIENT/SEQUENCE")

    def read(self, rest: str) -> None:
        """``read A``: a new client asks A for the value."""
        self._ask(rest, ("GET",), None)

    def ask(self, rest: str) -> None:
        """``ask A INCR n``: a new client asks A for a command; ``ask A INCR n as ann/1``."""
        request: str | None = None
        match rest.split():
            case [uid, name, *arguments, "as", request]:
                command = (name.upper(), *arguments)
            case [uid, name, *arguments]:
                command = (name.upper(), *arguments)
            case _:
                raise _BadCommandError("write: ask SERVER COMMAND, or: ... as CLIENT/SEQUENCE")
        fault = self._machine.refusal(command)
        if fault is not None:
            raise _BadCommandError(fault)
        self._ask(uid, command, request)

    # -- messages ----------------------------------------------------------------------------------

    def deliver(self, rest: str) -> None:
        """``deliver A->B Prepare, B->A *``: each in turn; ``deliver all``: until none is held."""
        manual = self.cluster.manual
        if rest == "all":
            count = 0
            while (envelope := self._first_deliverable()) is not None:
                self._tell()
                kind = type(envelope.message).__name__
                self.lines.append(f"  > {envelope.sender}->{envelope.receiver} {kind}")
                manual.deliver(envelope)
                count += 1
                if count > DELIVERIES_MAX:
                    raise _BadCommandError(f"still messages after {DELIVERIES_MAX} deliveries")
            return
        for selector in rest.split(","):
            for envelope in self._select(selector):
                manual.deliver(envelope)

    def drop(self, rest: str) -> None:
        """``drop A->C Prepare``: lose it; ``drop all``: lose everything that is held."""
        manual = self.cluster.manual
        selected = list(manual.held) if rest == "all" else self._select_all(rest)
        for envelope in selected:
            manual.drop(envelope)

    def duplicate(self, rest: str) -> None:
        """``duplicate A->B Accept``: it will arrive once more."""
        for envelope in self._select_all(rest):
            self.cluster.manual.duplicate(envelope)

    def partition(self, rest: str) -> None:
        """``partition A B | C D E``: nothing passes between the groups."""
        groups = [group.split() for group in rest.split("|")]
        for uid in (uid for group in groups for uid in group):
            self._check_uid(uid)
        self.cluster.partition(*groups)

    def block(self, rest: str) -> None:
        """``block A->B``: nothing passes this way; the other way stays open."""
        self.cluster.block(*self._pair(rest))

    def heal(self, rest: str) -> None:
        """Let everything pass again."""
        self._no_more(rest)
        self.cluster.heal()

    # -- servers -----------------------------------------------------------------------------------

    def crash(self, rest: str) -> None:
        """``crash B``: now; ``crash B before save``, ``crash B after save``: at its next save."""
        uid, _, when = rest.partition(" ")
        self._check_uid(uid)
        if when:
            try:
                self.cluster.servers[uid].disk.cut = Cut(when)
            except ValueError as error:
                raise _BadCommandError(
                    "write: crash B, crash B before save, or: ... after save"
                ) from (error)
        else:
            self.cluster.crash(uid)

    def restart(self, rest: str) -> None:
        """``restart B``: from its disk."""
        self.cluster.restart(self._uid(rest))

    def wipe(self, rest: str) -> None:
        """``wipe B``: it loses its state file; it must be down."""
        uid = self._uid(rest)
        if self.cluster.servers[uid].up:
            raise _BadCommandError(f"{uid} is running: crash it first")
        self.cluster.wipe(uid)

    def pause(self, rest: str) -> None:
        """``pause A``: its events wait, its clock goes on."""
        self.cluster.pause(self._uid(rest))

    def resume(self, rest: str) -> None:
        """``resume A``: what waited comes first."""
        self.cluster.resume(self._uid(rest))

    def stall(self, rest: str) -> None:
        """``stall A 12s at reading 2``: it stops for 12 s at the second look at its clock."""
        match rest.split():
            case [uid, duration, "at", "reading", count] if count.isdigit():
                self._check_uid(uid)
                self.cluster.stall_at_reading(uid, int(count), self._seconds(duration))
            case _:
                raise _BadCommandError("write: stall SERVER 12s at reading 2")

    def disk_full(self, rest: str) -> None:
        """``disk-full A``: the next save fails."""
        self.cluster.fill_disk(self._uid(rest))

    def disk_ok(self, rest: str) -> None:
        """``disk-ok A``: there is room again."""
        self.cluster.mend_disk(self._uid(rest))

    # -- time --------------------------------------------------------------------------------------

    def advance(self, rest: str) -> None:
        """``advance 3s``, ``advance 250ms``: what is due by then happens."""
        self.cluster.run_for(self._seconds(rest))

    def after(self, rest: str) -> None:
        """``after 12s propose B y``: carry out a command later, when time has got there."""
        duration, _, command = rest.partition(" ")
        if command.partition(" ")[0] not in COMMANDS:
            raise _BadCommandError("write: after 12s COMMAND")
        time = self.cluster.time
        time.call_at(time.now + self._seconds(duration), lambda: self._perform_later(command))

    def fire(self, rest: str) -> None:
        """``fire A takeover``: this timer of A ends now."""
        uid, _, name = rest.partition(" ")
        self._check_uid(uid)
        try:
            self.cluster.hurry(uid, Timer(name))
        except ValueError as error:
            names = ", ".join(timer.value for timer in Timer)
            raise _BadCommandError(f"{name!r} is no timer; these are: {names}") from error
        except LookupError as error:
            raise _BadCommandError(f"{error}") from error

    def clock(self, rest: str) -> None:
        """``clock B 1.03``: B's clock runs at this rate from now on."""
        uid, _, rate = rest.partition(" ")
        self._check_uid(uid)
        self.cluster.set_clock_rate(uid, self._number(rate))

    # -- looking -----------------------------------------------------------------------------------

    def show(self, rest: str) -> None:
        """``show``: each server's link, value, disk, and whether it trusts a lease of its own."""
        self._no_more(rest)
        self._tell()
        self.lines.extend(describe_servers(self.cluster))

    # -- own affairs -------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._started is not None:
            return
        self._started = SimulatedCluster(
            self._servers,
            strategies=strategy_names(master=self._master, without=self._without),
            settings=Settings(**self._settings),  # type: ignore[arg-type]
            founded=self._founded,
            machine=self._machine,
            manual=self._manual,
            engine="scenario",
        )
        self._started.start()
        if self._founded:
            # Greetings and first timers are the same in every scenario.
            self._started.manual.held.clear()
            self._told = len(self._started.trace.events)

    def _perform_later(self, command: str) -> None:
        self._tell()
        self.perform(command)

    def _tell(self) -> None:
        if self._started is None:
            return
        events = self._started.trace.events
        for event in events[self._told :]:
            line = narrate(event)
            if line is not None:
                self._tell_time(event.seconds)
                self.lines.append(f"  {line}")
        self._told = len(events)
        self._tell_time(self._started.time.now)

    def _tell_time(self, seconds: float) -> None:
        if round(seconds, 3) != self._told_time:
            self._told_time = round(seconds, 3)
            self.lines.append(f"  -- {self._told_time:.3f} s")

    def _ask(self, uid: str, command: Command, request: str | None) -> None:
        self._check_uid(uid)
        if request is None:
            self.cluster.submit(uid, command)
            return
        client, slash, sequence = request.partition("/")
        if not (slash and sequence.isdigit()):
            raise _BadCommandError(f"{request!r} is no request id: write CLIENT/SEQUENCE")
        known = next((c for c in self.cluster.calls.values() if str(c.request_id) == request), None)
        if known is None:
            self.cluster.submit(uid, command, client=client, sequence=int(sequence))
        else:
            self.cluster.retry(known, uid)

    def _first_deliverable(self) -> Envelope | None:
        manual = self.cluster.manual
        return next((e for e in manual.held if manual.wires.carry(e.sender, e.receiver)), None)

    def _select_all(self, rest: str) -> list[Envelope]:
        return [envelope for selector in rest.split(",") for envelope in self._select(selector)]

    def _select(self, selector: str) -> list[Envelope]:
        pair, _, kind = selector.strip().partition(" ")
        sender, receiver = self._pair(pair, anyone=True)
        manual = self.cluster.manual
        if "*" not in (sender, receiver, kind):
            return [manual.find(sender, receiver, kind)]
        selected = [
            held
            for held in manual.held
            if sender in ("*", held.sender)
            and receiver in ("*", held.receiver)
            and kind in ("*", type(held.message).__name__)
        ]
        if not selected:
            raise NoSuchMessageError(
                f"nothing like {selector.strip()!r} is in flight; in flight: {manual.describe()}"
            )
        return selected

    def _pair(self, text: str, *, anyone: bool = False) -> tuple[str, str]:
        sender, arrow, receiver = text.partition("->")
        if not arrow:
            raise _BadCommandError(f"{text!r} is no pair: write SENDER->RECEIVER")
        for uid in (sender, receiver):
            if not (anyone and uid == "*"):
                self._check_uid(uid)
        return sender, receiver

    def _uid(self, text: str) -> str:
        self._check_uid(text)
        return text

    def _check_uid(self, uid: str) -> None:
        if uid not in self.cluster.servers:
            raise _BadCommandError(f"{uid!r} is no server; these are: {', '.join(self._servers)}")

    def _seconds(self, text: str) -> float:
        if text.endswith("ms"):
            return self._number(text.removesuffix("ms")) / 1000
        if text.endswith("s"):
            return self._number(text.removesuffix("s"))
        raise _BadCommandError(f"{text!r} is no duration: write 3s or 250ms")

    def _number(self, text: str) -> float:
        with suppress(ValueError):
            number = float(text)
            if isfinite(number):
                return number
        raise _BadCommandError(f"{text!r} is no number")

    def _no_more(self, rest: str) -> None:
        if rest:
            raise _BadCommandError(f"nothing may follow here, not even {rest!r}")


def describe_servers(cluster: SimulatedCluster) -> list[str]:
    """Return a line for each server: where it is, what is on its disk."""
    lines = []
    for server in cluster.servers.values():
        state = server.disk.state
        words = ["up" if server.up else "down"]
        if state is None:
            words.append("no state file")
        else:
            words.append(
                f"disk: at link {state.instance}, {describe_state(plain(state.snapshot.value))}"
            )
            if state.acceptor.promised_id > LOWEST:
                words.append(f"promised {state.acceptor.promised_id}")
            if state.acceptor.accepted_id > LOWEST:
                link = describe_link(plain(state.acceptor.accepted_value))
                words.append(f"accepted {state.acceptor.accepted_id} {link}")
            if state.snapshot.master is not None:
                words.append(f"the chain names {state.snapshot.master.uid} master")
        if server.trusts_lease:
            words.append("TRUSTS ITS LEASE")
        lines.append(f"  | {server.uid} {', '.join(words)}")
    return lines


SETTINGS = frozenset({"servers", "master", "without", "newborn", "automatic", "state", "set"})

COMMANDS: dict[str, Callable[[Stage, str], None]] = {
    method.__name__.replace("_", "-"): method
    for method in (
        Stage.servers,
        Stage.master,
        Stage.without,
        Stage.newborn,
        Stage.automatic,
        Stage.state,
        Stage.set,
        Stage.propose,
        Stage.read,
        Stage.ask,
        Stage.deliver,
        Stage.drop,
        Stage.duplicate,
        Stage.partition,
        Stage.block,
        Stage.heal,
        Stage.crash,
        Stage.restart,
        Stage.wipe,
        Stage.pause,
        Stage.resume,
        Stage.stall,
        Stage.disk_full,
        Stage.disk_ok,
        Stage.advance,
        Stage.after,
        Stage.fire,
        Stage.clock,
        Stage.show,
    )
}
"""The commands by name; the docstring of each shows how it is written."""
