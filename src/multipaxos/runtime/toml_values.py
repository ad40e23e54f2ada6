"""Values of a TOML file: each is what its key asks for, or the key is named in a ConfigError."""

from collections.abc import Mapping

from multipaxos.runtime.address import ConfigError

SECONDS_MAX = 3600.0
RATE_ERROR_LIMIT = 0.5
"""With clocks as wrong as this, a master could trust a third of its lease."""


def refuse_unknown(table: Mapping[str, object], known: tuple[str, ...], prefix: str) -> None:
    """Refuse a *table* with a key that is not *known*; *prefix* says which table it is."""
    for name in table:
        if name not in known:
            raise ConfigError(f"{prefix}{name} is no known key: there are {', '.join(known)}")


def read_table(value: object, key: str) -> Mapping[str, object]:
    """Return *value*, which must be a table."""
    if not isinstance(value, dict):
        raise ConfigError(f"{key} must be a table, not {value!r}")
    return value


def read_integer(value: object, key: str, *, minimum: int, maximum: int = 10**9) -> int:
    """Return *value*, a whole number from *minimum* to *maximum*."""
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise ConfigError(
            f"{key} must be a whole number from {minimum} to {maximum}, not {value!r}"
        )
    return value


def read_seconds(value: object, key: str) -> float:
    """Return *value*, a time: above 0 and at most SECONDS_MAX."""
    seconds = read_number(value, key)
    if not 0 < seconds <= SECONDS_MAX:  # NaN is in no range.
        raise ConfigError(f"{key} must be above 0 and at most {SECONDS_MAX:g}, not {value!r}")
    return seconds


def read_rate_error(value: object, key: str) -> float:
    """Return *value*, how wrong a clock may be: from 0 to below RATE_ERROR_LIMIT."""
    rate = read_number(value, key)
    if not 0 <= rate < RATE_ERROR_LIMIT:
        raise ConfigError(f"{key} must be at least 0 and below {RATE_ERROR_LIMIT}, not {value!r}")
    return rate


def read_number(value: object, key: str) -> float:
    """Return *value*, a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{key} must be a number, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ConfigError(f"{key} must be a number that is less astronomical") from None
