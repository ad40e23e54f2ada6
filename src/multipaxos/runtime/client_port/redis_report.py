"""What a server tells about itself in Redis' terms: HELLO, ROLE and INFO."""

import os
from collections.abc import Mapping

from immutables import Map

from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.runtime import report
from multipaxos.runtime.address import Address
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.redis_commands import REDIS_VERSION
from multipaxos.runtime.client_port.service import Info, Role
from multipaxos.runtime.client_port.session import Session


def role_of(
    replica: BaseReplicatedValue, clients_of: Mapping[str, Address], *, is_followed: bool
) -> Role:
    """
    Return the part that *replica* plays.

    *clients_of* says where each server's clients connect, *is followed* that another's lease runs.
    """
    master = replica.master
    return Role(
        link=replica.instance - 1,
        # The configuration may have changed since the chain named its master.
        master=None if master in (None, replica.uid) else clients_of.get(master),
        is_followed=is_followed,
    )


def info_of(replica: BaseReplicatedValue, role: Role, *, port: int, uptime_seconds: float) -> Info:
    """Return the sections of INFO that are about the server whose clients connect to *port*."""
    value = replica.snapshot.value
    keys = len(value) if isinstance(value, Map) else 0
    return {
        "Server": {
            "redis_version": REDIS_VERSION,
            "redis_mode": "standalone",
            "process_id": os.getpid(),
            "tcp_port": port,
            "uptime_in_seconds": int(uptime_seconds),
        },
        "Replication": _replication(role),
        "Keyspace": {"db0": f"keys={keys},expires=0,avg_ttl=0"} if keys else {},
        "Multipaxos": {
            "cluster": replica.membership.cluster,
            "uid": replica.uid,
            "chain": replica.chain_id or "",
            "state_machine": replica.machine.kind,
            "phase": report.phase(replica),
            "link": role.link,
            "master": replica.master or "",
            "lease": _lease(replica, role),
            "queue_length": len(replica.queue),
        },
    }


def info_text(info: Info, sections: frozenset[str]) -> str:
    """Write those *sections* of *info*, all if none is named, as INFO does."""
    parts = []
    for title, fields in info.items():
        if not sections or title.lower() in sections:
            lines = [f"# {title}", *(f"{name}:{value}" for name, value in fields.items())]
            parts.append("".join(f"{line}\r\n" for line in lines))
    return "\r\n".join(parts)


def welcome(session: Session, role: Role) -> resp.Reply:
    """Return the reply to HELLO: this is Redis, as far as clients need to know."""
    return session.encoding.mapping(
        {
            "server": resp.bulk("redis"),
            "version": resp.bulk(REDIS_VERSION),
            "proto": resp.integer(session.encoding.version),
            "id": resp.integer(session.number),
            "mode": resp.bulk("standalone"),
            "role": resp.bulk("master" if role.master is None else "replica"),
            "modules": resp.array([]),
        }
    )


def role_reply(role: Role) -> resp.Reply:
    """Return the reply to ROLE; what Redis counts in bytes of its log, links are here."""
    if role.master is None:
        return resp.array([resp.bulk("master"), resp.integer(role.link), resp.array([])])
    return resp.array(
        [
            resp.bulk("slave"),
            resp.bulk(role.master.host),
            resp.integer(role.master.port),
            resp.bulk(_state(role)),
            resp.integer(role.link),
        ]
    )


def _replication(role: Role) -> dict[str, object]:
    if role.master is None:
        return {"role": "master", "connected_slaves": 0, "master_repl_offset": role.link}
    return {
        "role": "slave",
        "master_host": role.master.host,
        "master_port": role.master.port,
        "master_link_status": "up" if role.is_followed else "down",
        "slave_repl_offset": role.link,
        "master_repl_offset": role.link,
    }


def _state(role: Role) -> str:
    return "connected" if role.is_followed else "connect"


def _lease(replica: BaseReplicatedValue, role: Role) -> str:
    if replica.lease is not None:
        return "held"
    return "respected" if role.is_followed else "none"
