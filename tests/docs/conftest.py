"""Options of these tests."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person rewrite what the documents show, to read the difference before committing it."""
    parser.addoption(
        "--rewrite-docs",
        action="store_true",
        help="write what the documents' programs print now into them; then read the difference",
    )
