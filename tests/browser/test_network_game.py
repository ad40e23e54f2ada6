"""You are the network, in a real browser: won with a bug, in as few moves as is known."""

import pytest
from tests.browser.page import Page

from multipaxos.lab.game import GAMES, Game

WON = [game for game in GAMES if game.bug is not None]
STUCK_MAX = 80


def begin(page: Page, name: str) -> None:
    """Open the games, and begin the one called *name*."""
    page.open()
    page.click("#tab-game")
    page.click(f'[data-game="{name}"]')
    page.wait(lambda: moves(page) == 0 or None, "a game")


def moves(page: Page) -> int | None:
    """Return how many moves are counted; None as long as no game is shown."""
    shown = page.run("return document.querySelector('[data-moves]')?.dataset.moves ?? null")
    return None if shown is None else int(shown)


DELIVER = """
    const rows = [...document.querySelectorAll('[data-held]')];
    const row = rows.find((one) => one.textContent.startsWith(arguments[0]));
    row?.querySelector('[data-move^=deliver]').click();
    return row !== undefined;
"""


def deliver(page: Page, words: str) -> bool:
    """Deliver the first message that the board shows as *words*, if there is one."""
    made = moves(page) or 0
    is_there = bool(page.run(DELIVER, words))
    if is_there:
        page.wait(lambda: moves(page) == made + 1 or None, f"a move: {words}")
    return is_there


def words_of(move: str) -> str:
    """Return how the board shows the message of a *move*: `deliver A->B Accept`."""
    _, pair, kind = move.split()
    return f"{pair.replace('->', ' → ')}{kind} "


@pytest.mark.parametrize("game", WON[3:], ids=[str(game.bug) for game in WON[3:]])
def test_the_best_play_wins_against_a_bug(page: Page, game: Game) -> None:
    """In so many moves, and not before; the game says that nobody is known to need fewer."""
    begin(page, str(game.bug))

    for move in game.best:
        assert not page.all("[data-game-result=won]")
        assert deliver(page, words_of(move)), move

    assert f"in {len(game.best)} moves" in page.text("[data-game-result=won]")
    assert "Nobody is known to need fewer" in page.text("[data-game-result=won]")


@pytest.mark.parametrize("best", WON[4:5], ids=[str(game.bug) for game in WON[4:5]])
def test_correct_servers_agree_and_the_game_says_what_saved_them(page: Page, best: Game) -> None:
    """The play that wins against a bug leads to one value; an invariant is named that did it."""
    begin(page, "none")

    for move in best.best:
        deliver(page, words_of(move))
    for _ in range(STUCK_MAX):
        if not deliver(page, ""):
            break

    assert not page.all("[data-game-result=won]")
    saved = page.all("[data-game-result=saved] [data-saved-by]")
    assert {one.get_attribute("data-saved-by") for one in saved} & {"I3", "I4", "I6"}


def test_a_move_can_be_taken_back(page: Page) -> None:
    """The messages are in the player's hands again, as they were."""
    begin(page, "own-value")
    before = page.text(".game-messages")
    deliver(page, "A → CPrepare ")
    between = page.text(".game-messages")

    page.click("[data-game-tool=back]")
    page.wait(lambda: moves(page) == 0 or None, "no move")

    assert page.text(".game-messages") == before
    assert between != before


def test_the_game_is_played_with_keys_alone(page: Page) -> None:
    """The panel has a key; the focus stays on the board after a move."""
    page.open()
    page.press_on_page("4")
    page.one('[data-game="none"]')

    page.run("document.querySelector('[data-game=none]').focus()")
    page.press(page.keys.ENTER)
    page.wait(lambda: moves(page) == 0 or None, "a game")
    page.run("document.querySelector('[data-move]').focus()")
    page.press(page.keys.ENTER)
    page.wait(lambda: moves(page) == 1 or None, "a move")

    assert page.run("return document.activeElement.matches('[data-move]')")
