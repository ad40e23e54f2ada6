"""Options of the test run."""

import pytest


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
