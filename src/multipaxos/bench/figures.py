"""The figures as plots: throughput against latency, and latency over time."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from multipaxos.bench.measurement import Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

FORMATS = ("svg", "png")
COLUMNS = 3
CURVES = {"longest": "#999999", "p99": "#d55e00", "p50": "#0072b2"}
"""The latencies over time and their colours; what is drawn later lies above."""
RATE_COLOUR = "#cce5dd"
KILL_COLOUR = "#cc0000"


class NoPlotsError(Exception):
    """There is nothing to plot with; the message is a sentence."""


def check_plots() -> None:
    """Look whether plots can be made; NoPlotsError if not."""
    try:
        import_module("matplotlib")
    except ImportError as error:
        raise NoPlotsError(
            "There are no plots without matplotlib: pip install 'multipaxos[bench]'."
        ) from error


def write_plots(directory: Path, measurements: Sequence[Measurement]) -> list[Path]:
    """Write all plots to *directory*, each in all formats; return the files. NoPlotsError: none."""
    check_plots()
    plain = [one for one in measurements if one.failover is None]
    figures = {}
    if plain:
        figures["throughput"] = throughput_figure(plain)
        figures["over-time"] = over_time_figure(plain)
    failovers = [one for one in measurements if one.failover is not None]
    if failovers:
        figures["failover"] = over_time_figure(failovers, columns=1)
    written = []
    for name, figure in figures.items():
        for kind in FORMATS:
            path = directory / f"{name}.{kind}"
            # Without a date the same figures make the same file.
            figure.savefig(path, metadata={"Date": None} if kind == "svg" else None, dpi=120)
            written.append(path)
    return written


def throughput_figure(measurements: Sequence[Measurement]) -> "Figure":
    """Plot throughput against latency: a line for each cluster and pipeline, a dot for clients."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only who plots needs it

    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.add_subplot()
    for place, (title, line) in enumerate(_lines(measurements).items()):
        colour = f"C{place}"
        rates = [one.requests_per_second for one in line]
        p50 = [_ms(one.latency.p50) for one in line]
        p99 = [_ms(one.latency.p99) for one in line]
        axes.plot(rates, p50, "o-", color=colour, label=f"{title}: p50")
        axes.plot(rates, p99, "^--", color=colour, alpha=0.6, label=f"{title}: p99")
        for one, rate, latency in zip(line, rates, p50, strict=True):
            axes.annotate(
                f"{one.load.clients}",
                (rate, latency),
                textcoords="offset points",
                xytext=(4, 5),
                fontsize=8,
            )
    axes.set(xscale="log", yscale="log", xlabel="requests/s", ylabel="latency in ms")
    axes.set_title("Throughput against latency; the numbers are clients")
    axes.grid(visible=True, which="both", alpha=0.25)
    _write_plain_numbers(axes.xaxis, axes.yaxis)
    figure.legend(fontsize=8, loc="outside right upper")
    return figure


def over_time_figure(measurements: Sequence[Measurement], *, columns: int = COLUMNS) -> "Figure":
    """Plot latency over time, one plot for each load, with the failover if there was one."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only who plots needs it

    columns = min(columns, len(measurements))
    rows = -(-len(measurements) // columns)
    width = 10.0 if columns == 1 else 5.0 * columns
    figure = Figure(figsize=(width, (4.5 if columns == 1 else 3.0) * rows), layout="constrained")
    for place, one in enumerate(measurements):
        _plot_over_time(figure.add_subplot(rows, columns, place + 1), one)
    return figure


def _plot_over_time(axes: "Axes", one: Measurement) -> None:
    seconds = [each.second for each in one.slices]
    rates = axes.twinx()
    rates.fill_between(
        seconds,
        [each.requests_per_second for each in one.slices],
        color=RATE_COLOUR,
        step="post",
        label="requests/s",
    )
    rates.set_ylabel("requests/s", fontsize=8)
    rates.set_ylim(bottom=0)
    # The latencies stand before the rates.
    axes.set_zorder(rates.get_zorder() + 1)
    axes.patch.set_visible(False)
    for name, colour in CURVES.items():
        latencies = [_ms(getattr(each.latency, name)) for each in one.slices]
        label = "max" if name == "longest" else name
        axes.plot(seconds, latencies, ".-", color=colour, linewidth=1, markersize=3, label=label)
    if one.failover is not None:
        began, gap = one.failover.gap_began_seconds, one.failover.gap_seconds
        axes.axvline(
            one.failover.killed_seconds,
            color=KILL_COLOUR,
            label=f"{one.failover.killed} is killed",
        )
        axes.axvspan(
            began,
            began + gap,
            color=KILL_COLOUR,
            alpha=0.12,
            label=f"{gap:.2f} s without an acknowledged write",
        )
    axes.set(yscale="log", xlabel="seconds", ylabel="latency in ms")
    servers = "" if one.servers is None else f"{one.servers} servers, "
    axes.set_title(f"{servers}{one.load.title}", fontsize=9)
    _write_plain_numbers(axes.yaxis)
    axes.legend(fontsize=7, loc="best")


def _write_plain_numbers(*logarithmic: "Axis") -> None:
    """Write 1, 2, 5, 10, 20 instead of powers of ten: figures rarely span many of these."""
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 - only who plots needs it

    for axis in logarithmic:
        axis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
        axis.set_major_formatter("{x:,g}")
        axis.set_minor_formatter("{x:,g}")
        axis.set_tick_params(which="both", labelsize=8)


def _lines(measurements: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    """Return the measurements that make a line, by its title, with ever more clients."""
    lines: dict[str, list[Measurement]] = {}
    for one in sorted(measurements, key=lambda one: one.load.clients):
        servers = "" if one.servers is None else f"{one.servers} servers, "
        title = f"{servers}{one.load.reads:.0%} reads, {one.load.pipeline} at a time"
        lines.setdefault(title, []).append(one)
    return lines


def _ms(seconds: float | None) -> float:
    return float("nan") if seconds is None else seconds * 1e3
