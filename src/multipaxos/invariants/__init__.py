"""
The invariants: what must hold whatever happens, checked from outside.

Every engine is held against them; nothing here uses the protocol's own logic.
"""
