"""
Which servers there are, where they listen, and how they are set; built in, or from a TOML file.

    cluster = "main"
    client_password_file = "password"   # optional: clients must know what is in there

    [servers.A]
    peer = "10.0.0.1:7101"      # UDP and TCP, for the other servers
    client = "10.0.0.1:7001"    # TCP, for clients
    metrics = "10.0.0.1:9101"   # optional: HTTP, for Prometheus and for checks of its health

    [settings]                  # optional: any of multipaxos.chain.settings.Settings
    lease_seconds = 2.0

    [history]                   # optional
    links_max = 10000

    [limits]                    # optional
    value_bytes_max = 2097152
"""

import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from multipaxos.chain.settings import Membership, Settings
from multipaxos.runtime.address import Address, ConfigError, parse_address
from multipaxos.runtime.codec import (
    VALUE_BYTES_DEFAULT,
    VALUE_BYTES_MAX,
    is_cluster_name,
    is_uid,
)
from multipaxos.runtime.password import read_password
from multipaxos.runtime.toml_values import (
    read_integer,
    read_rate_error,
    read_seconds,
    read_table,
    refuse_unknown,
)

__all__ = ["Address", "Config", "ConfigError", "ServerConfig", "built_in_config", "load_config"]

SERVERS_MAX = 9
HISTORY_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """
    One server: *peer* takes the other servers' messages, *client* its clients' requests.

    *metrics*, where there is one, tells over HTTP how the server is.
    """

    uid: str
    peer: Address
    client: Address
    metrics: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    A cluster. Every server and client of it should have the same.

    Clients must know the *client_password*, unless it is None. A value may take *value_bytes_max*
    bytes, as :func:`multipaxos.runtime.codec.value_bytes` counts.
    """

    cluster: str
    servers: Mapping[str, ServerConfig]
    settings: Settings = field(default_factory=Settings)
    history_max: int = HISTORY_MAX
    client_password: str | None = field(default=None, repr=False)
    value_bytes_max: int = VALUE_BYTES_DEFAULT

    def server(self, uid: str) -> ServerConfig:
        """Return the server *uid*; ConfigError, naming those there are, if it is none of them."""
        try:
            return self.servers[uid]
        except KeyError:
            known = ", ".join(self.servers)
            raise ConfigError(
                f"there is no server {uid!r} in the cluster: it has {known}"
            ) from None

    def membership(self, uid: str) -> Membership:
        """Return the cluster as its server *uid* sees it."""
        self.server(uid)
        return Membership(cluster=self.cluster, uid=uid, servers=tuple(self.servers))


def built_in_config(
    servers: int = 3,
    *,
    cluster: str = "main",
    peer_port: int = 7101,
    client_port: int = 7001,
    settings: Settings | None = None,
) -> Config:
    """
    Return a cluster of *servers* on this machine: A, B, C ... on loopback.

    Their ports count up from *peer_port* and *client_port*.
    """
    if not 1 <= servers <= SERVERS_MAX:
        raise ConfigError(f"a cluster has 1 to {SERVERS_MAX} servers, not {servers}")
    return Config(
        cluster=cluster,
        servers={
            uid: ServerConfig(
                uid=uid,
                peer=Address(host="127.0.0.1", port=peer_port + place),
                client=Address(host="127.0.0.1", port=client_port + place),
            )
            for place, uid in enumerate("ABCDEFGHI"[:servers])
        },
        settings=settings or Settings(),
    )


def load_config(path: Path | str, *, reads_password: bool = True) -> Config:
    """
    Return the cluster that the TOML file *path* describes; ConfigError says what is wrong.

    Unless it *reads the password*, the file that is to hold it need not be there.
    """
    try:
        # Some editors begin a file with a mark that says that it is UTF-8.
        text = Path(path).read_bytes().decode("utf-8-sig")
        directory = Path(path).parent if reads_password else None
        return _read_config(tomllib.loads(text), directory)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file {path} is not UTF-8: {error.reason}") from error
    except (ValueError, RecursionError) as error:
        # Among them integers of more digits than Python reads.
        raise ConfigError(f"the file {path} is not TOML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"in {path}: {error}") from error


# ----------------------------------------------------------------------------------------- the file


def _read_config(document: Mapping[str, object], directory: Path | None) -> Config:
    known = ("cluster", "client_password_file", "servers", "settings", "history", "limits")
    refuse_unknown(document, known, "")
    history = read_table(document.get("history", {}), "[history]")
    refuse_unknown(history, ("links_max",), "history.")
    limits = read_table(document.get("limits", {}), "[limits]")
    refuse_unknown(limits, ("value_bytes_max",), "limits.")
    return Config(
        cluster=_read_cluster(document),
        servers=_read_servers(document),
        settings=_read_settings(read_table(document.get("settings", {}), "[settings]")),
        history_max=read_integer(
            history.get("links_max", HISTORY_MAX), "history.links_max", minimum=0
        ),
        client_password=_read_password(document, directory),
        value_bytes_max=read_integer(
            limits.get("value_bytes_max", VALUE_BYTES_DEFAULT),
            "limits.value_bytes_max",
            minimum=1,
            maximum=VALUE_BYTES_MAX,
        ),
    )


def _read_password(document: Mapping[str, object], directory: Path | None) -> str | None:
    key = "client_password_file"
    if key not in document:
        return None
    name = document[key]
    if not isinstance(name, str) or not name or "\0" in name:
        raise ConfigError(f'{key} must name a file, as in {key} = "password", not {name!r}')
    return None if directory is None else read_password(directory / name, key)


def _read_cluster(document: Mapping[str, object]) -> str:
    if "cluster" not in document:
        raise ConfigError('cluster is missing: name the cluster, as in cluster = "main"')
    cluster = document["cluster"]
    if not isinstance(cluster, str) or not is_cluster_name(cluster):
        raise ConfigError(
            f"cluster must be 1 to 32 letters, digits, '_', '-' or '.', not {cluster!r}"
        )
    return cluster


def _read_servers(document: Mapping[str, object]) -> Mapping[str, ServerConfig]:
    tables = read_table(document.get("servers", {}), "[servers]")
    if not 1 <= len(tables) <= SERVERS_MAX:
        raise ConfigError(
            f"[servers] must list 1 to {SERVERS_MAX} servers, not {len(tables)}: "
            "write one table [servers.A] for each"
        )
    servers = {uid: _read_server(uid, table) for uid, table in tables.items()}
    _refuse_shared(servers)
    _refuse_mixed(servers)
    return servers


def _read_server(uid: str, value: object) -> ServerConfig:
    if not is_uid(uid):
        raise ConfigError(
            f"servers.{uid!r} cannot name a server: take 1 to 16 letters, digits, '_' or '-'"
        )
    table = read_table(value, f"[servers.{uid}]")
    refuse_unknown(table, ("peer", "client", "metrics"), f"servers.{uid}.")
    return ServerConfig(
        uid=uid,
        peer=_read_address(table, "peer", uid),
        client=_read_address(table, "client", uid),
        metrics=_read_address(table, "metrics", uid) if "metrics" in table else None,
    )


def _read_address(table: Mapping[str, object], name: str, uid: str) -> Address:
    key = f"servers.{uid}.{name}"
    if name not in table:
        raise ConfigError(f'{key} is missing: write {name} = "host:port" below [servers.{uid}]')
    text = table[name]
    if not isinstance(text, str):
        raise ConfigError(f'{key} must be a text "host:port", not {text!r}')
    return parse_address(text, key)


def _refuse_mixed(servers: Mapping[str, ServerConfig]) -> None:
    versions: dict[int, str] = {}
    for uid, server in servers.items():
        with suppress(ValueError):  # A host name may have addresses of both versions.
            versions.setdefault(ip_address(server.peer.host).version, uid)
    if len(versions) > 1:
        raise ConfigError(
            f"servers.{versions[4]}.peer is an IPv4 and servers.{versions[6]}.peer an IPv6 "
            "address: a server sends from one of them, so all must be of one kind"
        )


def _refuse_shared(servers: Mapping[str, ServerConfig]) -> None:
    # A peer address takes TCP connections as well as datagrams: a client's must be another.
    key_of: dict[Address, str] = {}
    for uid, server in servers.items():
        addresses = {"peer": server.peer, "client": server.client, "metrics": server.metrics}
        for key, address in addresses.items():
            ours = f"servers.{uid}.{key}"
            if address is not None and key_of.setdefault(address, ours) != ours:
                raise ConfigError(
                    f"{key_of[address]} and {ours} are both {address}: every server needs "
                    "addresses of its own, for each purpose another"
                )


# ------------------------------------------------------------------------------------- the settings


def _read_settings(table: Mapping[str, object]) -> Settings:
    known = {known_field.name: known_field.type for known_field in fields(Settings)}
    refuse_unknown(table, tuple(known), "settings.")
    numbers = {
        name: _setting(known[name], name)(value, f"settings.{name}")
        for name, value in table.items()
    }
    settings = Settings(**numbers)  # type: ignore[arg-type]
    _check_settings(settings)
    return settings


def _setting(kind: object, name: str) -> Callable[[object, str], float]:
    """Return what reads the setting *name*, which is of *kind*."""
    if kind is int:
        return partial(read_integer, minimum=1)
    return read_rate_error if name == "clock_rate_error" else read_seconds


def _check_settings(settings: Settings) -> None:
    """Refuse settings, each possible by itself, that do not go together."""
    if settings.backoff_seconds_min > settings.backoff_seconds_max:
        raise ConfigError(
            "settings.backoff_seconds_min must not be above settings.backoff_seconds_max, "
            f"which is {settings.backoff_seconds_max:g}"
        )
    if settings.queue_max >= settings.sessions_max:
        raise ConfigError(
            f"settings.queue_max, {settings.queue_max}, must be below settings.sessions_max, "
            f"{settings.sessions_max}: more requests could wait than the chain remembers"
        )
    if settings.renewal_head_start_seconds >= settings.held_lease_seconds:
        raise ConfigError(
            "settings.renewal_head_start_seconds must be below the "
            f"{settings.held_lease_seconds:g} seconds that a master may trust its lease "
            "(settings.lease_seconds less the error of the clocks)"
        )
