"""The arguments of requests: bytes that should be texts or numbers, and errors in Redis' words."""

from collections.abc import Sequence

from multipaxos.runtime.client_port.actions import RefusedError
from multipaxos.runtime.codec import COMMAND_BYTES_MAX, is_client_id, value_bytes

SHOWN_CHARACTERS_MAX = 128


def shown(argument: bytes) -> str:
    """Return the beginning of *argument* as text, whatever it is."""
    return argument[:SHOWN_CHARACTERS_MAX].decode(errors="backslashreplace")


def values(arguments: Sequence[bytes], value_bytes_max: int) -> tuple[str, ...]:
    """Return *arguments* as texts, each of which takes *value_bytes_max* bytes at most as JSON."""
    texts = tuple(map(_text, arguments))
    sizes = tuple(map(value_bytes, texts))
    for size, most in ((max(sizes, default=0), value_bytes_max), (sum(sizes), COMMAND_BYTES_MAX)):
        if size > most:
            raise RefusedError(
                f"REFUSED the value is too large: it takes {size} bytes in a message, and "
                f"{most} is the most that fits"
            )
    return texts


def client_id(argument: bytes) -> str:
    """Return the name of a client."""
    client = shown(argument)
    if not is_client_id(client):
        raise RefusedError("ERR a client is named by 1 to 40 letters, digits or '_', '-', '.', ':'")
    return client


def integer(argument: bytes, name: str, maximum: int, *, minimum: int = 1) -> int:
    """Return the number *name*, from *minimum* to *maximum*."""
    digits_max = len(str(maximum))
    # Python would read more than ASCII digits, and blanks and underscores between them.
    if argument.isdigit() and len(argument) <= digits_max and minimum <= int(argument) <= maximum:
        return int(argument)
    raise RefusedError(f"ERR {name} must be a whole number from {minimum} to {maximum}")


def wrong_number(command: str) -> RefusedError:
    """Say that *command*, with its subcommand behind a bar, has other arguments."""
    return RefusedError(f"ERR wrong number of arguments for '{command}' command")


def unknown_command(name: bytes, arguments: Sequence[bytes]) -> RefusedError:
    """Say that there is no command *name*."""
    beginning = ""
    for argument in arguments:
        room = SHOWN_CHARACTERS_MAX - len(beginning)
        if room <= 0:
            break
        beginning += f"'{shown(argument)[:room]}' "
    return RefusedError(
        f"ERR unknown command '{shown(name)}', with args beginning with: {beginning}"
    )


def unknown_subcommand(name: bytes) -> RefusedError:
    """Say that a command has no subcommand *name*."""
    return RefusedError(f"ERR unknown subcommand '{shown(name)}'.")


def _text(argument: bytes) -> str:
    try:
        return argument.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"REFUSED the value is not UTF-8 text: byte {argument[error.start]:#04x} "
            f"at position {error.start}"
        ) from None
