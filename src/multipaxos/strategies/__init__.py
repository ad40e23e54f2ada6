"""Strategies: mixins over the passive replicated value, one concern and one file each."""
