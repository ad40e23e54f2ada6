"""The tables of the documents are complete, and what they say of the code is so."""

import dataclasses
import importlib
import json
import re
from collections import Counter
from random import Random

import click
import pytest
from tests.docs.commands import SUBCOMMANDS, WRAPPERS, check_command
from tests.docs.documents import ROOT, blocks_in, documents, prose_of, read, section
from tests.docs.tables import rows
from tests.docs.traces import TRACE_PAGE, documented_kinds, documented_reasons
from tests.runtime.watched import Watched

from composable_paxos import LOWEST
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Timer
from multipaxos.chain.refusals import Reason
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import StateMachine
from multipaxos.composition import INDISPENSABLE, MASTER_ONLY, STRATEGIES, compose, strategy_names
from multipaxos.runtime import codec, report
from multipaxos.runtime.client_port.command_table import forms
from multipaxos.runtime.client_port.commands import TABLE
from multipaxos.runtime.codec import wire
from multipaxos.runtime.config import HISTORY_MAX, built_in_config
from multipaxos.runtime.messenger.arrivals import Refusal as DatagramRefusal
from multipaxos.runtime.monitoring.health import silence_seconds_max
from multipaxos.runtime.monitoring.metrics import OUTCOMES
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.scenario import COMMANDS, SETTINGS
from multipaxos.trace import KINDS, VERSION
from multipaxos.trace.schema import DISK_FAULTS, ENGINES, REFUSAL_DATA, STATUSES

COMMANDS_PAGE = "docs/reference/commands.md"
CONFIGURATION_PAGE = "docs/reference/configuration.md"
STRATEGIES_PAGE = "docs/reference/strategies.md"
SCENARIOS_PAGE = "docs/scenarios.md"
WIRE_PAGE = "docs/reference/wire-format.md"
CLIENTS_PAGE = "docs/reference/clients.md"
MACHINES_PAGE = "docs/reference/state-machines.md"
METRICS_PAGE = "docs/reference/metrics.md"
WRAPPERS_TYPED = [["python", wrapper] for wrapper in WRAPPERS]


def code_words(text: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def number(text: str) -> float:
    """Return the number that *text* writes, with commas or without."""
    digits = text.replace(",", "")
    return int(digits) if digits.isdigit() else float(digits)


# -------------------------------------------------------------------------------- settings and keys


def test_every_setting_is_described_with_its_default() -> None:
    """A setting that is not in the reference is one that nobody finds."""
    described = {
        name.strip("`"): float(default)
        for name, default, _ in rows(read(CONFIGURATION_PAGE), ("setting", "default", "is"))
    }

    assert described == {
        field.name: float(field.default)
        for field in dataclasses.fields(Settings)
        if isinstance(field.default, int | float)
    }
    assert len(described) == len(dataclasses.fields(Settings))


def test_every_key_is_described() -> None:
    """The keys of the reference are those that the configuration knows."""
    described = {
        key.strip("`"): default
        for key, default, _ in rows(read(CONFIGURATION_PAGE), ("key", "default", "is"))
    }

    assert described.keys() == {
        "cluster",
        "client_password_file",
        "limits.value_bytes_max",
        "servers.UID.peer",
        "servers.UID.client",
        "servers.UID.metrics",
        "settings.NAME",
        "history.links_max",
    }
    assert int(described["history.links_max"]) == HISTORY_MAX


# ----------------------------------------------------------------------------------------- commands


@pytest.mark.parametrize("name", sorted(SUBCOMMANDS))
def test_every_option_is_described_with_its_default(name: str) -> None:
    """What --help lists, the reference lists, too; and it invents nothing."""
    command = SUBCOMMANDS[name]
    text = section(COMMANDS_PAGE, f"## multipaxos {name}")
    options = [option for option in command.params if isinstance(option, click.Option)]
    described = {}
    if options:
        for usage, default, _ in rows(text, ("option", "default", "does")):
            described[usage.strip("`").split()[0]] = default.strip("`")

    assert described.keys() == {option.opts[-1] for option in options}
    for option in options:
        default = described[option.opts[-1]]
        if option.is_flag:
            assert default == "off", option.opts
        elif isinstance(option.default, str | int | float):
            assert default == str(option.default), option.opts


@pytest.mark.parametrize("name", sorted(SUBCOMMANDS))
def test_a_command_s_usage_and_exit_codes_are_described(name: str) -> None:
    """Each section begins with the usage line and says what the exit codes mean."""
    command = SUBCOMMANDS[name]
    text = section(COMMANDS_PAGE, f"## multipaxos {name}")
    usage = " ".join(command.collect_usage_pieces(click.Context(command, info_name=name)))

    assert f"`multipaxos {name} {usage}`".replace(" [OPTIONS]`", " [OPTIONS]`") in text or (
        usage == "[OPTIONS]" and f"`multipaxos {name}" in text
    )
    assert "Exit codes: 0" in text


def test_no_command_is_described_that_does_not_exist() -> None:
    """The sections of the reference are the commands."""
    described = re.findall(r"^## multipaxos (\w+)$", read(COMMANDS_PAGE), re.MULTILINE)

    assert sorted(described) == sorted(SUBCOMMANDS)


def test_every_field_of_the_status_is_described() -> None:
    """What ``status --json`` prints can be looked up."""
    cluster = SimulatedCluster()
    cluster.start()
    printed = json.loads(
        report.status(
            cluster.servers["A"].replica,
            seconds_left=lambda _: 0.0,
            silence_seconds={},
            refused=Counter(),
            faults=None,
        )
    )
    table = rows(section(COMMANDS_PAGE, "## multipaxos status"), ("field", "is"))
    described = {word for names, _ in table for word in code_words(names)}

    assert described == printed.keys() | {"reachable"}


def test_every_request_of_clients_is_described() -> None:
    """Each command of the port stands in the reference as it says itself that it is written."""
    text = section(CLIENTS_PAGE, "## The protocol of the TCP port")
    described = [request.strip("`") for request, _ in rows(text, ("request", "reply"))]
    usages = [form.usage for form in forms(TABLE).values()]

    assert sorted(described) == sorted(usages)


@pytest.mark.parametrize("machine", [Register(), Dictionary()], ids=lambda each: each.kind)
def test_every_command_of_a_state_machine_is_described(machine: StateMachine) -> None:
    """As it says itself that it is written."""
    text = section(MACHINES_PAGE, f"## {machine.kind}")
    described = [command.strip("`") for command, *_ in rows(text, ("command", "result", "does"))]

    assert described == [form.usage for form in machine.forms.values()]


# ------------------------------------------------------------------------------------------ metrics


def test_every_metric_is_described_as_it_describes_itself() -> None:
    """With its type, its labels and its words; and the page invents none."""
    server = Watched()
    server.silence = {"B": 1.0}
    suffixes = {"counter": "_total", "info": "_info"}
    shown = {}
    for family in server.monitor.metrics.registry.collect():
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = family.name + suffixes.get(family.type, "")
        shown[name] = (family.type, labels, family.documentation)

    described = {
        name.strip("`"): (kind, set(code_words(labels)), text)
        for name, kind, labels, text in rows(
            read(METRICS_PAGE), ("metric", "type", "labels", "says")
        )
    }

    assert described == shown


def test_the_values_of_labels_are_described() -> None:
    """Where they are not those of another page."""
    values = {
        label.strip("`"): code_words(text)
        for label, text in rows(read(METRICS_PAGE), ("label", "values"))
    }

    assert values["outcome"] == list(OUTCOMES.values())
    assert values["reason"] == [reason.value for reason in DatagramRefusal]


def test_the_periods_after_which_a_silence_counts_are_described() -> None:
    """For the sizes that the page names."""
    text = " ".join(section(METRICS_PAGE, "## Ready").split())
    periods = [round(silence_seconds_max(Settings(sync_seconds=1.0), n)) for n in range(10)]

    assert f"{periods[2]} for two, {periods[3]} for three, {periods[4]} for four or five" in text
    assert periods[4] == periods[5]
    assert f"up to {max(periods)}" in text
    assert f"a server of three waits {silence_seconds_max(Settings(), 3):g}" in text


# ------------------------------------------------------------------------ messages, links and state


def test_every_message_and_link_has_an_example_that_is_one() -> None:
    """The wire format shows each message below a heading of its name, and each kind of link."""
    messages = {structure.__name__ for structure in wire.AnyDatagram.__args__}
    links = {structure.__name__ for structure in wire.Link.__args__}
    headings = set(re.findall(r"^### (\w+)$", read(WIRE_PAGE), re.MULTILINE))
    shown = set()
    for block in blocks_in(WIRE_PAGE):
        if block.kind == "json datagram":
            shown.add(type(codec.decode_envelope(block.text.encode()).message).__name__)
        elif block.kind == "json link":
            shown.add(type(codec.decode_link(block.text.encode())).__name__)

    assert headings == messages | links
    assert shown == messages | links


def test_every_field_of_the_durable_state_is_described() -> None:
    """What survives a crash is listed whole."""
    text = section("ARCHITECTURE.md", "## The durable state")
    described = [name.strip("`") for name, _ in rows(text, ("field", "is"))]

    assert described == [field.name for field in dataclasses.fields(DurableState)]


# ------------------------------------------------------------------------ strategies, hooks, timers


def test_every_strategy_is_described() -> None:
    """In their order, with their class, and whether they may be left out."""
    head = ("strategy", "class", "woven in", "may be left out", "timers")
    table = rows(read(STRATEGIES_PAGE), head)

    assert [name.strip("`") for name, *_ in table] == list(STRATEGIES)
    for quoted_name, class_name, woven, removable, _ in table:
        name = quoted_name.strip("`")
        assert class_name.strip("`") == STRATEGIES[name].__name__
        assert woven == ("with `--master`" if name in MASTER_ONLY else "always")
        assert removable.startswith("no" if name in INDISPENSABLE else "yes")


def test_every_timer_is_described_and_belongs_to_a_strategy() -> None:
    """Each timer has a row, and stands with the strategy whose file names it."""
    described = [
        name.strip("`")
        for name, *_ in rows(read(STRATEGIES_PAGE), ("timer", "runs for", "when it ends"))
    ]
    head = ("strategy", "class", "woven in", "may be left out", "timers")
    owners = {
        name.strip("`"): set(code_words(timers))
        for name, _, _, _, timers in rows(read(STRATEGIES_PAGE), head)
    }

    assert described == [timer.value for timer in Timer]
    assert sorted(timer for timers in owners.values() for timer in timers) == sorted(Timer)
    for name, timers in owners.items():
        module = STRATEGIES[name].__module__.replace(".", "/")
        source = (ROOT / f"src/{module}.py").read_text(encoding="utf-8")
        for timer in timers:
            assert f"Timer.{Timer(timer).name}" in source, (name, timer)


def test_every_hook_is_described_with_the_strategies_that_extend_it() -> None:
    """The table is what the classes say."""
    described = {
        hook.strip("`"): code_words(names)
        for hook, names in rows(read(STRATEGIES_PAGE), ("hook", "extended by"))
    }
    extended: dict[str, list[str]] = {}
    for name, strategy in STRATEGIES.items():
        for attribute in vars(strategy):
            if not attribute.startswith("_"):
                assert hasattr(BaseReplicatedValue, attribute), "a hook exists on the base"
                extended.setdefault(attribute, []).append(name)

    assert described == extended


# --------------------------------------------------------------------------------------- scenarios


def test_every_scenario_is_listed_with_its_first_line() -> None:
    """Whoever looks for a story finds it by what happens in it."""
    listed = {
        re.sub(r"\[(\w+)\].*", r"\1.txt", link): line
        for link, line in rows(read(SCENARIOS_PAGE), ("scenario", "its first line"))
    }
    first_lines = {
        path.name: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for path in (ROOT / "src/multipaxos/scenarios").glob("*.txt")
    }

    assert listed == first_lines


def test_every_command_of_a_script_is_described() -> None:
    """The vocabulary of the scenarios, and which words of it are settings."""
    table = rows(read(SCENARIOS_PAGE), ("command", "a setting", "does"))

    assert [name.strip("`") for name, _, _ in table] == list(COMMANDS)
    assert {name.strip("`") for name, setting, _ in table if setting == "yes"} == SETTINGS


# -------------------------------------------------------------------------------------------- trace


def test_the_reference_of_the_trace_says_what_the_schema_says() -> None:
    """Each kind has its fields, neither more nor fewer; a refusal's data stand with its reason."""
    data = {name for names in documented_reasons().values() for name in names}
    kinds = {kind: {name.strip("?") for name in fields} for kind, fields in KINDS.items()}

    assert {kind: set(fields) for kind, fields in documented_kinds().items()} == {
        **kinds,
        "refused": kinds["refused"] - data,
    }
    assert list(documented_reasons()) == [reason.value for reason in Reason]
    assert {reason: (name,) for reason, name in REFUSAL_DATA.items()} == {
        reason: names for reason, names in documented_reasons().items() if names
    }
    assert {f"{name}?" for name in data} == {n for n in KINDS["refused"] if n.endswith("?")}


def test_the_reference_of_the_trace_names_its_version_engines_and_words() -> None:
    """What a field may hold is listed where the field is explained."""
    text = read(TRACE_PAGE)

    assert f"**version {VERSION}** of the schema" in text
    for word in (*ENGINES, *STATUSES, *DISK_FAULTS):
        assert f"`{word}`" in text, word


# -------------------------------------------------------------------- invariants, bounds and claims


def test_every_invariant_that_the_code_names_is_described() -> None:
    """A name in an assertion or in a checker leads to ARCHITECTURE.md."""
    text = read("ARCHITECTURE.md")
    numbered = {
        f"{number} {name}": checked
        for number, name, _, _, checked in rows(text, ("", "name", "says", "kept by", "checked by"))
    }
    named = {name for name, _, _ in rows(text, ("name", "says", "where"))}
    named |= {name.split()[1] for name in numbered}
    for path in (ROOT / "src").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for name in re.findall(r'"(I\d+ [A-Za-z]+)"', source):
            assert name in numbered, f"{path}: {name}"
            assert "checkers" in numbered[name], name
        asserted = re.findall(r'assert .*, f?"([A-Z][a-z]+[A-Z][A-Za-z]+): ', source)
        stated = re.findall(r"Invariants? \(([A-Za-z]+)", source)
        assert set(asserted) | set(stated) <= named, path

    assert next(iter(numbered)) == "I1 Agreement"
    assert len(numbered) == 12


def test_every_bound_is_what_the_code_says() -> None:
    """The tables of bounds name settings and constants, with their values; none is missing."""
    head = ("what", "bound", "by")
    tables = [read(name) for name in documents() if f"| {' | '.join(head)} |" in read(name)]
    named = set()
    for what, bound, by in (row for table in tables for row in rows(table, head)):
        name = code_words(by)[0]
        named.add(name)
        if by.startswith("setting"):
            value = getattr(Settings(), name)
        else:
            module, _, constant = name.rpartition(".")
            value = getattr(importlib.import_module(module), constant)
        assert number(bound) == value, what

    for layer in ("chain", "strategies", "runtime", "client"):
        for path in (ROOT / "src/multipaxos" / layer).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
            source = path.read_text(encoding="utf-8")
            for constant in re.findall(r"^([A-Z]\w*_MAX) = ", source, re.MULTILINE):
                name = f"{module}.{constant}".replace(".__init__", "")
                assert name in named or constant in OF_NO_CONCERN, name


OF_NO_CONCERN = {
    "LOCK_BYTES_MAX",
    "PACKET_BYTES_MAX",
    "REASON_LENGTH_MAX",
    "SHOWN_CHARACTERS_MAX",
}
"""Buffers, and how much of a stranger's text a sentence repeats."""


def test_every_defect_of_the_ancestor_is_answered_and_tested() -> None:
    """Each of them has a line in the divergences, and a file of tests named after it."""
    table = rows(read("docs/divergences.md"), ("#", "the ancestor", "here"))
    tested = {int(path.name[5:7]) for path in (ROOT / "tests/defects").glob("test_*.py")}

    assert [int(number) for number, _, _ in table] == list(range(1, 24))
    assert tested == set(range(1, 24))


def test_the_readme_says_how_large_a_value_may_be() -> None:
    """A user must not have to find out by trying."""
    claimed = re.search(r"at most ([\d,]+) bytes, counted as JSON", read("README.md"))

    assert claimed
    assert number(claimed[1]) == built_in_config().value_bytes_max


def test_the_readme_s_reading_order_leaves_no_module_out() -> None:
    """Each module and package below the overview's directories is named in it."""
    overview = section("README.md", "## Reading order")
    for directory in ("src/composable_paxos", "src/multipaxos"):
        for path in (ROOT / directory).iterdir():
            if path.name not in ("__init__.py", "__main__.py", "py.typed", "__pycache__"):
                assert path.name in overview, path
    for package in OVERVIEWED:
        for path in (ROOT / "src/multipaxos" / package).iterdir():
            if path.name not in ("__init__.py", "__pycache__"):
                family, _, _ = path.name.partition("_")
                assert path.name in overview or f"`{family}_`" in overview, path


OVERVIEWED = (
    "chain",
    "strategies",
    "runtime",
    "trace",
    "invariants",
    "simulation",
    "exploration",
)
"""The packages whose modules the overview names, one by one or as a family: the `role_` files."""


# ---------------------------------------------------------------------------------- links and paths


def anchors(document: str) -> set[str]:
    """Return the anchors that the headings of *document* make."""
    headings = re.findall(r"^#+ (.+)$", read(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents())
def test_links_lead_somewhere(document: str) -> None:
    """A link to a file or to a heading finds it."""
    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / document).parent / name if name else ROOT / document
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(str(path.resolve().relative_to(ROOT))), target


@pytest.mark.parametrize("document", documents())
def test_paths_that_are_named_exist(document: str) -> None:
    """What a document calls by its path is there."""
    for path in re.findall(r"`((?:src|tests|docs|packaging|tools)/[\w./-]+)`", read(document)):
        assert (ROOT / path).exists(), path


def test_lowest_is_written_as_the_trace_s_reference_says() -> None:
    """Nothing promised, nothing accepted: ``0.``."""
    assert str(LOWEST) == "0."
    membership = Membership(cluster="main", uid="A", servers=("A",))
    value = compose(strategy_names(master=False))(
        membership=membership, settings=Settings(), machine=Register(), state=None, rng=Random(1)
    )
    assert value.paxos.state.promised_id == LOWEST


@pytest.mark.parametrize("document", documents())
def test_commands_in_the_text_are_ones(document: str) -> None:
    """A command that is named in passing, or in a table, can be typed as it stands."""
    for _, line in prose_of(document):
        for typed in code_words(line):
            code = typed.removeprefix(".venv/bin/").partition(" | ")[0]
            words = code.split()
            if words[:1] != ["multipaxos"] and words[:2] not in WRAPPERS_TYPED:
                continue
            is_form = re.search(r"\[|\.\.\.|\b(COMMAND|NAME|N)\b", code)
            if len(words) == 2 and words[0] == "multipaxos":
                assert words[1] in {*SUBCOMMANDS, "--version"}, code
            elif len(words) > 1 and not is_form:
                check_command(code)
