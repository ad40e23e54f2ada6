"""
The root of all errors that a program may meet; every layer may import it.

::

    MultipaxosError
    ├── ClientError                what a client can meet: see multipaxos.client.errors
    ├── NotRunningError            the embedded server was not started, or has stopped
    ├── NotStartedError            a server cannot start: an address is taken, say
    ├── ConfigError                the configuration makes no sense
    ├── StorageError               the state cannot be read, or made durable
    ├── UnknownMachineError        there is no such state machine (also a ValueError)
    ├── LockLostError              a lock is not held, or no longer
    └── TraceError and others      what the tools for traces and runs refuse
"""


class MultipaxosError(Exception):
    """What went wrong, as a sentence for the person who has to deal with it."""
