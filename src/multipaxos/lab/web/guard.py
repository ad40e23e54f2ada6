"""
Who may ask: the page that this server handed out, and nobody else.

Any page in the browser can send requests to this machine. So a request must name this host (or
another name was made to point here), must not come from another page, and must know the token that
stands in the link.
"""

import secrets
from dataclasses import dataclass, field

TOKEN_BYTES = 24


@dataclass(slots=True, kw_only=True)
class Guard:
    """Knows the *port* that is listened on, and the *token* of this run of the server."""

    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES))

    @property
    def link(self) -> str:
        """The link that opens the page."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def why_not_served(self, *, host: str | None, origin: str | None) -> str | None:
        """Return why a request with these headers is not served; None if it is."""
        if host not in self._hosts():
            return f"This is the lab at 127.0.0.1:{self.port}; you asked for another host."
        if origin is not None and origin not in {f"http://{name}" for name in self._hosts()}:
            return "The lab answers its own page only."
        return None

    def is_known(self, token: str | None) -> bool:
        """Tell whether *token* is the one in the link."""
        return token is not None and secrets.compare_digest(token.encode(), self.token.encode())

    def _hosts(self) -> tuple[str, str]:
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
