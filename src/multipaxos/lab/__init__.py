"""
The lab: runs to be seen, stepped through, and changed by hand.

Python plays a script and explains its trace; the page draws it and sends commands. Read it in this
order: play, judging, forking, explain, trusted, run; catalogue, gallery, game; export, as_scenario,
as_test, notebook; live, web. Only web opens a socket, and only the page draws.
"""

from multipaxos.lab.notebook import Simulation, SimulationRun

__all__ = ["Simulation", "SimulationRun"]
