"""
A running cluster of real processes: seen as it happens, and troubled by hand.

Read it in this order: tail, stream, wishes, cluster.
"""

from multipaxos.lab.live.cluster import LiveCluster, Processes

__all__ = ["LiveCluster", "Processes"]
