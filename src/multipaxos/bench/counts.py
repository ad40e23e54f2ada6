"""What servers count of themselves, read from their metrics."""

from dataclasses import dataclass, fields
from http.client import HTTPConnection, HTTPException

from prometheus_client.parser import text_string_to_metric_families

from multipaxos.bench.plan import Endpoint

ANSWER_SECONDS_MAX = 10.0


class CountsError(Exception):
    """The metrics of a server cannot be had; the message is a sentence without its full stop."""


@dataclass(frozen=True, slots=True)
class Counts:
    """
    What servers did since they started, or in a span of time.

    *answers* are the requests of clients that were chosen.
    """

    answers: int = 0
    saves: int = 0
    messages: int = 0
    links: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            *(getattr(self, each.name) - getattr(other, each.name) for each in fields(self))
        )


def read_counts(text: str) -> Counts:
    """Return what *text*, in Prometheus' format, says."""
    answers = saves = messages = links = 0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            match sample.name, sample.labels.get("outcome"):
                case "multipaxos_requests_total", "chosen":
                    answers += int(sample.value)
                case "multipaxos_save_seconds_count", _:
                    saves += int(sample.value)
                case "multipaxos_messages_sent_total", _:
                    messages += int(sample.value)
                case "multipaxos_links_resolved_total", _:
                    links += int(sample.value)
    return Counts(answers, saves, messages, links)


def counts_at(endpoint: Endpoint) -> Counts:
    """Ask the server whose metrics are at *endpoint*; CountsError if it does not say."""
    connection = HTTPConnection(*endpoint, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", "/metrics")
        return read_counts(connection.getresponse().read().decode())
    except (OSError, HTTPException, ValueError) as error:
        raise CountsError(f"no metrics at {endpoint[0]}:{endpoint[1]}: {error}") from error
    finally:
        connection.close()
