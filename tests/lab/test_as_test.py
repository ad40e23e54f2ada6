"""A run becomes a test: it passes as it stands, and fails when the run goes otherwise."""

from typing import Any

import pytest

from multipaxos.lab.as_test import source_of_test

BROKEN = """\
# "Quotes" and \\ in a title; 3 servers
bug forgetful-acceptor
propose A x
propose B y
deliver A->C Prepare, B->C Prepare, C->A Promise, C->B Promise
deliver A->C Accept, B->C Accept
"""


def run(source: str) -> None:
    """Run the one test in *source*."""
    names: dict[str, Any] = {}
    exec(compile(source, "made.py", "exec"), names)  # noqa: S102 - it is what was made
    (test,) = [value for name, value in names.items() if name.startswith("test_")]
    test()


def test_the_test_of_every_scenario_passes(scenario_files: list[str]) -> None:
    """As it stands."""
    for script in scenario_files:
        run(source_of_test(script))


def test_a_run_with_a_bug_becomes_a_test_that_finds_it() -> None:
    """What broke is part of what it asserts; the title cannot break out of its docstring."""
    source = source_of_test(BROKEN)

    assert "'I1 Agreement'" in source
    assert "def test_quotes_and_in_a_title_3_servers()" in source
    run(source)


def test_it_fails_where_the_run_goes_otherwise() -> None:
    """Or it would hold nothing."""
    source = source_of_test(BROKEN)

    with pytest.raises(AssertionError):
        run(source.replace("'bug forgetful-acceptor'", "'seed 0'"))
