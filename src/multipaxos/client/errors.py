"""
What a client can meet, as one tree: catch the branch that you can deal with.

::

    MultipaxosError
    └── ClientError
        ├── BadArgumentError       an address, a time or a name makes no sense (also a ValueError)
        ├── NotReachableError      nobody could be asked: certainly nothing was done
        ├── AuthenticationError    the password is missing or wrong: nothing was done
        ├── OtherServerError       somebody else answers there: nothing was done
        ├── ProtocolError          what answers is no server of this kind or version
        ├── NoReplyError           a question was sent and not answered
        ├── ClosedError            this client was closed before
        └── OutcomeError           a request came to an outcome without a result:
            ├── RefusedError           it is in no link of the chain and will be in none
            ├── CommandError           the command cannot be done, for the reason given
            └── UnknownOutcomeError    it may have been done, or may be done later
"""

from multipaxos.errors import MultipaxosError


class ClientError(MultipaxosError):
    """What a client can meet; the message is a sentence."""


class BadArgumentError(ClientError, ValueError):
    """An address, a time or a name that makes no sense; nothing was sent."""


class NotReachableError(ClientError):
    """No server could be reached; nothing was sent."""


class AuthenticationError(ClientError):
    """The servers ask for a password, and got none or a wrong one; they did nothing."""


class OtherServerError(ClientError):
    """What answers is a server, but another than the one that was meant; it served nothing."""


class ProtocolError(ClientError):
    """What answers is no server of ours, or one of another version."""


class NoReplyError(ClientError):
    """The request was sent, at least in part, and no reply came: what became of it is unknown."""


class ClosedError(ClientError):
    """The client was closed; it sends nothing any more."""


class OutcomeError(ClientError):
    """A request came to an outcome that has no result; the message is the reason."""


class RefusedError(OutcomeError):
    """The request is in no link of the chain and will be in none."""


class CommandError(OutcomeError):
    """The command cannot be done: it has another form, or what it works on has."""


class UnknownOutcomeError(OutcomeError):
    """
    The request may have been done, or may be done later: nobody answered in time.

    Read before you decide to do it again.
    """
