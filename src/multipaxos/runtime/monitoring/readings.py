"""What is read off a server at the moment somebody asks for its metrics: nobody keeps a copy."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from math import inf

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from multipaxos.chain.effects import Timer
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.monitoring.choice import Monitored


class Readings(Collector):
    """The gauges of one *server*."""

    def __init__(self, server: Monitored, *, is_ready: Callable[[], bool]) -> None:
        """Ask *server* and *is_ready*, each time anew."""
        self._server = server
        self._is_ready = is_ready

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield all metrics that are no counts of events."""
        server, replica = self._server, self._server.replica
        held_seconds = 0.0 if replica.lease is None else self._seconds_left(replica.lease)
        yield self._identity()
        yield _gauge("ready", "Whether it can decide with the others: 1 or 0.", self._is_ready())
        yield _gauge("link_in_progress", "The link that it works on.", replica.instance)
        yield _gauge("queue_length", "Updates that wait here.", len(replica.queue))
        yield _gauge("connections_open", "Connections of clients.", len(server.port.connections))
        yield _gauge("is_master", "Whether its lease as master runs: 1 or 0.", held_seconds > 0)
        yield _labelled(
            "lease_left_seconds",
            "For how long it trusts its own lease, and respects that of another.",
            "kind",
            {"held": held_seconds, "respected": self._seconds_left(Timer.FOREIGN_LEASE)},
        )
        yield _labelled(
            "peer_silence_seconds",
            "How long ago another server was heard of; infinite if it never was.",
            "peer",
            {uid: inf if ago is None else ago for uid, ago in server.silence_seconds().items()},
        )
        yield self._datagrams_refused()
        yield _gauge(
            "fault_layer", "Whether it was started for the lab: 1 or 0.", server.faulty is not None
        )

    def _identity(self) -> Metric:
        about = {
            "cluster": self._server.cluster,
            "server": self._server.uid,
            "version": version("multipaxos"),
        }
        return InfoMetricFamily("multipaxos_server", "Which server this is.", about)

    def _seconds_left(self, timer: Timer) -> float:
        return max(0.0, self._server.driver.seconds_left(timer))

    def _datagrams_refused(self) -> Metric:
        family = CounterMetricFamily(
            "multipaxos_datagrams_refused",
            "What was no message to this server, or could not be sent, by reason.",
            labels=["reason"],
        )
        for reason in Refusal:
            family.add_metric([reason.value], self._server.messenger.refused[reason])
        return family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"multipaxos_{name}", text, value)


def _labelled(name: str, text: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"multipaxos_{name}", text, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family
