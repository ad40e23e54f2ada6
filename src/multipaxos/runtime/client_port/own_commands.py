"""What Redis has no command for: requests with names, stale reads, and how a server is."""

from collections.abc import Sequence

import msgspec

from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import Command, CommandForm, Result, result_to_plain
from multipaxos.runtime.change_log import Position
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.actions import (
    Action,
    Greet,
    Propose,
    ReadStale,
    RefusedError,
    TellHistory,
    TellStatus,
    Watch,
)
from multipaxos.runtime.client_port.arguments import (
    client_id,
    integer,
    shown,
    unknown_command,
    values,
)
from multipaxos.runtime.client_port.command_table import Container, Entry, Request
from multipaxos.runtime.client_port.session import Rules
from multipaxos.runtime.codec.wire import INTEGER_MAX

HISTORY_COUNT_MAX = 100_000


def machine_command(name: bytes, arguments: Sequence[bytes], rules: Rules) -> Command:
    """Return a command of the state machine, which finds no fault with its form."""
    known = shown(name).upper()
    if known not in rules.machine.forms:
        raise unknown_command(name, arguments)
    command = (known, *values(arguments, rules.value_bytes_max))
    fault = rules.machine.refusal(command)
    if fault is not None:
        raise RefusedError(fault)
    return command


def link_and_result(link: int, result: Result) -> resp.Reply:
    """Return the reply that tells of the link and, as JSON, of the result with its exact type."""
    text = msgspec.json.encode(result_to_plain(result))
    return resp.array([resp.integer(link), resp.bulk(text)])


def _propose(request: Request) -> Action:
    client, sequence, since, name, *arguments = request.arguments
    return Propose(
        request_id=RequestID(client_id(client), integer(sequence, "sequence", INTEGER_MAX)),
        since=integer(since, "since", INTEGER_MAX, minimum=0),
        command=machine_command(name, arguments, request.rules),
        reply_of=link_and_result,
    )


def _read_stale(request: Request) -> Action:
    name, *arguments = request.arguments
    command = machine_command(name, arguments, request.rules)
    if not request.rules.machine.is_read(command):
        raise RefusedError(f"ERR '{command[0].lower()}' is no read: it cannot be stale")
    return ReadStale(command=command)


def _watch(request: Request) -> Action:
    link, place, *keys = request.arguments
    position = Position(
        integer(link, "link", INTEGER_MAX, minimum=0),
        integer(place, "index", INTEGER_MAX, minimum=0),
    )
    (key,) = values(keys, request.rules.value_bytes_max) or (None,)
    return Watch(position=position, key=key)


def _greet(request: Request) -> Action:
    match request.arguments:
        case []:
            return Greet()
        case [cluster, uid]:
            return Greet(cluster=shown(cluster), uid=shown(uid))
        case _:
            raise RefusedError("ERR syntax error")


def _tell_status(_: Request) -> Action:
    return TellStatus()


def _tell_history(request: Request) -> Action:
    return TellHistory(count=integer(request.arguments[0], "count", HISTORY_COUNT_MAX))


MULTIPAXOS = Container(
    {
        "PROPOSE": Entry(
            CommandForm(
                usage="MULTIPAXOS PROPOSE client sequence since command [argument ...]",
                arguments_min=4,
                arguments_max=None,
            ),
            _propose,
        ),
        "STALE": Entry(
            CommandForm(
                usage="MULTIPAXOS STALE command [argument ...]",
                arguments_min=1,
                arguments_max=None,
                reads=True,
            ),
            _read_stale,
        ),
        "WATCH": Entry(
            CommandForm(
                usage="MULTIPAXOS WATCH link index [key]",
                arguments_min=2,
                arguments_max=3,
                reads=True,
            ),
            _watch,
        ),
        "HELLO": Entry(
            CommandForm(usage="MULTIPAXOS HELLO [cluster uid]", arguments_max=2, reads=True),
            _greet,
        ),
        "STATUS": Entry(CommandForm(usage="MULTIPAXOS STATUS", reads=True), _tell_status),
        "HISTORY": Entry(
            CommandForm(
                usage="MULTIPAXOS HISTORY count", arguments_min=1, arguments_max=1, reads=True
            ),
            _tell_history,
        ),
    }
)
