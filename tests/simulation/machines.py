"""State machines of somebody's own, for runs that name them."""

from typing import Any, ClassVar

from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.state_machine import Command, CommandForm, Result, StateMachine


class Counters(Dictionary):
    """Numbers by key, of which each is only ever one more than before."""

    kind = "counters"
    forms: ClassVar = {name: Dictionary.forms[name] for name in ("INCR", "GET")}


class Bids(StateMachine):
    """Keeps the highest bid and who made it."""

    kind = "bids"
    forms: ClassVar = {
        "BID": CommandForm(usage="BID amount [name]", arguments_min=1, arguments_max=2),
        "BEST": CommandForm(usage="BEST", reads=True),
    }

    @override
    def initial(self) -> Any:
        return (0, "")

    @override
    def refusal(self, command: Command) -> str | None:
        fault = super().refusal(command)
        if fault is None and command[0] == "BID" and not command[1].isdecimal():
            return "ERR that is no amount"
        return fault

    @override
    def apply(self, state: Any, command: Command) -> tuple[Any, Result]:
        match command:
            case ("BID", amount, *name) if int(amount) > state[0]:
                return (int(amount), "".join(name)), True
            case ("BID", *_):
                return state, False
            case _:
                return state, state


class Mute(Bids):
    """Refuses everything."""

    kind = "mute"

    @override
    def refusal(self, command: Command) -> str | None:
        return "ERR not today"
