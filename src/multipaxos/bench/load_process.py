"""
A load process: ``python -m multipaxos.bench.load_process``.

It reads a plan from standard input, as a line of JSON, connects, and says ``ready``. A second line
makes it begin. Then it tells how far it is, and what came of it, an object a line.
"""

import json
import select
import sys

import msgspec

from multipaxos.bench.loader import Loader, NotConnectedError
from multipaxos.bench.plan import LoadPlan
from multipaxos.runtime.file_limit import make_room_for


def main() -> None:
    """Play one plan."""
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=LoadPlan)
    try:
        _make_room(plan.load.clients)
        loader = Loader(plan, report=_report, is_orphan=_is_orphan)
        loader.connect()
    except (OSError, NotConnectedError) as error:
        _tell({"failed": str(error)})
        return
    _tell({"ready": True})
    if sys.stdin.buffer.readline():
        result = loader.run()
        _tell({"result": msgspec.to_builtins(result, str_keys=True)})


def _make_room(clients: int) -> None:
    granted = make_room_for(clients)
    if granted < clients:
        raise NotConnectedError(
            f"the system lets a process have {granted} connections, not {clients}: see ulimit -n, "
            "or take more processes"
        )


def _report(answers: int, errors: int) -> None:
    _tell({"answers": answers, "errors": errors})


def _is_orphan() -> bool:
    """Tell whether whoever started this process closed its standard input, or is gone."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def _tell(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
