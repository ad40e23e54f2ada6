"""The commands of Redis that are about the connection and the server, and not about the state."""

import re
from dataclasses import replace
from hmac import compare_digest

from multipaxos.chain.state_machine import CommandForm
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.actions import (
    Action,
    Become,
    Quit,
    RefusedError,
    Say,
    TellInfo,
    TellRole,
    Welcome,
)
from multipaxos.runtime.client_port.arguments import shown
from multipaxos.runtime.client_port.command_table import Container, Entry, Request, Table
from multipaxos.runtime.client_port.request_reader import limits_for
from multipaxos.runtime.client_port.session import Rules, Session

REDIS_VERSION = "7.2.0"
"""The version of Redis whose words and forms these commands have."""
USER = "default"
NAME_BYTES_MAX = 1024

_NAME = re.compile(r"[!-~]*")
_INTEGER = re.compile(rb"-?[0-9]{1,18}")


# -------------------------------------------------------------------------------------- small talk


def _ping(request: Request) -> Action:
    if request.arguments:
        return Say(reply=resp.bulk(request.arguments[0]))
    return Say(reply=resp.simple("PONG"))


def _echo(request: Request) -> Action:
    return Say(reply=resp.bulk(request.arguments[0]))


def _quit(_: Request) -> Action:
    return Quit(reply=resp.OK)


def _select(request: Request) -> Action:
    if not _INTEGER.fullmatch(request.arguments[0]):
        raise RefusedError("ERR value is not an integer or out of range")
    if int(request.arguments[0]) != 0:
        raise RefusedError("ERR DB index is out of range")
    return Say(reply=resp.OK)


# --------------------------------------------------------------------------- who the client may be


def _hello(request: Request) -> Action:
    session, rules = request.session, request.rules
    version, *options = request.arguments or (b"%d" % session.encoding.version,)
    if not _INTEGER.fullmatch(version):
        raise RefusedError("ERR Protocol version is not an integer or out of range")
    if int(version) not in resp.VERSIONS:
        raise RefusedError("NOPROTO unsupported protocol version")
    while options:
        match options[0].upper(), options[1:]:
            case b"AUTH", [user, password, *rest]:
                session = _trusted(session, rules, user, password)
            case b"SETNAME", [name, *rest]:
                session = replace(session, name=_client_name(name, "Client names"))
            case _:
                raise RefusedError(f"ERR Syntax error in HELLO option '{shown(options[0])}'")
        options = rest
    if not session.is_trusted:
        raise RefusedError(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
            "select the RESP protocol version at the same time"
        )
    return Welcome(session=replace(session, encoding=resp.Encoding(int(version))))


def _auth(request: Request) -> Action:
    session, rules = request.session, request.rules
    match request.arguments:
        case [_] if rules.password is None:
            raise RefusedError(
                "ERR AUTH <password> called without any password configured for the default user. "
                "Are you sure your configuration is correct?"
            )
        case [password]:
            trusted = _trusted(session, rules, USER.encode(), password)
        case [user, password]:
            trusted = _trusted(session, rules, user, password)
        case _:
            raise RefusedError("ERR syntax error")
    return Become(session=trusted, reply=resp.OK)


def _trusted(session: Session, rules: Rules, user: bytes, password: bytes) -> Session:
    # As in Redis, without a password any is the right one.
    wanted = password if rules.password is None else rules.password.encode()
    is_user = compare_digest(user, USER.encode())
    if not (compare_digest(password, wanted) and is_user):
        raise RefusedError("WRONGPASS invalid username-password pair or user is disabled.")
    return replace(session, is_trusted=True)


def _reset(request: Request) -> Action:
    anew = request.session.begun_anew(is_trusted=request.rules.password is None)
    return Become(session=anew, reply=resp.simple("RESET"))


# ------------------------------------------------------------------------------------------ CLIENT


def _client_name(argument: bytes, what: str) -> str:
    name = argument[: NAME_BYTES_MAX + 1].decode(errors="backslashreplace")
    if not _NAME.fullmatch(name) or len(name) > NAME_BYTES_MAX:
        raise RefusedError(f"ERR {what} cannot contain spaces, newlines or special characters.")
    return name


def _client_setname(request: Request) -> Action:
    name = _client_name(request.arguments[0], "Client names")
    return Become(session=replace(request.session, name=name), reply=resp.OK)


def _client_getname(request: Request) -> Action:
    return Say(reply=request.session.encoding.bulk(request.session.name or None))


def _client_id(request: Request) -> Action:
    return Say(reply=resp.integer(request.session.number))


def _client_info(request: Request) -> Action:
    own = request.session
    fields = {
        "id": own.number,
        "addr": own.peer,
        "laddr": own.own,
        "name": own.name,
        "flags": "N",
        "db": 0,
        "sub": 0,
        "psub": 0,
        "multi": -1,
        "user": USER,
        "redir": -1,
        "resp": own.encoding.version,
        "lib-name": own.library_name,
        "lib-ver": own.library_version,
    }
    line = " ".join(f"{name}={value}" for name, value in fields.items())
    return Say(reply=own.encoding.verbatim(f"{line}\n"))


def _client_setinfo(request: Request) -> Action:
    option, value = request.arguments
    session = request.session
    match option.lower():
        case b"lib-name":
            session = replace(session, library_name=_client_name(value, "lib-name"))
        case b"lib-ver":
            session = replace(session, library_version=_client_name(value, "lib-ver"))
        case _:
            raise RefusedError(f"ERR Unrecognized option '{shown(option)}'")
    return Become(session=session, reply=resp.OK)


# -------------------------------------------------------------------------------------- the server


def _config_get(request: Request) -> Action:
    parameters = {
        "appendonly": "yes",  # What is answered is on disk.
        "databases": "1",
        "maxclients": str(request.rules.connections_max),
        "proto-max-bulk-len": str(limits_for(request.rules.value_bytes_max).argument_bytes_max),
        "save": "",
    }
    asked = {shown(name).lower() for name in request.arguments}
    told = {
        name: resp.bulk(value)
        for name, value in parameters.items()
        if name in asked or "*" in asked
    }
    return Say(reply=request.session.encoding.mapping(told))


def _info(request: Request) -> Action:
    sections = frozenset(shown(each).lower() for each in request.arguments)
    everything = {"all", "default", "everything"}
    return TellInfo(sections=frozenset() if sections & everything else sections)


def _role(_: Request) -> Action:
    return TellRole()


# A client sends a whole transaction before it reads that MULTI was refused. What stands in it must
# not be done one by one: the client would be told of an error, and take it for not done.


def _multi(request: Request) -> Action:
    return Become(
        session=replace(request.session, is_in_transaction=True),
        reply=resp.error(
            "ERR transactions are not supported, nothing in this one is done: send the commands "
            "without MULTI, as with redis-py's pipeline(transaction=False)"
        ),
    )


def _exec(request: Request) -> Action:
    if not request.session.is_in_transaction:
        raise RefusedError("ERR EXEC without MULTI")
    return Become(
        session=replace(request.session, is_in_transaction=False),
        reply=resp.error("EXECABORT Transaction discarded because of previous errors."),
    )


def _discard(request: Request) -> Action:
    if not request.session.is_in_transaction:
        raise RefusedError("ERR DISCARD without MULTI")
    return Become(session=replace(request.session, is_in_transaction=False), reply=resp.OK)


REDIS_COMMANDS: Table = {
    "AUTH": Entry(
        CommandForm(usage="AUTH [username] password", arguments_min=1, arguments_max=None), _auth
    ),
    "CLIENT": Container(
        {
            "GETNAME": Entry(CommandForm(usage="CLIENT GETNAME"), _client_getname),
            "ID": Entry(CommandForm(usage="CLIENT ID"), _client_id),
            "INFO": Entry(CommandForm(usage="CLIENT INFO"), _client_info),
            "SETINFO": Entry(
                CommandForm(
                    usage="CLIENT SETINFO LIB-NAME | LIB-VER value",
                    arguments_min=2,
                    arguments_max=2,
                ),
                _client_setinfo,
            ),
            "SETNAME": Entry(
                CommandForm(usage="CLIENT SETNAME name", arguments_min=1, arguments_max=1),
                _client_setname,
            ),
        }
    ),
    "CONFIG": Container(
        {
            "GET": Entry(
                CommandForm(
                    usage="CONFIG GET parameter [parameter ...]",
                    arguments_min=1,
                    arguments_max=None,
                ),
                _config_get,
            ),
        }
    ),
    "DISCARD": Entry(CommandForm(usage="DISCARD"), _discard),
    "ECHO": Entry(CommandForm(usage="ECHO message", arguments_min=1, arguments_max=1), _echo),
    "EXEC": Entry(CommandForm(usage="EXEC"), _exec),
    "HELLO": Entry(
        CommandForm(
            usage="HELLO [2 | 3 [AUTH username password] [SETNAME name]]", arguments_max=None
        ),
        _hello,
    ),
    "INFO": Entry(CommandForm(usage="INFO [section ...]", arguments_max=None), _info),
    "MULTI": Entry(CommandForm(usage="MULTI"), _multi),
    "PING": Entry(CommandForm(usage="PING [message]", arguments_max=1), _ping),
    "QUIT": Entry(CommandForm(usage="QUIT", arguments_max=None), _quit),
    "RESET": Entry(CommandForm(usage="RESET"), _reset),
    "ROLE": Entry(CommandForm(usage="ROLE"), _role),
    "SELECT": Entry(CommandForm(usage="SELECT 0", arguments_min=1, arguments_max=1), _select),
}
"""The commands, and how each is written."""

ENDS_OF_TRANSACTIONS = frozenset({"EXEC", "DISCARD", "QUIT", "RESET"})
"""What is done in a transaction that was refused."""

OPEN_TO_STRANGERS = frozenset({"AUTH", "HELLO", "QUIT", "RESET"})
"""What may be asked before the password is given."""
