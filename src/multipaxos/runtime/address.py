"""Addresses as a configuration gives them: checked when it is read, not when a packet is lost."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from typing_extensions import override

from multipaxos.errors import MultipaxosError

PORT_MAX = 65_535
HOST_LENGTH_MAX = 253
"""The longest name that DNS can carry."""


class ConfigError(MultipaxosError):
    """The configuration cannot be used; the message is a sentence that names the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server listens: a numeric address or a host name, and a port."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        """Write ``host:port``, with an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, key: str) -> Address:
    """Return the address in *text*; ConfigError, naming *key*, if there is none."""
    match = re.fullmatch(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]+)", text)
    if match is None:
        raise ConfigError(f'{key} must be "host:port", or "[IPv6 address]:port", not {text!r}')
    host = _host(match["six"] or match["host"], key, is_bracketed=match["six"] is not None)
    digits = match["port"].lstrip("0")
    if not (1 <= len(digits) <= len(str(PORT_MAX)) and int(digits) <= PORT_MAX):
        raise ConfigError(f"{key} must end in a port from 1 to {PORT_MAX}, not {text!r}")
    return Address(host=host, port=int(digits))


def _host(host: str, key: str, *, is_bracketed: bool) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
        is_name = re.fullmatch(rf"{label}(\.{label})*\.?", host) and len(host) <= HOST_LENGTH_MAX
        # Dotted digits are a mistyped address, and some resolvers would take 127.1 for one.
        if is_bracketed or not is_name or re.fullmatch(r"[0-9.]+", host):
            raise ConfigError(f"{key} names {host!r}, which is no host and no address") from None
        return host.lower()
    if address.is_unspecified or address.is_multicast:
        raise ConfigError(
            f"{key} must name one address of the server's machine that the others can reach: "
            f"{host} stands for many"
        )
    if isinstance(address, IPv6Address) and (address.is_link_local or address.ipv4_mapped):
        raise ConfigError(
            f"{key} must not be {host}: link-local and IPv4-mapped addresses do not name a "
            "machine to all others"
        )
    return str(address)
