"""What the page is told that it can switch."""

import json

from multipaxos.composition import STRATEGIES
from multipaxos.lab.catalogue import catalogue
from multipaxos.lab.play import play
from multipaxos.strategies.broken import BUGS


def test_the_catalogue_is_complete_and_plain() -> None:
    """Everything that has a switch is in it, and it travels as JSON."""
    told = catalogue()

    assert json.loads(json.dumps(told)) == told
    assert [strategy["name"] for strategy in told["strategies"]] == list(STRATEGIES)
    assert {bug["name"] for bug in told["bugs"]} == set(BUGS)
    assert all(bug["rule"] and bug["mistake"] and bug["met"] for bug in told["bugs"])


def test_each_switch_of_the_catalogue_works() -> None:
    """A script with it is played: a strategy left out, a bug, a level of faults."""
    told = catalogue()

    for strategy in told["strategies"]:
        if strategy["removable"]:
            assert play(f"master\nwithout {strategy['name']}\npropose A x\n").stage.events
    for bug in told["bugs"]:
        master = "master\n" if bug["master"] else ""
        assert play(f"{master}bug {bug['name']}\npropose A x\ndeliver all\n").stage.events
    for level in told["levels"]:
        assert play(f"faults {level} 1s\nadvance 1s\n").stage.events
