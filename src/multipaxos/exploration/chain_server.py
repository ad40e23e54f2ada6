"""
One server of the model: the states that it was met in, and what each event makes of them.

A state of a server is its process and its inbox: all messages to it that may still matter. What can
happen to the server depends on nothing else, so it is found out once and remembered.
"""

from collections.abc import Iterator
from dataclasses import replace

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise
from multipaxos.chain.effects import Outbox
from multipaxos.chain.messages import Answered, CatchUp, Decided, Envelope, Forward, Sync
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.exploration.chain_bounds import UNCOUNTED, ChainBounds
from multipaxos.exploration.chain_clock import Clocks, sand_of
from multipaxos.exploration.chain_events import (
    Call,
    Event,
    Fire,
    Look,
    Played,
    Receive,
    Restart,
    Stage,
)
from multipaxos.exploration.chain_process import Process, value_of
from multipaxos.exploration.chain_step import Local, Outcome, Step
from multipaxos.invariants.names import NAMES
from multipaxos.invariants.violation import InvariantViolation

PAXOS = (Prepare, Promise, Accept, Accepted, Nack)


class ChainServer:
    """
    Everything that was met of the server with the position *index*.

    State: its processes, its mail (messages to it, each known by a bit), its local states, and what
    events make of processes.
    """

    def __init__(
        self,
        index: int,
        bounds: ChainBounds,
        replica_class: type[BaseReplicatedValue],
        clocks: Clocks,
    ) -> None:
        """Begin with nothing met."""
        self.index = index
        self.bounds = bounds
        self.clocks = clocks
        self.stage = Stage(index, bounds, replica_class)
        self.heeds_late_votes = replica_class.heeds_late_votes
        self.others: list[ChainServer] = []
        self.processes: list[Process] = []
        self.mail: list[Envelope] = []
        self.locals: list[Local] = []
        self.process_numbers: dict[object, int] = {}
        self._mail_bits: dict[object, int] = {}
        self._local_numbers: dict[tuple[int, int], int] = {}
        self._steps: dict[tuple[int, object], Step | None] = {}
        self._live: list[int] = [0] * (bounds.links + 2)
        self.steps_played = 0

    def local(self, process: int, inbox: int) -> int:
        """Return the number of the state with *process* and what still matters of *inbox*."""
        replica = self.processes[process].replica
        inbox &= self._live[min(replica.instance, self.bounds.links + 1)]
        number = self._local_numbers.get((process, inbox))
        if number is None:
            number = self._local_numbers[process, inbox] = len(self.locals)
            believes = 0 if replica.lease is None else sand_of(self.index, replica.lease)
            self.locals.append(Local(process, inbox, believes))
        return number

    def started(self, played: Played) -> tuple[int, Step]:
        """Return the state of a server that just started, and the step that this was."""
        step = self._step_of(played)
        assert step is not None, "nothing is proposed at the start"
        return self.local(step.process, 0), step

    def receive(self, local: int, mail: int) -> int:
        """Return the number of the state *local* with *mail* in its inbox."""
        before = self.locals[local]
        number = before.received.get(mail)
        if number is None:
            number = before.received[mail] = self.local(before.process, before.inbox | mail)
        return number

    # -- what can happen ---------------------------------------------------------------------------

    def outcomes(self, local: int) -> tuple[Outcome, ...]:
        """Return what can happen to the state *local*, and changes something; but for calls."""
        before = self.locals[local]
        if before.outcomes is None:
            before.outcomes, before.echo = self._explore(before)
        return before.outcomes

    def echo(self, local: int) -> tuple[tuple[int, int], ...]:
        """
        Return the mail that the state *local* sends for mail in its inbox, and stays the same.

        It is sent at once. The network keeps it, so nothing that could happen without it cannot
        happen with it.
        """
        self.outcomes(local)
        return self.locals[local].echo

    def called(self, local: int, call: Call, *, may_crash: bool) -> Iterator[Outcome]:
        """Yield what *call* makes of the state *local*, within the bounds: whole, or cut short."""
        before = self.locals[local]
        process = self.processes[before.process]
        if process.reads or process.halted:
            return
        if call not in before.calls:
            before.calls[call] = self._outcome(before, call)
        whole = before.calls[call]
        if whole is None:
            return
        yield whole
        if may_crash and _can_be_interrupted(whole.step):
            interrupted = self._outcome(before, Restart(during=call))
            assert interrupted is not None, "it sends no more than the whole event"
            yield interrupted

    def _explore(self, before: Local) -> tuple[tuple[Outcome, ...], tuple[tuple[int, int], ...]]:
        outcomes = []
        echo: dict[int, int] = {}
        for event in self._events(before):
            outcome = self._outcome(before, event)
            if outcome is None:
                continue
            step = outcome.step
            if self.bounds.crashes and _can_be_interrupted(step):
                assert isinstance(event, Receive | Fire)
                interrupted = self._outcome(before, Restart(during=event))
                assert interrupted is not None, "it sends no more than the whole event"
                outcomes.append(interrupted)
            stays = step.process == before.process and not (step.move or step.answers or step.votes)
            if not stays or isinstance(event, Restart):
                outcomes.append(outcome)
            elif isinstance(event, Receive):
                for receiver, mail in outcome.mail:
                    echo[receiver] = echo.get(receiver, 0) | mail
            elif outcome.mail:
                outcomes.append(outcome)
        return tuple(outcomes), tuple(echo.items())

    def _events(self, before: Local) -> Iterator[Event]:
        process = self.processes[before.process]
        if process.halted:
            return
        if self.bounds.crashes:
            yield Restart()
        if process.reads:
            # The process stands between reading the value and looking at the clock.
            yield Look(runs=True)
            yield Look(runs=False)
            return
        acts = self.index < self.bounds.acting
        for timer in sorted(process.timers):
            if acts or timer in UNCOUNTED:
                yield Fire(timer)
        for envelope in self.letters(before.inbox):
            yield Receive(envelope)

    def letters(self, mail: int) -> Iterator[Envelope]:
        """Yield the messages that the bits of *mail* stand for."""
        while mail:
            low = mail & -mail
            yield self.mail[low.bit_length() - 1]
            mail ^= low

    def _outcome(self, before: Local, event: Event) -> Outcome | None:
        step = self._step(before.process, event)
        if step is None:
            return None
        mail: dict[int, int] = {}
        for envelope in step.sent:
            receiver = self.bounds.uids.index(envelope.receiver)
            bit = self.others[receiver].bit_of(envelope)
            mail[receiver] = mail.get(receiver, 0) | bit
        needs_sand = 0
        if event == Look(runs=True):
            needs_sand = sand_of(self.index, self.processes[before.process].reads[0].lease)
        local = self.local(step.process, before.inbox)
        return Outcome(event, local, tuple(mail.items()), step, needs_sand)

    def _step(self, process: int, event: Event) -> Step | None:
        known_as = _known_as(event)
        if (process, known_as) not in self._steps:
            before = self.processes[process]
            try:
                self._steps[process, known_as] = self._step_of(self.stage.play(before, event))
            except AssertionError as error:
                self._steps[process, known_as] = self._failed(process, error)
        return self._steps[process, known_as]

    def _step_of(self, played: Played) -> Step | None:
        """Return what was played as a step; None if it is out of bounds."""
        sent = tuple(e for _, outbox in played.outboxes for e in outbox.sent)
        if any(self._is_too_high(envelope) for envelope in sent):
            return None
        self.steps_played += 1
        outboxes = tuple(played.outboxes)
        first, last = outboxes[0][0], played.process.disk
        answers = (a for _, outbox in outboxes for a in (*outbox.early_answers, *outbox.answers))
        return Step(
            number=self.steps_played,
            process=self._process_number(played.process),
            sent=tuple(e for e in sent if not self._is_lost(e)),
            move=self.clocks.move(self.index, played.turns),
            answers=tuple(answers),
            outboxes=outboxes,
            votes=first.snapshot is not last.snapshot
            or first.instance != last.instance
            or first.acceptor.accepted_id != last.acceptor.accepted_id
            or any(isinstance(e.message, Accept | Accepted) for e in sent),
        )

    def _failed(self, process: int, error: AssertionError) -> Step:
        """Return the step in which the server itself found that an invariant does not hold."""
        rule, _, explanation = str(error).partition(": ")
        name = next((name for name in NAMES if name.endswith(f" {rule}")), rule)
        before = self.processes[process]
        self.steps_played += 1
        return Step(
            number=self.steps_played,
            process=process,
            sent=(),
            move=0,
            answers=(),
            outboxes=((before.disk, Outbox()),),
            votes=True,
            failure=InvariantViolation(
                name, before.replica.instance, f"{self.stage.membership.uid} stops: {explanation}"
            ),
        )

    def _is_too_high(self, envelope: Envelope) -> bool:
        message = envelope.message
        return (
            isinstance(message, Prepare | Accept)
            and message.proposal_id.number > MASTERS_NUMBER + self.bounds.rounds
        )

    def _is_lost(self, envelope: Envelope) -> bool:
        """Tell what is not carried: proposals beyond the last link, and needless greetings."""
        if isinstance(envelope.message, Sync):
            return envelope.instance > 1 and envelope.decided_by is None
        return isinstance(envelope.message, PAXOS) and envelope.instance > self.bounds.links

    def _process_number(self, process: Process) -> int:
        key = process.key()
        number = self.process_numbers.get(key)
        if number is None:
            number = self.process_numbers[key] = len(self.processes)
            self.processes.append(process)
        return number

    # -- mail --------------------------------------------------------------------------------------

    def bit_of(self, envelope: Envelope) -> int:
        """Return the bit that stands for *envelope*, which is addressed to this server."""
        # Where the sender of these two was makes no difference to who receives them.
        anywhere = isinstance(envelope.message, Forward | Answered)
        key = value_of(replace(envelope, instance=0) if anywhere else envelope)
        bit = self._mail_bits.get(key)
        if bit is None:
            bit = self._mail_bits[key] = 1 << len(self.mail)
            self.mail.append(envelope)
            for instance in range(len(self._live)):
                if self._matters(envelope, instance):
                    self._live[instance] |= bit
        return bit

    def _matters(self, envelope: Envelope, instance: int) -> bool:
        """
        Tell whether *envelope* can still make a difference to a receiver that is at *instance*.

        Votes on a closed link count no more, but for one that tells that its sender is there. A
        request about one is answered with what the links so far amount to; so is the greeting that
        each server sent at its start, and that is always there.
        """
        if isinstance(envelope.message, PAXOS):
            is_heeded = self.heeds_late_votes and isinstance(envelope.message, Accepted)
            return envelope.instance >= instance - is_heeded
        is_help = isinstance(envelope.message, CatchUp | Decided)
        return not is_help or envelope.instance > instance


def _known_as(event: Event) -> object:
    """Return what tells *event* from others at one server; an envelope is compared by identity."""
    match event:
        case Receive(envelope):
            return id(envelope)
        case Restart(during=Receive(envelope)):
            return Restart, id(envelope)
        case _:
            return event


def _can_be_interrupted(step: Step) -> bool:
    """Tell whether a crash in the midst of *step* differs from one before it."""
    saving = next((outbox for _, outbox in step.outboxes if outbox.save is not None), None)
    return saving is not None and bool(saving.early or saving.early_answers)
