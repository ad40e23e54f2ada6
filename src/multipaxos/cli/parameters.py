"""What the commands have in common: their options, and how a bad one is refused."""

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from typing_extensions import override

from multipaxos.cli.entry import BadInputError
from multipaxos.client import Endpoint, Identity
from multipaxos.machines import UnknownMachineError, find_machine
from multipaxos.runtime.address import Address, parse_address
from multipaxos.runtime.codec import MalformedDatagramError, value_bytes
from multipaxos.runtime.config import (
    Config,
    ConfigError,
    ServerConfig,
    built_in_config,
    load_config,
)
from multipaxos.runtime.password import read_password
from multipaxos.trace import printable

SECONDS_MAX = 86_400.0
SHOWN_LENGTH_MAX = 40

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
        name = shown_name(param, "the time")
        raise BadInputError(
            f"{name} must be a number of seconds above 0 and at most {SECONDS_MAX:.0f}, not "
            f"{_shortened(str(value))}"
        )


class FilePath(click.Path):
    """A path; an empty one, which stands for no file at all, is refused."""

    def __init__(self, *, what: str, file_okay: bool = True, dir_okay: bool = True) -> None:
        """Take a path that names *what*, should there be something already."""
        super().__init__(path_type=Path, file_okay=file_okay, dir_okay=dir_okay)
        self.what = what

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            name = shown_name(param, "the path")
            raise BadInputError(f'{name} "" names no {self.what}: leave it out, or name one.')
        return super().convert(value, param, ctx)


class HostAndPort(click.ParamType[Address]):
    """An address to listen on, by the rules of the configuration."""

    name = "address"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        with bad_config_refused():
            return parse_address(str(value), shown_name(param, "the address"))


class WholeNumber(click.ParamType[int]):
    """A whole number within bounds."""

    name = "number"

    def __init__(self, minimum: int, maximum: int) -> None:
        """Take numbers from *minimum* to *maximum*."""
        self.minimum = minimum
        self.maximum = maximum

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        # Python would read more than ASCII digits, and blanks and underscores between them.
        if re.fullmatch("[0-9]{1,9}", text) and self.minimum <= int(text) <= self.maximum:
            return int(text)
        name = shown_name(param, "the number")
        raise BadInputError(
            f"{name} must be a whole number from {self.minimum} to {self.maximum}, not "
            f"{_shortened(text)}"
        )


def refuse_page_options(why: str) -> None:
    """Refuse the options of a page that is not served here; *why* says so, with their name."""
    context = click.get_current_context()
    for parameter, option in (("port", "--port"), ("no_browser", "--no-browser")):
        # Also where somebody typed what is the default.
        if context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE:
            raise BadInputError(why.format(option=option))


def shown_name(param: click.Parameter | None, otherwise: str) -> str:
    """Return how a person writes *param*; *otherwise* where click does not say which it is."""
    if param is None:
        return otherwise
    if isinstance(param, click.Argument) and param.metavar is not None:
        return param.metavar.strip("[].")
    return param.opts[-1]


def refuse_overwriting(outputs: Mapping[str, Path | None], inputs: Iterable[Path]) -> None:
    """Refuse to write a file that is read, or one file twice; *outputs* go by their options."""
    taken = {path.resolve(): "is to be read" for path in inputs}
    for option, path in outputs.items():
        # What is no file, such as /dev/null, takes anything.
        if path is None or (path.exists() and not path.is_file()):
            continue
        place = path.resolve()
        if place in taken:
            raise BadInputError(
                f"{option} would overwrite {path}, which {taken[place]}: name another file."
            )
        taken[place] = f"{option} writes as well"


def _shortened(text: str) -> str:
    return f'"{printable(text, length_max=SHOWN_LENGTH_MAX)}"'


def data_option(command: F) -> F:
    """Add ``--data``."""
    return click.option(
        "--data",
        "directory",
        metavar="DIR",
        type=FilePath(what="directory", file_okay=False),
        help="Where the state is kept; by default where this system keeps such things.",
    )(command)


class StateKind(click.ParamType[str]):
    """The name of a state machine; a class of one's own is looked for from here, too."""

    name = "kind"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if ":" in value and "" not in sys.path:
            # As with python -m; a program that was installed does not do so by itself.
            sys.path.insert(0, "")
        try:
            find_machine(value)
        except UnknownMachineError as error:
            text = str(error)
            raise BadInputError(f"{text[:1].upper()}{text[1:]}.") from error
        return str(value)


def state_option(command: F) -> F:
    """Add ``--state``."""
    return click.option(
        "--state",
        metavar="KIND",
        type=StateKind(),
        default="register",
        show_default=True,
        help="What is replicated: register, dictionary, or package.module:Class of your own.",
    )(command)


def transport_option(command: F) -> F:
    """Add ``--transport``."""
    return click.option(
        "--transport",
        type=click.Choice(["auto", "tcp"]),
        default="auto",
        show_default=True,
        help="How servers send to each other: by UDP what fits a datagram, or all by TCP.",
    )(command)


def config_option(command: F) -> F:
    """Add ``--config``."""
    return click.option(
        "--config",
        "config_path",
        metavar="FILE",
        type=FilePath(what="file"),
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


def password_option(command: F) -> F:
    """Add ``--password-file``."""
    return click.option(
        "--password-file",
        "password_path",
        metavar="FILE",
        type=FilePath(what="file"),
        help="Holds the clients' password; without it the file that the configuration names.",
    )(command)


@contextmanager
def bad_config_refused() -> Iterator[None]:
    """Turn a ConfigError into a sentence and exit code 2."""
    try:
        yield
    except ConfigError as error:
        text = str(error)
        raise BadInputError(text[:1].upper() + text[1:]) from error


def read_config(path: Path | None, password_path: Path | None = None) -> Config:
    """Return the cluster in the file *path*, or the built-in one; *password_path* is preferred."""
    with bad_config_refused():
        config = (
            built_in_config()
            if path is None
            else load_config(path, reads_password=password_path is None)
        )
        if password_path is None:
            return config
        return replace(config, client_password=read_password(password_path, "--password-file"))


def server_of(config: Config, uid: str) -> ServerConfig:
    """Return the server *uid* of *config*; a sentence and exit code 2 if there is none."""
    if uid not in config.servers:
        known = ", ".join(config.servers)
        raise BadInputError(f"There is no server {_shortened(uid)} in the cluster: it has {known}")
    return config.server(uid)


def endpoints(config: Config, uid: str | None) -> dict[str, Endpoint]:
    """Return where clients find server *uid*, or all servers, by uid."""
    chosen = config.servers.values() if uid is None else [server_of(config, uid)]
    return {server.uid: (server.client.host, server.client.port) for server in chosen}


def identities(config: Config) -> dict[Endpoint, Identity]:
    """Return which server should answer at each endpoint of *config*."""
    return {
        endpoint: Identity(config.cluster, uid) for uid, endpoint in endpoints(config, None).items()
    }


def check_value(value: str, config: Config) -> None:
    """Refuse a *value* that the servers of *config* would not take, or no command line can hold."""
    if "\0" in value:
        raise BadInputError("The value contains a NUL character.")
    check_text(value, config)


def check_text(value: str, config: Config) -> None:
    """Refuse a *value* that the servers of *config* would not take."""
    try:
        size = value_bytes(value)
    except MalformedDatagramError:
        raise BadInputError("The value is not UTF-8 text.") from None
    if size > config.value_bytes_max:
        raise BadInputError(
            f"The value is too large: it takes {size} bytes in a message, "
            f"and {config.value_bytes_max} is the most that fits."
        )
