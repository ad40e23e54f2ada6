"""The root of all errors that this project raises on purpose; every layer may import it."""


class MultipaxosError(Exception):
    """What went wrong, as a sentence for the person who has to deal with it."""
