"""The Python side of the lab can run where there are no sockets: in a browser, one day."""

import subprocess
import sys

BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        compiled = {"twisted", "msgspec", "hiredis"}
        if name.partition(".")[0] in compiled or name == "immutables._map":
            raise ImportError(f"{name} is blocked here")

sys.meta_path.insert(0, Block())
"""


def run_blocked(program: str) -> str:
    """Run *program* in a fresh interpreter in which Twisted and msgspec cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_block_blocks() -> None:
    """Or the tests below would show nothing."""
    program = "try:\n    import twisted\nexcept ImportError as error:\n    print(error)\n"

    assert run_blocked(program) == "twisted is blocked here\n"


def test_a_script_is_played_forked_and_catalogued_without_twisted_and_msgspec() -> None:
    """The simulator, the strategies, the chain and the roles need neither."""
    program = """
import composable_paxos
import multipaxos.chain, multipaxos.strategies, multipaxos.simulation
from multipaxos.lab.catalogue import catalogue
from multipaxos.lab.forking import fork
script = "master\\nfaults rough 3s\\nclients 2 5 3s\\nadvance 3s\\n"
forked = fork(script, at=100, commands=["crash A"], keep_time=True)
print(len(forked.played.stage.events) > 100, len(catalogue()["bugs"]) > 30)
"""

    assert run_blocked(program) == "True True\n"


def test_a_run_is_explained_without_twisted_and_msgspec() -> None:
    """Also the rules, which show the code of the driver that real servers run."""
    program = """
from multipaxos.lab.explain import RULES, explain
from multipaxos.lab.play import play
played = play("master\\nfaults rough 3s\\nclients 2 5 3s\\nadvance 3s\\n")
plain = explain(played.stage.events).plain()
print(len(plain["why"]) > 100, all(rule.code.source for rule in RULES.values()))
"""

    assert run_blocked(program) == "True True\n"
