"""
The simulated twins of the runtime's ports, and a whole cluster on them.

Read it in this order: clock, network, disk, server, cluster,
observers; calls, clients, faults, random_run; narration, scenario. Nothing here knows the protocol:
it runs the same classes, through the same driver, as a real server does.
"""
