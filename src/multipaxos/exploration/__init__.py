"""Exhaustive exploration: every order of events of a small run, the shortest disaster first."""
