"""The options of ``multipaxos bench`` that no other command has."""

import re
import shlex
from contextlib import suppress
from typing import Any

import click
from typing_extensions import override

from multipaxos.bench.plan import Endpoint
from multipaxos.cli.entry import BadInputError
from multipaxos.cli.parameters import WholeNumber, bad_config_refused
from multipaxos.runtime.address import parse_address
from multipaxos.trace import printable

LIST_LENGTH_MAX = 20


class WholeNumbers(click.ParamType[tuple[int, ...]]):
    """Whole numbers within bounds, with commas between them."""

    name = "numbers"

    def __init__(self, minimum: int, maximum: int) -> None:
        """Take numbers from *minimum* to *maximum*."""
        self._one = WholeNumber(minimum, maximum)

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        return _unique([self._one.convert(part, param, ctx) for part in _parts(value, param)])


class Shares(click.ParamType[tuple[float, ...]]):
    """Parts of a whole, from 0 to 1, with commas between them."""

    name = "shares"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        parts = _parts(value, param)
        for part in parts:
            if not re.fullmatch(r"0|1|[01]\.0{1,6}|0?\.[0-9]{1,6}", part):
                raise BadInputError(
                    f"{_name(param)} must be a number from 0 to 1, such as 0.5, not {_shown(part)}"
                )
        return _unique([float(part) for part in parts])


class Endpoints(click.ParamType[tuple[Endpoint, ...]]):
    """Addresses of servers, with commas between them."""

    name = "addresses"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Endpoint, ...]:
        with bad_config_refused():
            found = [parse_address(part, _name(param)) for part in _parts(value, param)]
        return _unique([(address.host, address.port) for address in found])


class Setting(click.ParamType[tuple[str, str]]):
    """A name and what it is set to."""

    name = "setting"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        found = re.fullmatch(r"([a-z_]{1,64})=(-?[0-9.]{1,64}(?:e-?[0-9]{1,9})?)", str(value))
        with suppress(ValueError):
            if found is not None:
                # TOML has no .5 and no 007.
                whole = found[2].removeprefix("-").isdigit()
                return found[1], repr(int(found[2]) if whole else float(found[2]))
        raise BadInputError(
            f"{_name(param)} must be a name and a number, as in lease_seconds=2, not "
            f"{_shown(str(value))}"
        )


class Words(click.ParamType[tuple[str, ...]]):
    """Arguments of another command, as a shell would take them apart."""

    name = "words"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        try:
            return tuple(shlex.split(str(value)))
        except ValueError as error:
            text = str(error)
            raise BadInputError(
                f"{_name(param)} cannot be taken apart: {text[:1].lower()}{text[1:]}."
            ) from error


def _parts(value: Any, param: click.Parameter | None) -> list[str]:
    parts = [part.strip() for part in str(value).split(",")]
    if len(parts) > LIST_LENGTH_MAX:
        raise BadInputError(
            f"{_name(param)} takes at most {LIST_LENGTH_MAX} values, not {len(parts)}"
        )
    return parts


def _unique(values: list[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _name(param: click.Parameter | None) -> str:
    return "the value" if param is None else param.opts[-1]


def _shown(text: str) -> str:
    return f'"{printable(text, length_max=40)}"'
