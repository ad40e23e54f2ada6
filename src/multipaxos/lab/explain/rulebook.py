"""All rules, by id."""

from multipaxos.lab.explain.rules import by_id
from multipaxos.lab.explain.rules_of_learning import RULES_OF_LEARNING
from multipaxos.lab.explain.rules_of_leases import RULES_OF_LEASES
from multipaxos.lab.explain.rules_of_processes import RULES_OF_PROCESSES
from multipaxos.lab.explain.rules_of_rounds import RULES_OF_ROUNDS
from multipaxos.lab.explain.rules_of_votes import RULES_OF_VOTES

RULES = by_id(
    RULES_OF_VOTES, RULES_OF_ROUNDS, RULES_OF_LEARNING, RULES_OF_LEASES, RULES_OF_PROCESSES
)
"""Every rule that an event of a trace may be explained by."""
