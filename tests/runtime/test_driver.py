"""The driver: it performs the effects of each event in the one right order."""

from collections.abc import Callable
from random import Random

import pytest
from typing_extensions import override

from composable_paxos import Message, Prepare, ProposalID
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Answer, LocalRead, Outbox, Save, Timer
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import ChainMessage, Envelope, OtherChain, Sync
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, RequestID, Update
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import Command
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.ports import StorageError
from multipaxos.simulation.clock import Gate, SimulatedClock, VirtualTime

ASKED = RequestID("client", 1)
LEASE = Timer.HOURGLASS_LEFT
OTHER_LEASE = Timer.HOURGLASS_RIGHT
READ = LocalRead(
    update=Update(request_id=ASKED, command=("GET",), since=1),
    origin="A",
    outcome=Chosen(link=4, result="x"),
    lease=LEASE,
)
PREPARE = Envelope(
    cluster="test",
    chain_id="",
    instance=1,
    sender="B",
    receiver="A",
    message=Prepare(proposal_id=ProposalID(2, "B")),
)


class Scripted(BaseReplicatedValue):
    """
    A protocol object that does what a test tells it: *script* runs at the next event.

    State: the events that it saw, by *seen*; whether what it says *may be early*.
    """

    seen: list[str]
    script: Callable[[], None]
    may_be_early = False

    def obey(self, event: str) -> None:
        """Take note of *event*, and run the script once."""
        self.seen.append(event)
        script, self.script = self.script, lambda: None
        script()

    @override
    def start(self) -> None:
        self.obey("start")

    @override
    def propose_update(
        self, request_id: RequestID, command: Command, since: int | None = None
    ) -> None:
        self._waiting.add(request_id)
        self.obey(f"request {request_id}")

    @override
    def receive(self, envelope: Envelope) -> None:
        self.obey("message")

    @override
    def timeout(self, timer: Timer) -> None:
        self.obey(f"timeout {timer}")

    @override
    def may_overtake_save(self, message: Message | ChainMessage) -> bool:
        return self.may_be_early and isinstance(message, Sync)

    @override
    def answers_may_overtake_save(self) -> bool:
        return self.may_be_early

    @override
    def release_read(self, read: LocalRead) -> None:
        super().release_read(read)
        self.obey("release")

    @override
    def retry_read(self, read: LocalRead) -> None:
        self.obey("retry")


class Stage:
    """
    A driver on ports that write down what is asked of them, in virtual time.

    State: *log*, what happened in which order; *disk_is_full*; and *save_seconds*, how long the
    disk takes.
    """

    def __init__(self) -> None:
        """Set the stage with a server at link 1."""
        self.log: list[str] = []
        self.disk_is_full = False
        self.save_seconds = 0.0
        self.time = VirtualTime()
        self.clock = SimulatedClock(self.time, origin_seconds=100.0, gate=Gate())
        self.value = Scripted(
            membership=Membership(cluster="test", uid="A", servers=("A", "B", "C")),
            settings=Settings(),
            machine=Register(),
            state=DurableState(birth="b", instance=1),
            rng=Random(0),
        )
        self.value.seen = []
        self.value.script = lambda: None
        self.driver = Driver(
            self.value,
            storage=self,
            messenger=self,
            clock=self.clock,
            observer=self,
            on_answer=lambda answer: self.log.append(f"tell {answer.request_id}"),
            on_halt=lambda reason: self.log.append(f"stop: {reason}"),
        )

    def on_next_event(self, script: Callable[[], None]) -> None:
        """Have the protocol object run *script* at its next event."""
        self.value.script = script

    # The storage.

    def load(self) -> DurableState | None:
        """Return nothing."""
        return None

    def save(self, save: Save) -> None:
        """Take the time it takes."""
        assert save.state is not None
        self.time.now += self.save_seconds
        if self.disk_is_full:
            raise StorageError("the disk is full")
        self.log.append("save")

    def history(self, count: int) -> list[DecidedLink]:
        """Return nothing."""
        return [][:count]

    def close(self) -> None:
        """Write it down."""
        self.log.append("close")

    # The messenger.

    def send(self, envelope: Envelope) -> None:
        """Write it down."""
        self.log.append(f"send to {envelope.receiver}")

    # The observer.

    def delivered(self, envelope: Envelope) -> None:
        """Write it down."""
        self.log.append(f"delivered from {envelope.sender}")

    def sent(self, envelope: Envelope) -> None:
        """Write it down."""
        self.log.append(f"sent to {envelope.receiver}")

    def saved(self, outbox: Outbox) -> None:
        """Write it down."""
        assert outbox.save is not None
        self.log.append("saved")

    def happened(self, event: Event) -> None:
        """Write it down."""
        self.log.append(f"happened {event.text}")

    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Write it down."""
        self.log.append(f"timer {timer} {seconds}")

    def timer_cancelled(self, timer: Timer) -> None:
        """Write it down."""
        self.log.append(f"cancelled {timer}")

    def timer_fired(self, timer: Timer) -> None:
        """Write it down."""
        self.log.append(f"fired {timer}")

    def answered(self, answer: Answer) -> None:
        """Write it down."""
        self.log.append(f"answered {answer.request_id}")

    def halted(self, reason: str) -> None:
        """Write it down."""
        self.log.append(f"halted: {reason}")


def everything(stage: Stage) -> None:
    """Ask for one effect of each kind, in another order than the right one."""
    stage.value.answer(ASKED, Chosen(link=1, result=None))
    stage.value.set_timer(Timer.SYNC, 10.0)
    stage.value.send("B", Sync(votes_from=0))
    stage.value.note(EventKind.WAITING, "waits")
    stage.value.votes_from = 7


# -------------------------------------------------------------------------------------------- order


def test_effects_happen_in_the_one_right_order() -> None:
    """Save, then send, then timers, then answers."""
    stage = Stage()
    stage.on_next_event(lambda: everything(stage))

    stage.driver.submit(ASKED, ("SET", "x"))

    assert stage.log == [
        "save",
        "saved",
        "happened waits",
        "sent to B",
        "send to B",
        "timer sync 10.0",
        "answered client/1",
        "tell client/1",
    ]


def test_when_saving_fails_nothing_leaves_and_the_server_stops() -> None:
    """What is in memory is ahead of the disk: nobody may ever see it."""
    stage = Stage()
    stage.disk_is_full = True
    stage.on_next_event(lambda: everything(stage))

    stage.driver.submit(ASKED, ("SET", "x"))

    assert stage.log == ["halted: the disk is full", "stop: the disk is full"]
    assert stage.driver.halted


def test_what_need_not_wait_for_the_save_leaves_before_it() -> None:
    """Messages, then answers; whatever must wait comes in its place after the save."""
    stage = Stage()
    stage.value.may_be_early = True

    def script() -> None:
        everything(stage)
        stage.value.send("C", OtherChain())

    stage.on_next_event(script)
    stage.driver.submit(ASKED, ("SET", "x"))

    assert stage.log == [
        "sent to B",
        "send to B",
        "answered client/1",
        "tell client/1",
        "save",
        "saved",
        "happened waits",
        "sent to C",
        "send to C",
        "timer sync 10.0",
    ]


def test_when_the_save_fails_after_that_the_server_stops_all_the_same() -> None:
    """What left early is true of a server that goes back to its disk; nothing else leaves."""
    stage = Stage()
    stage.value.may_be_early = True
    stage.disk_is_full = True
    stage.on_next_event(lambda: everything(stage))

    stage.driver.submit(ASKED, ("SET", "x"))

    assert stage.log[:4] == ["sent to B", "send to B", "answered client/1", "tell client/1"]
    assert stage.log[4:] == ["halted: the disk is full", "stop: the disk is full"]
    assert stage.driver.halted


def test_whoever_stops_the_server_when_it_is_answered_early_stops_it_before_the_save() -> None:
    """The storage may be closed by then. It is as a crash at that instant would be."""
    stage = Stage()
    stage.value.may_be_early = True
    stage.driver.on_answer = lambda _: stage.driver.stop()
    stage.on_next_event(lambda: everything(stage))

    stage.driver.submit(ASKED, ("SET", "x"))

    assert stage.log == ["sent to B", "send to B", "answered client/1"]


def test_no_event_comes_within_another_that_waits_for_its_save() -> None:
    """It would be saved first, and then overwritten by what was before it."""
    stage = Stage()
    stage.value.may_be_early = True
    stage.driver.on_answer = lambda _: stage.driver.submit(ASKED, ("GET",))
    stage.on_next_event(lambda: everything(stage))

    with pytest.raises(AssertionError, match="SavedBeforeSent: an event within another"):
        stage.driver.submit(ASKED, ("SET", "x"))

    assert "save" not in stage.log
    assert stage.driver.halted


def test_every_event_reaches_the_protocol() -> None:
    """Start, requests, messages; a message's arrival is seen before its effects."""
    stage = Stage()
    stage.driver.start()
    stage.driver.submit(ASKED, ("GET",))

    stage.on_next_event(lambda: stage.value.note(EventKind.WAITING, "waits"))
    stage.driver.receive(PREPARE)

    assert stage.value.seen == ["start", "request client/1", "message"]
    assert stage.log == ["delivered from B", "happened waits"]


# ------------------------------------------------------------------------------------------ halting


def test_a_halt_comes_after_what_the_event_still_had_to_tell() -> None:
    """The refusal that explains it leaves first."""
    stage = Stage()

    def script() -> None:
        stage.value.halt("enough")
        everything(stage)

    stage.on_next_event(script)

    stage.driver.submit(ASKED, ("GET",))

    assert stage.log[-3:] == ["tell client/1", "halted: enough", "stop: enough"]


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_server_that_stopped_takes_and_causes_no_event(by_itself: bool) -> None:
    """No timer fires, no message is taken, no client is heard."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(Timer.SYNC, 10.0))
    stage.driver.start()
    if by_itself:
        stage.on_next_event(lambda: stage.value.halt("enough"))
        stage.driver.receive(PREPARE)
    else:
        stage.driver.stop()
    seen, log = list(stage.value.seen), list(stage.log)

    stage.time.run_until(100.0)
    stage.driver.start()
    stage.driver.submit(ASKED, ("GET",))
    stage.driver.receive(PREPARE)

    assert (stage.value.seen, stage.log) == (seen, log)
    assert stage.driver.seconds_left(Timer.SYNC) == 0
    assert "close" not in stage.log


# ------------------------------------------------------------------------------------------- timers


def test_a_timer_fires_at_its_time() -> None:
    """Not before; once; and then it does not run any more."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(Timer.SYNC, 10.0))
    stage.driver.start()

    stage.time.run_until(9.9)
    assert stage.driver.seconds_left(Timer.SYNC) == pytest.approx(0.1)
    assert stage.value.seen == ["start"]
    stage.time.run_until(30.0)

    assert stage.value.seen == ["start", "timeout sync"]
    assert stage.driver.seconds_left(Timer.SYNC) == 0
    assert "fired sync" in stage.log


def test_a_timer_that_is_set_again_fires_once_at_its_new_time() -> None:
    """Setting one that runs starts it anew."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(Timer.SYNC, 10.0))
    stage.driver.start()
    stage.time.run_until(5.0)
    stage.on_next_event(lambda: stage.value.set_timer(Timer.SYNC, 10.0))
    stage.driver.receive(PREPARE)

    stage.time.run_until(14.9)
    early = list(stage.value.seen)
    stage.time.run_until(50.0)

    assert early == ["start", "message"]
    assert stage.value.seen == ["start", "message", "timeout sync"]


def test_a_cancelled_timer_does_not_fire() -> None:
    """Nor does it run, from then on; one that does not run can be cancelled too."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(Timer.SYNC, 10.0))
    stage.driver.start()
    for _ in range(2):
        stage.on_next_event(lambda: stage.value.cancel_timer(Timer.SYNC))
        stage.driver.receive(PREPARE)

    stage.time.run_until(50.0)

    assert stage.value.seen == ["start", "message", "message"]
    assert stage.driver.seconds_left(Timer.SYNC) == 0


def test_timers_count_from_the_beginning_of_the_event() -> None:
    """A slow disk makes no lease begin later than the proposal that won it left."""
    stage = Stage()
    stage.save_seconds = 4.0
    stage.on_next_event(lambda: everything(stage))
    stage.driver.submit(ASKED, ("GET",))

    stage.time.run_until(9.9)
    early = list(stage.value.seen)
    stage.time.run_until(10.1)

    assert early == ["request client/1"]
    assert stage.value.seen == ["request client/1", "timeout sync"]


def test_a_timer_that_ran_out_during_a_slow_save_fires_at_once() -> None:
    """Not in the past, and not a moment later than it must."""
    stage = Stage()
    stage.save_seconds = 40.0
    stage.on_next_event(lambda: everything(stage))
    stage.driver.submit(ASKED, ("GET",))
    assert stage.driver.seconds_left(Timer.SYNC) == pytest.approx(-30.0)

    stage.time.run_until(40.0)

    assert stage.value.seen == ["request client/1", "timeout sync"]


# -------------------------------------------------------------------------------------- local reads


def test_a_read_is_released_while_its_lease_runs() -> None:
    """The clock is looked at after the value was read: it is in the outbox already."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(LEASE, 2.0))
    stage.driver.start()
    stage.on_next_event(lambda: stage.value.read_locally(READ))

    stage.driver.submit(ASKED, ("GET",))

    assert stage.value.seen == ["start", "request client/1", "release"]
    assert stage.log[-1] == "tell client/1"


def test_a_read_whose_lease_is_over_unnoticed_ends_the_lease_and_is_retried() -> None:
    """The process slept past the lease's end: its timer fires first, once, then the read anew."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(LEASE, 2.0))
    stage.driver.start()
    stage.time.now = 2.0
    stage.on_next_event(lambda: stage.value.read_locally(READ))

    stage.driver.submit(ASKED, ("GET",))
    stage.time.run_until(50.0)

    assert stage.value.seen == [
        "start",
        "request client/1",
        "timeout left hourglass",
        "retry",
    ]
    assert "tell client/1" not in stage.log


def test_a_read_whose_lease_ended_before_is_retried() -> None:
    """Its hourglass runs no more: nothing to end."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.read_locally(READ))

    stage.driver.submit(ASKED, ("GET",))

    assert stage.value.seen == ["request client/1", "retry"]


def test_another_hourglass_vouches_for_no_read() -> None:
    """Only the one that ran when the value was read counts."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(OTHER_LEASE, 2.0))
    stage.driver.start()
    stage.on_next_event(lambda: stage.value.read_locally(READ))

    stage.driver.submit(ASKED, ("GET",))

    assert stage.value.seen[-1] == "retry"
    assert stage.driver.seconds_left(OTHER_LEASE) == pytest.approx(2.0)


def test_a_slow_save_between_value_and_clock_counts() -> None:
    """The lease ends while the disk is busy: the read is not answered."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(LEASE, 2.0))
    stage.driver.start()
    stage.save_seconds = 3.0

    def script() -> None:
        stage.value.read_locally(READ)
        stage.value.votes_from = 9

    stage.on_next_event(script)

    stage.driver.submit(ASKED, ("GET",))

    assert stage.value.seen[-2:] == ["timeout left hourglass", "retry"]


def test_a_fault_of_the_program_silences_the_server() -> None:
    """An event that breaks off half done reaches nobody, and no event comes after it."""
    stage = Stage()
    stage.on_next_event(lambda: stage.value.set_timer(Timer.SYNC, 1.0))
    stage.driver.start()

    def script() -> None:
        stage.value.votes_from = 9
        stage.value.send("B", Sync(votes_from=9))
        raise RuntimeError("a bug")

    stage.on_next_event(script)

    with pytest.raises(RuntimeError, match="a bug"):
        stage.driver.submit(ASKED, ("GET",))
    stage.time.run_until(50.0)
    stage.driver.receive(PREPARE)

    assert stage.driver.halted
    assert stage.value.seen == ["start", "request client/1"]
    assert not any(line.startswith(("save", "send")) for line in stage.log)
