"""The simulated network: every fault of UDP, from one generator; and the postman's hand."""

import pytest

from composable_paxos import Prepare, ProposalID
from multipaxos.chain.messages import Envelope
from multipaxos.simulation.clock import VirtualTime
from multipaxos.simulation.manual_network import ManualNetwork, NoSuchMessageError
from multipaxos.simulation.network import (
    CALM,
    CRUEL,
    LostBecause,
    SimulatedNetwork,
    Weather,
)


class PostOffice:
    """Takes in what the network delivers, and notes what it tells."""

    def __init__(self) -> None:
        """Begin with nothing; *down* servers take nothing."""
        self.arrived: list[int] = []
        self.lost: list[tuple[int, str]] = []
        self.doubled: list[int] = []
        self.down: tuple[str, ...] = ()

    def deliver(self, envelope: Envelope) -> bool:
        """Take *envelope* in, unless its receiver is down."""
        if envelope.receiver in self.down:
            return False
        self.arrived.append(envelope.instance)
        return True

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Note a loss."""
        self.lost.append((envelope.instance, reason))

    def duplicated(self, envelope: Envelope) -> None:
        """Note a double."""
        self.doubled.append(envelope.instance)


def letter(number: int, sender: str = "A", receiver: str = "B") -> Envelope:
    """Return an envelope that *number* tells from others."""
    return Envelope(
        cluster="c",
        chain_id="",
        instance=number,
        sender=sender,
        receiver=receiver,
        message=Prepare(proposal_id=ProposalID(2, sender)),
    )


def carry(weather: Weather, *, seed: int = 1, count: int = 1000) -> PostOffice:
    """Send *count* letters, one a millisecond, in *weather*, and wait for all."""
    time, office = VirtualTime(), PostOffice()
    network = SimulatedNetwork(
        time, seed=str(seed), weather=weather, deliver=office.deliver, postal=office
    )
    for number in range(count):
        network.send(letter(number))
        time.run_until(time.now + 0.001)
    time.run_until(1000)
    assert network.in_flight == 0
    return office


def test_in_calm_weather_everything_arrives_once() -> None:
    """Nothing is lost and nothing doubled; only neighbours may overtake each other."""
    office = carry(CALM)

    assert sorted(office.arrived) == list(range(1000))
    assert office.lost == []
    assert office.doubled == []


def test_in_cruel_weather_letters_are_lost_doubled_and_reordered() -> None:
    """A fifth each, about, and every loss and double is told."""
    office = carry(CRUEL)

    assert 120 < len(office.lost) < 280
    assert 100 < len(office.doubled) < 240
    assert len(office.arrived) == 1000 - len(office.lost) + len(office.doubled)
    overtaken = sum(a > b for a, b in zip(office.arrived, office.arrived[1:], strict=False))
    assert overtaken > 100


def test_the_same_seed_loses_the_same_letters() -> None:
    """Chance comes from the injected generator only."""
    assert carry(CRUEL, seed=3).arrived == carry(CRUEL, seed=3).arrived
    assert carry(CRUEL, seed=3).arrived != carry(CRUEL, seed=4).arrived


def network_in(weather: Weather) -> tuple[VirtualTime, PostOffice, SimulatedNetwork]:
    """Return a network with its time and its office."""
    time, office = VirtualTime(), PostOffice()
    network = SimulatedNetwork(
        time, seed="1", weather=weather, deliver=office.deliver, postal=office
    )
    return time, office, network


def test_a_blocked_pair_is_blocked_one_way() -> None:
    """What A sends is lost, what B sends arrives."""
    time, office, network = network_in(CALM)
    network.wires.block("A", "B")

    network.send(letter(1, "A", "B"))
    network.send(letter(2, "B", "A"))
    time.run_until(1)

    assert office.arrived == [2]
    assert office.lost == [(1, LostBecause.PARTITION)]


def test_a_partition_stops_what_is_under_way() -> None:
    """A letter meets the partition at its arrival too."""
    time, office, network = network_in(CALM)
    network.send(letter(1))

    network.wires.partition(("A",), ("B", "C"))
    time.run_until(1)
    network.wires.heal()
    network.send(letter(2))
    time.run_until(2)

    assert office.arrived == [2]
    assert office.lost == [(1, LostBecause.PARTITION)]


def test_a_bridge_connects_what_a_cut_separates() -> None:
    """A and C do not reach each other; both reach B."""
    time, office, network = network_in(CALM)
    network.wires.cut("A", "C")
    pairs = [("A", "C"), ("C", "A"), ("A", "B"), ("B", "A"), ("B", "C"), ("C", "B")]

    for number, (sender, receiver) in enumerate(pairs):
        network.send(letter(number, sender, receiver))
    time.run_until(1)

    assert sorted(office.arrived) == [2, 3, 4, 5]


def test_a_letter_to_a_server_that_is_down_is_lost() -> None:
    """It is not kept for the server's return."""
    time, office, network = network_in(CALM)
    office.down = ("B",)
    network.send(letter(1))
    time.run_until(1)
    office.down = ()
    time.run_until(2)

    assert office.arrived == []
    assert office.lost == [(1, LostBecause.RECEIVER_DOWN)]


def test_a_person_delivers_drops_and_doubles_by_name() -> None:
    """Nothing moves by itself; of equal names the oldest is meant."""
    office = PostOffice()
    manual = ManualNetwork(deliver=office.deliver, postal=office)
    for number in (1, 2, 3):
        manual.send(letter(number))

    manual.duplicate(manual.find("A", "B", "Prepare"))
    manual.deliver(manual.find("A", "B", "Prepare"))
    manual.deliver(manual.find("A", "B", "Prepare"))
    manual.drop(manual.find("A", "B", "Prepare"))

    assert office.arrived == [1, 1]
    assert office.lost == [(2, LostBecause.LOSS)]
    assert office.doubled == [1]
    assert manual.describe() == "A->B Prepare"


def test_a_name_that_fits_nothing_is_answered_with_what_there_is() -> None:
    """The person at the post learns what is in flight."""
    office = PostOffice()
    manual = ManualNetwork(deliver=office.deliver, postal=office)
    manual.send(letter(1))

    with pytest.raises(NoSuchMessageError, match=r"no Promise from B to A .*: A->B Prepare"):
        manual.find("B", "A", "Promise")


def test_a_person_cannot_deliver_across_a_partition() -> None:
    """What it keeps back stays held."""
    office = PostOffice()
    manual = ManualNetwork(deliver=office.deliver, postal=office)
    manual.send(letter(1))
    manual.wires.partition(("A",), ("B",))

    with pytest.raises(NoSuchMessageError, match="keeps A from reaching B"):
        manual.deliver(manual.held[0])

    manual.wires.heal()
    manual.deliver(manual.held[0])
    assert office.arrived == [1]
