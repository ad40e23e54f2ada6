"""The game: it can be won with a bug, in as many moves as are claimed, and never without one."""

from collections.abc import Iterator
from random import Random

import pytest

from multipaxos.invariants.names import AGREEMENT
from multipaxos.lab.forking import fork
from multipaxos.lab.game import GAMES, OPENING, Game, games
from multipaxos.lab.play import Played, play
from multipaxos.simulation.manual_network import NoSuchMessageError
from multipaxos.simulation.stage import Stage

WON = [game for game in GAMES if game.bug is not None]


def is_won(played: Played) -> bool:
    """Tell whether two values are chosen for one link, or a server takes another for chosen."""
    return any(
        event.kind == "violated" and event.fields["name"] == AGREEMENT
        for event in played.stage.events
    )


@pytest.mark.parametrize("game", WON, ids=[str(game.bug) for game in WON])
def test_a_game_with_a_bug_is_won_by_the_best_play(game: Game) -> None:
    """In exactly so many moves: not before the last one."""
    assert is_won(play(game.winning_script))
    for moves in range(len(game.best)):
        assert not is_won(play(game.script + "\n".join(game.best[:moves])))


@pytest.mark.parametrize("game", WON, ids=[str(game.bug) for game in WON])
def test_the_same_play_wins_nothing_without_the_bug(game: Game) -> None:
    """As far as the correct servers let it be played at all."""
    stage = Stage()
    for command in (f"servers {game.servers}", *OPENING):
        stage.perform(command)
    for move in game.best:
        try:
            stage.perform(move)
        except NoSuchMessageError:
            # A correct server sends no such message.
            break

    assert stage.cluster.tolerant is False


def plays_of(seed: int) -> Iterator[str]:
    """Yield a random player's moves: any of those that the game has."""
    rng = Random(seed)
    while True:
        yield rng.choice(["deliver", "deliver", "deliver", "drop", "duplicate", "crash", "restart"])


@pytest.mark.parametrize("seed", range(30))
def test_without_a_bug_no_random_play_wins(seed: int) -> None:
    """Whatever is delivered, lost, doubled, crashed and started again."""
    rng, stage = Random(seed), Stage()
    for command in OPENING:
        stage.perform(command)
    moves = plays_of(seed)
    for _ in range(60):
        verb, held = next(moves), stage.cluster.manual.held
        if verb in ("crash", "restart"):
            stage.perform(f"{verb} {rng.choice('ABC')}")
        elif held:
            stage.perform(f"{verb} #{stage.hand.number(rng.choice(held))}")

    assert stage.cluster.tolerant is False
    assert len(stage.events) > 60


def test_a_move_is_a_fork_of_the_game_s_script() -> None:
    """The page needs nothing else to play it."""
    game = WON[0]
    script = game.script
    for move in game.best:
        at = len(play(script).stage.events)
        script = fork(script, at=at, commands=[move], keep_time=False).played.script

    assert is_won(play(script))


def test_what_the_page_is_told_does_not_give_the_play_away() -> None:
    """How few moves, and what the servers do wrong."""
    told = games()

    assert told[0]["moves"] is None
    assert [one["moves"] for one in told[1:]] == [len(game.best) for game in WON]
    assert all(one["summary"].startswith("Each server ") for one in told[1:])
    assert "deliver" not in str(told)
