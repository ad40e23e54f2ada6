"""The steps of the demo. Each tells what happens, lets it happen, and verifies that it did."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from multipaxos.cli.demo_cluster import UIDS, DemoCluster, check, masters
from multipaxos.cli.narration import Narrator

Step: TypeAlias = Callable[[DemoCluster, Narrator], None]

FIRST = "hello"
SECOND = "two of three are enough"
THIRD = "one round trip"
FOURTH = "the chain goes on"


def found_a_chain(cluster: DemoCluster, narrator: Narrator) -> None:
    """Start three servers without any state."""
    narrator.say(
        "A server without state may have promised something and forgotten it, so it votes on "
        "nothing. It asks the others first. Here all are new: they found a chain."
    )
    cluster.start(*UIDS)
    for uid in UIDS:
        cluster.wait_for_status(uid, lambda found: bool(found["chain"]), f"{uid} knows the chain")
    narrator.excerpt(cluster.output("A", "founds", "link 0 ="))
    chains = {uid: (cluster.status(uid) or {}).get("chain") for uid in UIDS}
    check(len(set(chains.values())) == 1, f"all keep one chain: {chains}")
    narrator.found(f"A, B and C keep chain {chains['A']}.")


def choose_a_value(cluster: DemoCluster, narrator: Narrator) -> None:
    """Propose a value through A, read it through all."""
    narrator.say(
        f'A client asks A for "{FIRST}". Phase 1: A prepares proposal 2.A, and the others promise '
        "to ignore lower ones. Phase 2: A asks them to accept. As soon as two of three have, the "
        "value is chosen, for ever."
    )
    link = cluster.propose("A", FIRST)
    narrator.excerpt(cluster.output_of_link("A", link))
    read = {uid: cluster.get(uid) for uid in UIDS}
    check(set(read.values()) == {FIRST}, f"all servers read it: {read}")
    narrator.found(f'Link {link} holds "{FIRST}"; a client of A, of B, and of C reads it.')


def let_one_win(cluster: DemoCluster, narrator: Narrator) -> None:
    """Let two clients at once change the same value into theirs."""
    narrator.say(
        f'Two clients, of A and of C, have read "{FIRST}", and each wants to change that into its '
        "own. Compare and set: the chain puts them in an order, so the second one finds another "
        "value, and changes nothing."
    )
    uids = ("A", "C")
    with ThreadPoolExecutor() as clients:
        asked = [
            clients.submit(cluster.compare_and_set, uid, FIRST, f"{uid} was first") for uid in uids
        ]
        won = [uid for uid, each in zip(uids, asked, strict=True) if each.result()]
    check(len(won) == 1, f"one of the two was first: {won}")
    read = {uid: cluster.get(uid) for uid in UIDS}
    check(set(read.values()) == {f"{won[0]} was first"}, f"all servers read its value: {read}")
    narrator.found(f'One succeeded, the other was told so: all read "{won[0]} was first".')


def lose_a_server(cluster: DemoCluster, narrator: Narrator) -> None:
    """Kill B without warning."""
    narrator.say("B gets kill -9, as in a power cut: no goodbye, no chance to save anything.")
    cluster.kill("B")
    check(cluster.status("A") is not None, "A answers")
    check(cluster.status("C") is not None, "C answers")
    narrator.found("B cannot be reached; A and C go on.")


def choose_without_it(cluster: DemoCluster, narrator: Narrator) -> None:
    """Propose a value while B is dead."""
    narrator.say(
        "Two of three are still a majority. Any two majorities share a server, so nothing that was "
        "chosen before can be missed."
    )
    link = cluster.propose("A", SECOND)
    narrator.excerpt(cluster.output_of_link("A", link)[-1:])
    read = {uid: cluster.get(uid) for uid in ("A", "C")}
    check(set(read.values()) == {SECOND}, f"A and C read it: {read}")
    narrator.found(f'Link {link} holds "{SECOND}"; A and C read it.')


def return_and_catch_up(cluster: DemoCluster, narrator: Narrator) -> None:
    """Start B again on the state it saved."""
    narrator.say(
        "B starts again. What it promised is on its disk: it was saved before it was said. What it "
        "missed, the others tell it."
    )
    here = cluster.status("A")
    assert here is not None, "A was asked a moment ago"
    cluster.start("B")
    cluster.wait_for_status(
        "B",
        lambda found: found["link"] >= here["link"] and found["value"] == SECOND,
        f"B reaches link {here['link']}",
    )
    narrator.excerpt(cluster.output("B", "Decided", "told by"))
    narrator.found(f'B has caught up: link {here["link"]}, "{SECOND}".')


def elect_a_master(cluster: DemoCluster, narrator: Narrator) -> None:
    """Restart all with master leases."""
    narrator.say(
        "All three end cleanly and start again with --master. The chain itself names a master, for "
        "the length of a lease. Proposal number 1 of each link is reserved for it: it need not "
        "prepare."
    )
    cluster.stop_all()
    cluster.start(*UIDS, master=True)
    master = _wait_for_master(cluster, set(UIDS))
    narrator.excerpt(cluster.output(master, f"= {master} is master", f"{master}  is master")[:2])
    check(cluster.get(master) == SECOND, "the value outlived the restart of all servers")
    narrator.found(f'{master} is master, alone; the value is still "{SECOND}".')


def choose_in_one_round_trip(cluster: DemoCluster, narrator: Narrator) -> None:
    """Propose through a server that is not master."""
    master = _wait_for_master(cluster, set(UIDS))
    other = next(uid for uid in UIDS if uid != master)
    narrator.say(
        f"A client asks {other}, which forwards the request to {master}. No Prepare, no Promise: "
        "one round trip."
    )
    link = cluster.propose(other, THIRD)
    lines = cluster.output_of_link(master, link)
    narrator.excerpt(lines)
    check(not any("Prepare" in line.plain for line in lines), f"{master} did without a Prepare")
    read = {uid: cluster.get(uid) for uid in UIDS}
    check(set(read.values()) == {THIRD}, f"all servers read it: {read}")
    narrator.found(f'Link {link} holds "{THIRD}", without phase 1; all servers read it.')


def lose_the_master(cluster: DemoCluster, narrator: Narrator) -> None:
    """Kill the master."""
    old = _wait_for_master(cluster, set(UIDS))
    left = {uid for uid in UIDS if uid != old}
    narrator.say(
        f"{old}, the master, gets kill -9. The others respect its lease until it ends, because "
        f"{old} might be alive and answer reads. Then one of them is elected."
    )
    began = time.monotonic()
    cluster.kill(old)
    new = _wait_for_master(cluster, left)
    seconds = time.monotonic() - began
    link = cluster.propose(new, FOURTH)
    cluster.output_of_link(new, link)
    words = (f"= {new} is master", f"{new}  is master", f"link {link} = ")
    narrator.excerpt(cluster.output(new, *words))
    read = {uid: cluster.get(uid) for uid in sorted(left)}
    check(set(read.values()) == {FOURTH}, f"all living servers read it: {read}")
    narrator.found(f'{new} was master {seconds:.1f} seconds later; link {link} holds "{FOURTH}".')


def agree_on_everything(cluster: DemoCluster, narrator: Narrator) -> None:
    """Bring the old master back, and compare all histories."""
    narrator.say("The old master returns, learns that it is none, and catches up.")
    dead = next(uid for uid in UIDS if cluster.status(uid) is None)
    cluster.start(dead, master=True)
    cluster.wait_for_status(
        dead, lambda found: found["value"] == FOURTH, f"{dead} learns the newest value"
    )
    narrator.excerpt(cluster.output(dead, "told by", "respects the lease")[:2])
    check(cluster.get(dead) == FOURTH, f"{dead} reads the newest value")
    links: dict[int, object] = {}
    for uid in UIDS:
        for link in cluster.history(uid):
            agreed = links.setdefault(link.number, link.holds)
            check(agreed == link.holds, f"{uid} agrees on link {link.number}")
    narrator.found(f"All servers agree on all {len(links)} links of the chain.")


STEPS: tuple[tuple[str, Step], ...] = (
    ("Three servers start and found a chain", found_a_chain),
    ("A value is chosen", choose_a_value),
    ("Of two who expect the same, one succeeds", let_one_win),
    ("A server dies", lose_a_server),
    ("A majority goes on", choose_without_it),
    ("The dead server returns and catches up", return_and_catch_up),
    ("All restart, with a master", elect_a_master),
    ("With a master, one round trip is enough", choose_in_one_round_trip),
    ("The master dies, another takes over", lose_the_master),
    ("Everybody agrees on everything", agree_on_everything),
)


def _wait_for_master(cluster: DemoCluster, uids: set[str]) -> str:
    """Return the one among *uids* that holds a lease, once there is one."""
    found: list[str] = []

    def is_one() -> bool:
        found[:] = masters([cluster.status(uid) for uid in sorted(uids)])
        return len(found) == 1

    cluster.wait(is_one, f"one of {', '.join(sorted(uids))} becomes master")
    return found[0]
