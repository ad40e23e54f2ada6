"""The clients' password, out of a file of its own."""

import stat
from pathlib import Path

from multipaxos.runtime.address import ConfigError

PASSWORD_BYTES_MAX = 512


def read_password(path: Path, key: str) -> str:
    """
    Return the one line of the file *path*; ConfigError, naming *key*, says what is wrong with it.

    Only its owner, and perhaps its group, may read it: a password that all users of the machine
    know protects nothing. What is in the file is in no message.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            content = file.read(PASSWORD_BYTES_MAX + len(b"\r\n") + 1)
    except OSError as error:
        raise ConfigError(f"{key}: cannot read {path}: {error.strerror}") from error
    if mode & stat.S_IRWXO:
        raise ConfigError(
            f"{key}: all users of this machine may use {path}: take that away, as by "
            f"chmod o= {path}"
        )
    line = content.removesuffix(b"\n").removesuffix(b"\r")
    if not line:
        raise ConfigError(f"{key}: {path} is empty: it must hold the password, in one line")
    if len(line) > PASSWORD_BYTES_MAX or b"\n" in line:
        raise ConfigError(f"{key}: {path} must hold one line of at most {PASSWORD_BYTES_MAX} bytes")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not UTF-8") from None
