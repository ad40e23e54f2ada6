"""The replies that are there at once: they need no link, and change no connection."""

from typing import Protocol, TypeAlias

from multipaxos.chain.state_machine import Command
from multipaxos.runtime.client_port import redis_report, resp
from multipaxos.runtime.client_port.actions import (
    ReadStale,
    Say,
    TellHistory,
    TellInfo,
    TellRole,
    TellStatus,
)
from multipaxos.runtime.client_port.own_commands import link_and_result
from multipaxos.runtime.client_port.service import Info, Service
from multipaxos.runtime.client_port.session import Session
from multipaxos.runtime.ports import StorageError

Question: TypeAlias = Say | ReadStale | TellStatus | TellHistory | TellInfo | TellRole


class Source(Protocol):
    """Who knows the answers."""

    service: Service

    def info(self) -> Info:
        """Return what INFO tells."""


def reply_at_once(question: Question, source: Source, session: Session) -> resp.Reply:
    """Return the reply to *question*, as *source* knows it and *session* wants it encoded."""
    match question:
        case Say(reply=reply):
            return reply
        case ReadStale(command=command):
            return _stale(command, source.service)
        case TellStatus():
            return resp.bulk(source.service.status())
        case TellHistory(count=count):
            return _history(count, source.service)
        case TellInfo(sections=sections):
            return session.encoding.verbatim(redis_report.info_text(source.info(), sections))
        case TellRole():
            return redis_report.role_reply(source.service.role())


def _stale(command: Command, service: Service) -> resp.Reply:
    read = service.read_stale(command)
    if read is None:
        return resp.error("REFUSED this server has no memory yet")
    return link_and_result(read.link, read.result)


def _history(count: int, service: Service) -> resp.Reply:
    try:
        return resp.bulk(service.history(count))
    except StorageError as error:
        return resp.error(f"ERR {error}")
