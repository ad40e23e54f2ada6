"""``multipaxos cluster``: several servers in one terminal."""

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import click
from rich.text import Text

from multipaxos.cli.entry import EXIT_FAILED, BadInputError, OutputLostError
from multipaxos.cli.lab import PORT, PORT_MAX
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import (
    WholeNumber,
    bad_config_refused,
    config_option,
    data_option,
    read_config,
    refuse_page_options,
    state_option,
    transport_option,
)
from multipaxos.cli.processes import (
    POLL_SECONDS,
    ServerProcess,
    end_all,
    interrupt_at_end,
    write_config,
)
from multipaxos.cli.server_lines import end_of, start_on
from multipaxos.composition import compose, describe, strategy_names
from multipaxos.runtime.config import SERVERS_MAX, Config, built_in_config
from multipaxos.trace.console import stack_lines

BUILT_IN_SERVERS = 3
PEER_PORTS = 7100
CLIENT_PORTS = 7000
"""Another number of servers has ports of its own: five take 7051 to 7055, and 7151 to 7155."""


@click.command(short_help="Run a whole cluster on this machine.")
@click.option(
    "--servers",
    metavar="N",
    type=WholeNumber(1, SERVERS_MAX),
    help=f"How many servers, 1 to {SERVERS_MAX}; without it {BUILT_IN_SERVERS}.",
)
@click.option("--master", is_flag=True, help="Let the servers seek master leases.")
@config_option
@data_option
@click.option("--storage", type=click.Choice(["sqlite", "json"]), default="sqlite")
@state_option
@transport_option
@click.option("--quiet", is_flag=True, help="Do not print the traffic.")
@click.option(
    "--lab", "with_lab", is_flag=True, help="Show the cluster in the browser, with faults at hand."
)
@click.option(
    "--port",
    metavar="N",
    type=WholeNumber(0, PORT_MAX),
    default=PORT,
    help=f"With --lab: listen on this port of 127.0.0.1; without it {PORT}. 0 finds a free one.",
)
@click.option("--no-browser", is_flag=True, help="With --lab: print the link, open no browser.")
def cluster(  # noqa: PLR0917 - click passes them by name
    servers: int | None,
    master: bool,
    config_path: Path | None,
    directory: Path | None,
    storage: str,
    state: str,
    transport: str,
    quiet: bool,
    with_lab: bool,
    port: int,
    no_browser: bool,
) -> None:
    """
    Run a whole cluster on this machine until Ctrl+C.

    Each server is a process of its own, and each line says whose it is. If one of them ends, the
    others go on. With --lab, a page shows what they do, and can kill, pause and start them again,
    and lose, delay and cut their messages.
    """
    if servers is not None and config_path is not None:
        raise BadInputError(
            "--config says already how many servers there are: leave --servers out."
        )
    if not with_lab:
        refuse_page_options(
            "{option} is about the page that --lab shows: add --lab, or leave {option} out."
        )
    config, options = _prepare(servers, config_path, directory)
    # All have the same strategies: they are printed once, here.
    options += ["--storage", storage, "--state", state, "--transport", transport, "--brief"]
    options += ["--master"] * master + ["--quiet"] * quiet
    if with_lab:
        from multipaxos.cli.cluster_lab import run_with_lab

        sys.exit(run_with_lab(config, options, state, port=port, opens_browser=not no_browser))
    interrupt_at_end()
    sys.exit(_Cluster(config, options, strategy_names(master=master)).run())


def _prepare(
    servers: int | None, config_path: Path | None, directory: Path | None
) -> tuple[Config, list[str]]:
    """Return the cluster and the options that tell each server of it."""
    if config_path is not None:
        options = ["--config", str(config_path)]
        return read_config(config_path), options + _data_option(directory)
    if servers in (None, BUILT_IN_SERVERS):
        return read_config(None), _data_option(directory)
    # Another number of servers is another cluster: its state must not be taken for that of three.
    from multipaxos.runtime.storage import default_directory

    assert servers is not None
    with bad_config_refused():
        config = built_in_config(
            servers,
            cluster=f"main-of-{servers}",
            peer_port=PEER_PORTS + 10 * servers + 1,
            client_port=CLIENT_PORTS + 10 * servers + 1,
        )
    directory = directory or default_directory(config.cluster)
    path = directory / "cluster.toml"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_config(path, config)
    except OSError as error:
        raise BadInputError(f"Cannot write {path}: {error.strerror}.") from error
    click.echo(f"The other commands find this cluster with: --config {path}")
    return config, ["--config", str(path), *_data_option(directory)]


def _data_option(directory: Path | None) -> list[str]:
    return [] if directory is None else ["--data", str(directory)]


class _Cluster:
    """
    The servers as child processes, and the one output that they share.

    State: the error that ended the output, if one did.
    """

    def __init__(self, config: Config, options: Sequence[str], strategies: Sequence[str]) -> None:
        self.config = config
        self.strategies = strategies
        self.options = options
        self.console = open_console()
        self._lock = Lock()
        self._output_error: OSError | None = None

    def run(self) -> int:
        """Start all, wait for their end or ours; return the exit code."""
        children: list[ServerProcess] = []
        try:
            self._introduce()
            children.extend(
                start_on(self.console, uid, self.options, on_line=self._write)
                for uid in self.config.servers
            )
            self._watch(children)
        except KeyboardInterrupt:
            # A second Ctrl+C must not keep us from ending the children.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return 0
        finally:
            end_all(children)
        if self._output_error is not None:
            raise OutputLostError("The cluster stops: its output", self._output_error)
        return EXIT_FAILED

    def _introduce(self) -> None:
        servers = ", ".join(self.config.servers)
        self._write(Text(f"cluster {self.config.cluster}: servers {servers}", style="bold"))
        for line in stack_lines(describe(compose(self.strategies)), self.console):
            self._write(line)

    def _watch(self, children: Sequence[ServerProcess]) -> None:
        running = list(children)
        while running and self._output_error is None:
            for child in [child for child in running if child.exit_code is not None]:
                running.remove(child)
                assert child.exit_code is not None
                self._write(end_of(child.uid, child.exit_code))
            time.sleep(POLL_SECONDS)

    def _write(self, line: Text) -> None:
        with self._lock:
            try:
                self.console.print(line)
            except OSError as error:
                self._output_error = error
