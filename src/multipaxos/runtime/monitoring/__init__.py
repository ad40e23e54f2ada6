"""
What a server tells over HTTP, if it is asked to: its metrics, its health, whether it is ready.

Read it in this order: choice, metrics, readings, health, http_port; monitor puts them together.
"""
