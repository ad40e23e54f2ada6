"""Options of these tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person rewrite the golden diagrams, to look at the difference before committing it."""
    parser.addoption(
        "--rewrite-diagrams",
        action="store_true",
        help="write the diagrams as they are drawn now; then look at the difference",
    )
