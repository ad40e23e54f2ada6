"""The lab's page, as a command serves it."""

import sys
from typing import TYPE_CHECKING, Any

import click

from multipaxos.cli.browser import open_browser
from multipaxos.cli.entry import FailedError

if TYPE_CHECKING:
    from multipaxos.lab.web.service import Service


def open_lab(service: "Service", port: int, *, opens_browser: bool, notice: str) -> Any:
    """
    Let *service* listen on *port*, 0: a free one; print its link and a *notice*.

    Returns the reactor, which is to run. Raises FailedError.
    """
    from twisted.internet import reactor
    from twisted.internet.error import CannotListenError

    from multipaxos.lab.web.port import LabPort, why_not_listening

    loop: Any = reactor
    try:
        listening = LabPort(service, reactor=loop, port=port)
    except CannotListenError as error:
        raise FailedError(why_not_listening(error, port)) from error
    click.echo(f"The lab is at {listening.link}")
    click.echo(notice)
    sys.stdout.flush()
    if opens_browser:
        loop.callInThread(open_browser, listening.link)
    loop.addSystemEventTrigger("before", "shutdown", listening.close)
    return loop
