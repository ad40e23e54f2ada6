"""What each function does to the value of its key: the sequential specification, as a step."""

from multipaxos.invariants.linearizability.operation import (
    UNTOLD,
    Argument,
    Function,
    Operation,
    Result,
    Value,
)


def step(value: Value, function: Function, arguments: tuple[Argument, ...]) -> tuple[Value, Result]:
    """
    Return the value after *function*, and what its caller is told.

    | function | arguments | result |
    |---|---|---|
    | get | | the value, None if there is none |
    | set | the new value | True |
    | delete | | whether there was one |
    | compare-and-set | the expected value, the new one | whether it was the expected one |
    | increment | what to add to a whole number, 0 if there is none | the sum; None for no number |
    | append | what to add to a text, the empty one if there is none | the length of the whole |
    """
    match function:
        case Function.GET:
            return value, value
        case Function.SET:
            (new,) = arguments
            return _text(new), True
        case Function.DELETE:
            return None, value is not None
        case Function.COMPARE_AND_SET:
            expected, new = arguments
            return (_text(new), True) if value == _text(expected) else (value, False)
        case Function.INCREMENT:
            return _increment(value, arguments)
        case Function.APPEND:
            (suffix,) = arguments
            whole = f"{value or ''}{suffix}"
            return whole, len(whole)


def fits(operation: Operation, result: Result) -> bool:
    """Tell whether the client of *operation* may have been told *result*."""
    return operation.result is UNTOLD or operation.result == result


def changes_nothing(operation: Operation) -> bool:
    """Tell whether *operation*, told what it was, leaves every value as it is."""
    match operation.function:
        case Function.GET:
            return True
        case Function.DELETE | Function.COMPARE_AND_SET:
            return operation.result is not UNTOLD and not operation.result
        case _:
            return False


def _increment(value: Value, arguments: tuple[Argument, ...]) -> tuple[Value, Result]:
    (amount,) = arguments
    assert isinstance(amount, int), "an increment adds a whole number"
    try:
        total = int(value or "0") + amount
    except ValueError:
        return value, None
    return str(total), total


def _text(argument: Argument) -> Value:
    return None if argument is None else str(argument)
