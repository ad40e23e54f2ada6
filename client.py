"""Propose a value: ``python client.py A VALUE`` is ``multipaxos client A VALUE``."""

import sys

try:
    from multipaxos.cli import main
except ModuleNotFoundError as missing:
    sys.stderr.write(
        f'This Python has no module {missing.name}: run "make demo" once and then use '
        ".venv/bin/python, or: pip install .\n"
    )
    sys.exit(2)

if __name__ == "__main__":
    main(["client", *sys.argv[1:]], prog_name="multipaxos")
