"""
``composable_paxos`` installs alone: from its own wheel, without dependencies.

Everything happens offline: the wheel is built with the build backend that is installed here.
"""

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STANDALONE = ROOT / "packaging" / "composable-paxos"

NAME_WHAT_IS_MISSING = """
import composable_paxos
print([name for name in composable_paxos.__all__ if not hasattr(composable_paxos, name)])
"""

FIND_MULTIPAXOS = """
import importlib.util
print(importlib.util.find_spec("multipaxos"))
"""

NAME_FOREIGN_MODULES = """
import sys
before = set(sys.modules)
import composable_paxos
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - sys.stdlib_module_names))
"""


def run(*command: str | Path) -> str:
    """Run *command* apart from this process's Python settings and return what it printed."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    completed = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout.strip()


def read_project(directory: Path) -> dict[str, Any]:
    """Read the project table of the pyproject.toml in *directory*."""
    text = (directory / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the standalone wheel, with the installed build backend and without network access."""
    wheels = tmp_path_factory.mktemp("wheels")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel")
    run(*pip, "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, STANDALONE)
    (wheel,) = wheels.iterdir()
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install *wheel*, and nothing else, in an empty virtual environment; return its Python."""
    directory = tmp_path_factory.mktemp("empty")
    venv.create(directory, symlinks=True)
    python = directory / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-index", wheel)
    return python


def test_wheel_holds_the_typed_source_and_nothing_else(wheel: Path) -> None:
    """The wheel holds every source file of composable_paxos, its type marker, and its metadata."""
    source = ROOT / "src" / "composable_paxos"
    expected = {
        f"composable_paxos/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }

    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == expected


def test_every_public_name_is_there(python: Path) -> None:
    """Each name that composable_paxos promises in ``__all__`` can be used where it stands alone."""
    assert run(python, "-I", "-c", NAME_WHAT_IS_MISSING) == "[]"


def test_multipaxos_does_not_come_along(python: Path) -> None:
    """Whoever installs composable_paxos alone gets no part of multipaxos."""
    assert run(python, "-I", "-c", FIND_MULTIPAXOS) == "None"


def test_importing_it_loads_only_the_standard_library(python: Path) -> None:
    """Importing composable_paxos loads itself and modules of the standard library."""
    assert run(python, "-I", "-c", NAME_FOREIGN_MODULES) == "['composable_paxos']"


def test_both_distributions_carry_the_same_version() -> None:
    """The standalone distribution is released together with multipaxos, under the same version."""
    standalone, whole = read_project(STANDALONE), read_project(ROOT)

    assert standalone["version"] == whole["version"]
    assert standalone["requires-python"] == whole["requires-python"]
    assert standalone["dependencies"] == []
