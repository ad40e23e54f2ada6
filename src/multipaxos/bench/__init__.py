"""The benchmark: what it asks of servers, who asks, and what is made of the answers."""
