"""The register: a single value, set and got as a whole."""

from typing import ClassVar

from typing_extensions import override

from multipaxos.chain.state_machine import Command, CommandForm, Result, StateMachine


class Register(StateMachine):
    """Keeps one text; None until the first one is set."""

    kind = "register"
    forms: ClassVar = {
        "SET": CommandForm(usage="SET value", arguments_min=1, arguments_max=1),
        "GET": CommandForm(usage="GET", reads=True),
        "CAS": CommandForm(usage="CAS [expected] new", arguments_min=1, arguments_max=2),
    }

    @override
    def initial(self) -> str | None:
        """Return None: nothing was set."""
        return None

    @override
    def apply(self, state: str | None, command: Command) -> tuple[str | None, Result]:
        """
        Set, get, or compare and set the value.

        A CAS is done (True) if the value is the expected one; without an expected one, if nothing
        was set yet.
        """
        match command:
            case ("SET", value):
                return value, True
            case ("CAS", new):
                return (new, True) if state is None else (state, False)
            case ("CAS", expected, new):
                return (new, True) if state == expected else (state, False)
            case _:
                return state, state
