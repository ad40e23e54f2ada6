"""Multi-Paxos: a chain of Paxos instances, one after the other, that keeps one value replicated."""
