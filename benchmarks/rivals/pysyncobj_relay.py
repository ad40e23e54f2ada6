"""Carries plan and results to a leader's socket and back: ``pysyncobj_relay.py SOCKET``."""

import os
import select
import socket
import sys

BYTES = 1 << 16


def main() -> None:
    """Carry until the leader has told everything."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(sys.argv[1])
        sources = [sys.stdin.fileno(), link.fileno()]
        while True:
            for source in select.select(sources, [], [])[0]:
                data = os.read(source, BYTES)
                if source == link.fileno():
                    if not data:
                        return
                    os.write(sys.stdout.fileno(), data)
                elif data:
                    link.sendall(data)
                else:
                    link.shutdown(socket.SHUT_WR)
                    sources.remove(source)


if __name__ == "__main__":
    main()
