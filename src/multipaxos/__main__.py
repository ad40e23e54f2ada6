"""Run the commands: ``python -m multipaxos`` is ``multipaxos``."""

from multipaxos.cli import main

main(prog_name="multipaxos")
