"""The commands of a script that strike servers, and the one that shows them."""

from composable_paxos import LOWEST
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.disk import Cut
from multipaxos.simulation.stage.base import BadCommandError, StageBase
from multipaxos.trace import describe_link, describe_state, plain

READINGS_MAX = 1000


class ServerCommands(StageBase):
    """Crashes, starts, pauses and stalls servers; fills their disks; shows them."""

    def crash(self, rest: str) -> None:
        """``crash B``: now; ``crash B before save``, ``crash B after save``: at its next save."""
        uid, _, when = rest.partition(" ")
        self._check_uid(uid)
        if when:
            try:
                self.cluster.cut_at_save(uid, Cut(when))
            except ValueError as error:
                raise BadCommandError(
                    "write: crash B, crash B before save, or: ... after save"
                ) from (error)
        else:
            self.cluster.crash(uid)

    def restart(self, rest: str) -> None:
        """``restart B``: from its disk."""
        self.cluster.restart(self._uid(rest))

    def wipe(self, rest: str) -> None:
        """``wipe B``: it loses its state file; it must be down."""
        uid = self._uid(rest)
        if self.cluster.servers[uid].up:
            raise BadCommandError(f"{uid} is running: crash it first")
        self.cluster.wipe(uid)

    def pause(self, rest: str) -> None:
        """``pause A``: its events wait, its clock goes on."""
        self.cluster.pause(self._uid(rest))

    def resume(self, rest: str) -> None:
        """``resume A``: what waited comes first."""
        self.cluster.resume(self._uid(rest))

    def stall(self, rest: str) -> None:
        """``stall A 12s at reading 2``: it stops for 12 s at the second look at its clock."""
        match rest.split():
            case [uid, duration, "at", "reading", count]:
                self._check_uid(uid)
                number = self._count(count, 1, READINGS_MAX, "the number of a reading")
                self.cluster.stall_at_reading(uid, number, self._seconds(duration))
            case _:
                raise BadCommandError("write: stall SERVER 12s at reading 2")

    def disk_full(self, rest: str) -> None:
        """``disk-full A``: the next save fails."""
        self.cluster.fill_disk(self._uid(rest))

    def disk_ok(self, rest: str) -> None:
        """``disk-ok A``: there is room again."""
        self.cluster.mend_disk(self._uid(rest))

    def show(self, rest: str) -> None:
        """``show``: each server's link, value, disk, and whether it trusts a lease of its own."""
        self._no_more(rest)
        self._tell()
        self.lines.extend(describe_servers(self.cluster))


def describe_servers(cluster: SimulatedCluster) -> list[str]:
    """Return a line for each server: where it is, what is on its disk."""
    lines = []
    for server in cluster.servers.values():
        state = server.disk.state
        words = ["up" if server.up else "down"]
        if state is None:
            words.append("no state file")
        else:
            words.append(
                f"disk: at link {state.instance}, {describe_state(plain(state.snapshot.value))}"
            )
            if state.acceptor.promised_id > LOWEST:
                words.append(f"promised {state.acceptor.promised_id}")
            if state.acceptor.accepted_id > LOWEST:
                link = describe_link(plain(state.acceptor.accepted_value))
                words.append(f"accepted {state.acceptor.accepted_id} {link}")
            if state.snapshot.master is not None:
                words.append(f"the chain names {state.snapshot.master.uid} master")
        if server.trusts_lease:
            words.append("TRUSTS ITS LEASE")
        lines.append(f"  | {server.uid} {', '.join(words)}")
    return lines
