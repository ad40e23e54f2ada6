"""Options of the test run, and what it must not inherit."""

import signal

import pytest


def pytest_configure() -> None:
    """
    Heed Ctrl+C, as all processes that the tests start will, for the tests press it.

    What a shell without job control runs in its background ignores it, and hands that on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person rewrite the golden traces, to read the difference before committing it."""
    parser.addoption(
        "--rewrite-scenarios",
        action="store_true",
        help="write what the scenarios do now into their files; then read the difference",
    )
    parser.addoption(
        "--rewrite-digests",
        action="store_true",
        help="write the digests of the simulator's traces as they are now",
    )
