"""Where the columns of a diagram stand in a terminal of some width."""

from collections.abc import Mapping
from dataclasses import dataclass

from multipaxos.trace.diagram.steps import Scene
from multipaxos.trace.diagram.words import name_words

WIDTH_MIN = 60
WIDTH_MAX = 400
SERVER_GAP_MIN = 6
CLIENT_GAP_MIN = 12
CLIENT_GAP_WANTED = 16
SHARED = "clients"
"""The name of the column that all clients share, where there is no room for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    The *columns* by name, the times to their left in *gutter* columns, *width* in all.

    Where clients share a column, each name leads to it.
    """

    width: int
    gutter: int
    columns: Mapping[str, int]
    heads: Mapping[int, str]
    shares_clients: bool

    def neighbours(self, column: int) -> tuple[int, int]:
        """Return the columns next to *column*, left and right; the edges, where there is none."""
        left = max((c for c in self.columns.values() if c < column), default=self.gutter - 2)
        right = min((c for c in self.columns.values() if c > column), default=self.width + 1)
        return left, right


def lay_out(scene: Scene, *, width: int) -> Layout:
    """Return the layout of *scene* in *width* columns; narrower than it can be, it stays wider."""
    gutter = _gutter(scene)
    servers, clients = scene.servers, scene.clients
    needed = (len(servers) - 1) * SERVER_GAP_MIN + CLIENT_GAP_MIN * bool(clients)
    width = max(width, WIDTH_MIN, gutter + 4 + needed)
    shares = len(clients) > 1 and not _has_room_for_each(scene, width - gutter)
    shown = [SHARED] if shares else [name_words(client) for client in clients]
    spare = width - gutter - 3
    gaps = max(1, len(servers) - 1)
    client_gap = 0
    if shown:
        # The servers talk more than the clients: these get more room only where all have enough.
        client_gap = max(CLIENT_GAP_MIN, min(CLIENT_GAP_WANTED, spare // (gaps + len(shown))))
    first = gutter + 1 + client_gap * len(shown)
    columns = {name: gutter + 1 + client_gap * place for place, name in enumerate(shown)}
    heads = {column: name for name, column in columns.items()}
    by_client = dict.fromkeys(clients, gutter + 1) if shares else {}
    if not shares:
        by_client = {client: columns[name_words(client)] for client in clients}
    by_server = {
        uid: first + round(place * (width - 2 - first) / gaps) for place, uid in enumerate(servers)
    }
    heads |= {column: name_words(uid) for uid, column in by_server.items()}
    return Layout(
        width=width,
        gutter=gutter,
        columns={**by_client, **by_server},
        heads=heads,
        shares_clients=shares,
    )


def _has_room_for_each(scene: Scene, room: int) -> bool:
    wanted = 3 * CLIENT_GAP_WANTED // 2
    return room >= wanted * (len(scene.servers) + len(scene.clients) - 1)


def _gutter(scene: Scene) -> int:
    if scene.untimed or not scene.steps:
        return 0
    longest = max(len(scene.time(step.seconds)) for step in scene.steps)
    return longest + 1
