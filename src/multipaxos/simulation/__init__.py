"""
The simulated twins of the runtime's ports, and a whole cluster on them.

Read it in this order: clock, network, disk, cluster, invariants, scenario. Nothing here knows the
protocol: it runs the same classes, through the same driver, as a real server does.
"""
