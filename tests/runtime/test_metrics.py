"""What a server counts and measures, held against what happened."""

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from tests.runtime.watched import HTTP, Watched, samples

from multipaxos.chain.pipelines import pack
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.settings import Settings
from multipaxos.runtime.monitoring.choice import Unmonitored
from multipaxos.runtime.monitoring.metrics import Metrics
from multipaxos.simulation.disk import SimulatedDisk
from multipaxos.simulation.random_run import RandomRun, RunPlan
from multipaxos.trace import Silence, TraceEvent, TraceObserver

INFINITE = float("inf")

# ----------------------------------------------------------------------------------------- counting


COUNTED = {
    "resolved": "links_resolved_total",
    "caught up": "catch_ups_total",
    "round lost": "rounds_lost_total",
    "takeover": "takeovers_total",
    "forwarded": "requests_forwarded_total",
}
"""The kinds of the trace's events, and what counts them."""


def told_of(event: TraceEvent) -> str | None:
    """Return the name of what must count *event*; None if nothing does."""
    fields: Any = event.fields
    match event.kind:
        case "sent":
            return f"messages_sent_total{{{fields['message']['type']}}}"
        case "delivered":
            return f"messages_received_total{{{fields['message']['type']}}}"
        case "refused":
            return f"messages_refused_total{{{fields['reason']}}}"
        case kind:
            return COUNTED.get(kind)


def test_what_is_counted_is_what_the_trace_tells() -> None:
    """Every message, refusal and event of runs with all faults; each kind of them occurs."""
    metrics = Metrics(seconds=lambda: 0.0, machine=Register())
    told: Counter[str] = Counter()
    for seed in range(8):
        plan = RunPlan(seed=seed, master=seed % 2 == 0, faults="cruel", traced=True)
        run = RandomRun(plan, observers=[metrics])
        run.play()
        told.update(name for event in run.cluster.trace.events if (name := told_of(event)))

    counted = {
        name: value
        for name, value in samples(metrics).items()
        if name.startswith((*COUNTED.values(), "messages_")) and "_total" in name and value
    }

    assert counted == told
    assert {*COUNTED.values(), "messages_refused_total{lease}", "messages_sent_total{Forward}"} <= (
        told.keys()
    )


def test_what_never_happened_is_shown_as_zero() -> None:
    """A rate needs a beginning; and whoever writes an alarm sees what there is to alarm of."""
    shown = Watched().samples()

    for name in (
        "messages_sent_total{Prepare}",
        "messages_received_total{CatchUp}",
        "messages_refused_total{other chain}",
        "datagrams_refused_total{malformed}",
        "requests_total{GET,unknown}",
        "request_seconds_count{read}",
        "save_seconds_count",
        "takeovers_total",
    ):
        assert shown[name] == 0, name


@pytest.mark.parametrize(
    "outcome, label",
    [
        (Chosen(link=4, result=None), "chosen"),
        (Refused(reason="busy"), "refused"),
        (Unknown(reason="the connection closed"), "unknown"),
    ],
)
def test_a_request_is_counted_by_its_outcome_and_measured_if_it_was_chosen(
    outcome: Outcome, label: str
) -> None:
    """A refusal is quick: it would make a server that refuses everything look fast."""
    server = Watched()
    server.watching.called(RequestID("ann", 1), ("SET", "x"))
    server.reactor.advance(0.25)

    server.watching.returned(RequestID("ann", 1), ("SET", "x"), outcome)

    shown = server.samples()
    is_chosen = label == "chosen"
    assert shown[f"requests_total{{SET,{label}}}"] == 1
    assert shown["request_seconds_count{write}"] == is_chosen
    assert shown["request_seconds_sum{write}"] == (0.25 if is_chosen else 0)
    assert shown["request_seconds_count{read}"] == 0


def test_reads_are_measured_apart_from_writes() -> None:
    """A master answers them without a round."""
    server = Watched()
    for name, seconds in (("GET", 0.001), ("CAS", 0.5)):
        server.watching.called(RequestID("ann", 1), (name,))
        server.reactor.advance(seconds)
        server.watching.returned(RequestID("ann", 1), (name,), Chosen(link=4, result=None))

    shown = server.samples()

    assert shown["request_seconds_sum{read}"] == pytest.approx(0.001)
    assert shown["request_seconds_sum{write}"] == pytest.approx(0.5)


def test_a_request_that_is_repeated_while_it_is_in_hand_is_measured_each_time() -> None:
    """A client that has lost its connection asks the same on another one."""
    server = Watched()
    asked = RequestID("ann", 1), ("GET",)
    server.watching.called(*asked)
    server.reactor.advance(1)
    server.watching.called(*asked)
    server.reactor.advance(1)

    server.watching.returned(*asked, Unknown(reason="the connection closed"))
    server.watching.returned(*asked, Chosen(link=4, result="x"))

    shown = server.samples()
    assert shown["requests_total{GET,unknown}"] == shown["requests_total{GET,chosen}"] == 1
    assert shown["request_seconds_sum{read}"] == 1


def test_each_request_of_a_pipeline_is_counted_and_their_time_is_measured_once() -> None:
    """They came together and are answered together; one that writes makes it a write."""
    server = Watched()
    mixed = pack([("SET", "x"), ("GET",), ("SET", "y")], reads=False)
    reads = pack([("GET",), ("GET",)], reads=True)
    for number, (command, outcome) in enumerate(
        (
            (mixed, Chosen(link=4, result=(True, "x", True))),
            (reads, Chosen(link=4, result=("y", "y"))),
            (reads, Refused(reason="busy")),
        )
    ):
        server.watching.called(RequestID("ann", number), command)
        server.reactor.advance(0.25)
        server.watching.returned(RequestID("ann", number), command, outcome)

    shown = server.samples()

    assert shown["requests_total{SET,chosen}"] == shown["requests_total{GET,refused}"] == 2
    assert shown["requests_total{GET,chosen}"] == 3
    assert shown["request_seconds_count{write}"] == shown["request_seconds_count{read}"] == 1
    assert shown["request_seconds_sum{write}"] == 0.25
    assert shown["requests_total{other,chosen}"] == 0
    assert not any("PIPELINE" in name for name in shown if "requests" in name)


def test_no_command_that_does_not_exist_becomes_a_label() -> None:
    """Every label stays in the memory, here and where the metrics are kept."""
    server = Watched()
    for number in range(3):
        server.watching.called(RequestID("ann", number), (f"X{number}",))
        server.watching.returned(RequestID("ann", number), (f"X{number}",), Refused(reason="none"))

    shown = server.samples()

    assert shown["requests_total{other,refused}"] == 3
    assert not any("X1" in name for name in shown)


def test_the_time_of_a_save_is_measured() -> None:
    """From the call to the return, in seconds of the server's clock."""
    server = Watched()
    server.disk.stall = server.stall

    server.driver.start()

    shown = server.samples()
    assert shown["save_seconds_count"] == server.disk.saves > 0
    assert shown["save_seconds_sum"] == pytest.approx(0.3)
    assert shown["save_seconds_bucket{0.25}"] == server.disk.saves - 1
    assert shown["save_seconds_bucket{0.5}"] == server.disk.saves


# ------------------------------------------------------------------------------------------ reading


def test_a_server_shows_where_it_is() -> None:
    """The one server of its cluster has founded the chain, and is ready."""
    server = Watched()
    before = server.samples()
    server.driver.start()

    shown = server.samples()

    assert (before["ready"], before["link_in_progress"]) == (0, 0)
    assert (shown["ready"], shown["link_in_progress"]) == (1, 1)
    assert shown["links_resolved_total"] == 1
    assert any(name.startswith("server_info{main,A,") for name in shown)
    assert shown["connections_open"] == shown["queue_length"] == shown["is_master"] == 0


def test_a_server_without_the_others_shows_what_waits_and_whom_it_misses() -> None:
    """Nobody answers, and the socket is closed."""
    server = Watched(3)
    server.silence = {"B": 2.5, "C": None}
    server.driver.start()
    server.driver.submit(RequestID("ann", 1), ("SET", "x"))

    shown = server.samples()

    assert shown["queue_length"] == 1
    assert shown["peer_silence_seconds{B}"] == 2.5
    assert shown["peer_silence_seconds{C}"] == INFINITE
    assert (
        shown["datagrams_refused_total{unreachable}"] == shown["messages_sent_total{WhereAreYou}"]
    )
    assert shown["messages_sent_total{WhereAreYou}"] == 2


def test_a_master_shows_how_long_its_lease_runs() -> None:
    """And none once it has run out, though its timer has not fired yet."""
    server = Watched(master=True)
    server.driver.start()
    server.reactor.advance(Settings().election_seconds_max)

    master = server.samples()
    server.reactor.rightNow += 100
    late = server.samples()

    assert master["is_master"] == 1
    assert 0 < master["lease_left_seconds{held}"] <= Settings().held_lease_seconds
    assert master["lease_left_seconds{respected}"] == 0
    assert (late["is_master"], late["lease_left_seconds{held}"]) == (0, 0)


def test_connections_of_clients_are_counted_while_they_are_open() -> None:
    """The port itself knows them."""
    server = Watched()
    connection: Any = object()
    server.port.connections.add(connection)
    shown = server.samples()
    server.port.connections.discard(connection)

    assert (shown["connections_open"], server.samples()["connections_open"]) == (1, 0)


# ------------------------------------------------------------------------------------------- health


def test_a_server_is_healthy_until_its_driver_halts() -> None:
    """Then it says why, and is not ready either."""
    server = Watched()
    server.driver.start()
    well = server.monitor.why_not_healthy()
    server.disk.full = True

    server.driver.submit(RequestID("ann", 1), ("SET", "x"))

    assert well is None
    assert server.monitor.why_not_healthy() == (
        "the disk is full: make room and start the server again"
    )
    assert server.monitor.why_not_ready() == server.monitor.why_not_healthy()
    assert server.samples()["ready"] == 0
    assert server.samples()["save_seconds_count"] == server.disk.saves


def test_a_server_that_was_stopped_says_so() -> None:
    """No fault has a name then."""
    server = Watched()
    server.driver.start()

    server.driver.stop()

    assert server.monitor.why_not_healthy() == "it was stopped"


# ---------------------------------------------------------------------------------------- rendering


def test_whoever_asks_for_open_metrics_gets_them() -> None:
    """As Prometheus itself does."""
    server = Watched()
    server.driver.start()

    text, content_type = server.monitor.render("application/openmetrics-text;version=1.0.0,*/*")

    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families: Any = parse_openmetrics(text.decode())  # type: ignore[no-untyped-call]
    names = {family.name for family in families}
    assert {"multipaxos_links_resolved", "multipaxos_server", "multipaxos_save_seconds"} <= names


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "text/plain; version=new", "\xff;;=,;"])
def test_everybody_else_gets_plain_text(accept: str) -> None:
    """Also who asks for what is none."""
    text, content_type = Watched().monitor.render(accept)

    assert content_type.startswith("text/plain; version=")
    assert text.startswith(b"# HELP multipaxos_")


def test_a_version_that_is_none_is_no_fault() -> None:
    """Which of the formats it brings is up to the library."""
    text, _ = Watched().monitor.render("application/openmetrics-text; version=new")

    assert text.startswith(b"# HELP multipaxos_")


def test_every_server_of_a_process_has_its_own_metrics() -> None:
    """And none are in the registry that all of a process share: that is the program's own."""
    one, other = Watched(), Watched()
    one.driver.start()

    assert one.samples()["links_resolved_total"] == 1
    assert other.samples()["links_resolved_total"] == 0
    assert not any(family.name.startswith("multipaxos") for family in REGISTRY.collect())


# -------------------------------------------------------------------------------------- on and off


def test_the_monitor_listens_at_its_address_until_it_is_closed() -> None:
    """There is no other port."""
    server = Watched()
    assert list(server.listening) == [HTTP]

    server.monitor.close()

    assert server.listening == {}


def test_trace_and_metrics_both_see_everything() -> None:
    """The trace first."""
    server = Watched()
    trace = TraceObserver("A", lambda: 0.0, [])

    watching = server.monitor.watching(trace)

    assert watching.timer_set == trace.timer_set
    assert server.watching.called == server.monitor.metrics.called


def test_without_an_address_nothing_stands_between_the_server_and_its_ports() -> None:
    """What is not measured costs nothing."""
    off = Unmonitored()
    storage = SimulatedDisk().open()
    silence = Silence()

    assert off.watching(silence) is silence
    assert off.timed(storage) is storage


def test_a_server_without_metrics_imports_none_of_what_they_need() -> None:
    """Nor does the command line wait for it."""
    heavy = ("prometheus_client", "twisted.web")
    program = (
        "import sys, multipaxos.runtime.process, multipaxos.cli.server;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert printed.stdout == b"[]\n"
