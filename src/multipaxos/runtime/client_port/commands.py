"""
What clients can ask, and what it means: requests in, actions out; no connection is touched here.

The commands about the connection and the server are Redis'; those of the state machine are its own;
``MULTIPAXOS`` is what neither has.
"""

from collections.abc import Callable, Mapping, Sequence

from multipaxos.chain.state_machine import Command, CommandForm, Result
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.actions import Action, Propose, Quit, RefusedError, Say
from multipaxos.runtime.client_port.arguments import shown
from multipaxos.runtime.client_port.command_docs import documentation, row
from multipaxos.runtime.client_port.command_table import (
    Container,
    Entry,
    Request,
    Table,
    interpret_by,
)
from multipaxos.runtime.client_port.own_commands import MULTIPAXOS, machine_command
from multipaxos.runtime.client_port.redis_commands import (
    ENDS_OF_TRANSACTIONS,
    OPEN_TO_STRANGERS,
    REDIS_COMMANDS,
)
from multipaxos.runtime.client_port.session import Rules, Session

_OF_BROWSERS = frozenset({"POST", "HOST:"})


def interpret(request: Sequence[bytes], *, session: Session, rules: Rules) -> Action:
    """
    Return what *request* asks for; a request that makes no sense gets an error as its reply.

    The *session* says whose it is, the *rules* what there is to ask for.
    """
    name, *arguments = request
    known = rules.names.get(name)
    if known is not None and session.is_trusted and not session.is_in_transaction:
        command = _plain_command(known, request, rules)
        if command is not None:
            return Propose(None, command, _PLAIN_RESULT[session.encoding.version])
    try:
        return _interpret(name, arguments, session, rules)
    except RefusedError as refused:
        return Say(reply=resp.error(str(refused)))


def _plain_command(name: str, request: Sequence[bytes], rules: Rules) -> Command | None:
    """Return the command of the state machine that is asked for, None if there may be a fault."""
    # As JSON, no character takes more bytes than a control character, which takes six.
    if name in TABLE or 6 * sum(map(len, request)) > rules.value_bytes_max:
        return None
    try:
        command = (name, *[argument.decode() for argument in request[1:]])
    except UnicodeDecodeError:
        return None
    return command if rules.machine.refusal(command) is None else None


def _interpret(name: bytes, arguments: Sequence[bytes], session: Session, rules: Rules) -> Action:
    known = shown(name).upper()
    if known in _OF_BROWSERS:
        # A web page made the browser behind a firewall talk to us; its next lines may be commands.
        return Quit(reply=b"")
    if not session.is_trusted and known not in OPEN_TO_STRANGERS:
        raise RefusedError("NOAUTH Authentication required.")
    if session.is_in_transaction and known not in ENDS_OF_TRANSACTIONS:
        raise RefusedError("ERR not done: transactions are not supported")
    action = interpret_by(TABLE, known, Request(arguments, session, rules))
    if action is not None:
        return action
    return Propose(
        request_id=None,
        command=machine_command(name, arguments, rules),
        reply_of=_PLAIN_RESULT[session.encoding.version],
    )


def _plain_result(encoding: resp.Encoding) -> Callable[[int, Result], resp.Reply]:
    return lambda _, result: encoding.result(result)


_PLAIN_RESULT = {version: _plain_result(resp.Encoding(version)) for version in resp.VERSIONS}


# ----------------------------------------------------------------------------------------- COMMAND


def _forms(rules: Rules) -> Mapping[str, CommandForm]:
    """Return how each command is written, one with subcommands as a whole."""
    any_arguments = CommandForm(usage="", arguments_min=1, arguments_max=None)
    own = {
        name: entry.form if isinstance(entry, Entry) else any_arguments
        for name, entry in TABLE.items()
    }
    return {**rules.machine.forms, **own}


def _command_info(request: Request) -> Action:
    forms = _forms(request.rules)
    names = [shown(name).upper() for name in request.arguments] or list(forms)
    rows = [
        row(name, forms[name], is_of_state=name not in TABLE)
        if name in forms
        else request.session.encoding.null
        for name in names
    ]
    return Say(reply=resp.array(rows))


def _command_docs(request: Request) -> Action:
    forms, encoding = _forms(request.rules), request.session.encoding
    names = [shown(name).upper() for name in request.arguments] or list(forms)
    docs = {
        name.lower(): documentation(forms[name], encoding, is_of_state=name not in TABLE)
        for name in names
        if name in forms
    }
    return Say(reply=encoding.mapping(docs))


def _command_count(request: Request) -> Action:
    return Say(reply=resp.integer(len(_forms(request.rules))))


TABLE: Table = {
    **REDIS_COMMANDS,
    "COMMAND": Container(
        {
            "COUNT": Entry(CommandForm(usage="COMMAND COUNT"), _command_count),
            "DOCS": Entry(
                CommandForm(usage="COMMAND DOCS [command ...]", arguments_max=None), _command_docs
            ),
            "INFO": Entry(
                CommandForm(usage="COMMAND INFO [command ...]", arguments_max=None), _command_info
            ),
        },
        alone=Entry(CommandForm(usage="COMMAND"), _command_info),
    ),
    "MULTIPAXOS": MULTIPAXOS,
}
"""The commands that there are whatever the state machine; where it has one too, these go first."""
