"""What the commands have in common: their options, and how a bad one is refused."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from typing_extensions import override

from multipaxos.cli.entry import BadInputError
from multipaxos.client import Endpoint, Identity
from multipaxos.runtime.codec import MalformedDatagramError, value_bytes
from multipaxos.runtime.config import Config, ConfigError, built_in_config, load_config

SECONDS_MAX = 86_400.0

F = TypeVar("F", bound=Callable[..., Any])


class Seconds(click.ParamType[float]):
    """A time: above 0 and at most a day."""

    name = "seconds"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if 0 < seconds <= SECONDS_MAX:
            return seconds
        raise BadInputError(
            f"a time must be a number of seconds above 0 and at most {SECONDS_MAX:.0f}, not {value}"
        )


def config_option(command: F) -> F:
    """Add ``--config``."""
    return click.option(
        "--config",
        "config_path",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The cluster, as TOML; without it A, B and C on this machine.",
    )(command)


def timeout_option(default_seconds: float) -> Callable[[F], F]:
    """Return what adds ``--timeout``."""
    return click.option(
        "--timeout",
        "timeout_seconds",
        metavar="S",
        type=Seconds(),
        default=default_seconds,
        show_default=True,
        help="How many seconds to wait for an answer.",
    )


def json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        command
    )


@contextmanager
def bad_config_refused() -> Iterator[None]:
    """Turn a ConfigError into a sentence and exit code 2."""
    try:
        yield
    except ConfigError as error:
        text = str(error)
        raise BadInputError(text[:1].upper() + text[1:]) from error


def read_config(path: Path | None) -> Config:
    """Return the cluster in the file *path*, or the built-in one."""
    with bad_config_refused():
        return built_in_config() if path is None else load_config(path)


def endpoints(config: Config, uid: str | None) -> dict[str, Endpoint]:
    """Return where clients find server *uid*, or all servers, by uid."""
    with bad_config_refused():
        chosen = config.servers.values() if uid is None else [config.server(uid)]
    return {server.uid: (server.client.host, server.client.port) for server in chosen}


def identities(config: Config) -> dict[Endpoint, Identity]:
    """Return which server should answer at each endpoint of *config*."""
    return {
        endpoint: Identity(config.cluster, uid) for uid, endpoint in endpoints(config, None).items()
    }


def check_value(value: str, config: Config) -> None:
    """Refuse a *value* that the servers of *config* would not take."""
    if "\0" in value:
        raise BadInputError("The value contains a NUL character.")
    try:
        size = value_bytes(value)
    except MalformedDatagramError:
        raise BadInputError("The value is not UTF-8 text.") from None
    if size > config.value_bytes_max:
        raise BadInputError(
            f"The value is too large: it takes {size} bytes in a message, "
            f"and {config.value_bytes_max} is the most that fits."
        )
