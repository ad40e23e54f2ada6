// What the game says after a move: won, and in how many; or which invariant saved the agreement.

import { domCut, domNode } from "./dom.js";
import { gameInFlight, gameSaviours, gameStanding, gameVictory } from "./game-rules.js";

function gameEventLink(words, event, actions) {
  return domNode("button", { type: "button", class: "link", text: words, onclick: () => actions.select({ kind: "event", index: event }) });
}

function gameMoveWords(count) {
  return count === 1 ? "1 move" : `${count} moves`;
}

/** Say how few moves are known to win. */
export function gameShortest(game) {
  return game.bug === null ? "nobody has ever won" : `shortest known: ${gameMoveWords(game.moves)}`;
}

function gameWon(game, moves, violation, actions) {
  const against = game.moves === null ? "" : moves > game.moves ? ` The shortest known play has ${game.moves}.` : " Nobody is known to need fewer.";
  return domNode(
    "section", { class: "game-result is-won", "data-game-result": "won", role: "status" },
    domNode("h3", { text: `Two values are chosen: you have won, in ${gameMoveWords(moves)}.` }),
    domNode("p", { text: `${domCut(violation.text, 500)}.${against}` }),
    gameEventLink("What exactly went wrong here", violation.event, actions),
  );
}

function gameSaviour(saviour, actions) {
  return domNode(
    "li", { "data-saved-by": saviour.invariant.split(" ")[0] },
    domNode("b", { text: `${saviour.invariant}: ` }), `${domCut(saviour.said, 300)}${saviour.times > 1 ? ` (${saviour.times} times of this kind)` : ""} `,
    gameEventLink("Why", saviour.event, actions),
  );
}

/** Say in one line how the game stands. */
export function gameStandingWords(run) {
  const { payload } = run;
  if (gameVictory(payload)) return "Two values are chosen: you have won.";
  const { decision, knowing } = gameStanding(payload, run.state(run.events.length));
  if (!decision) return "Nothing is chosen yet.";
  const who = knowing.length === 0 ? "nobody knows it yet" : `${knowing.join(", ")} ${knowing.length === 1 ? "knows" : "know"} it`;
  return `${domCut(decision.value, 60)} is chosen, by ${decision.acceptors.join(" and ")}; ${who}.`;
}

function gameHeading(saviours, standing, isOver) {
  if (isOver) return "You could not do it. This saved the agreement:";
  if (standing.decision === null) return saviours.length ? "This has stood in your way:" : null;
  return "This keeps it the only value:";
}

/** Draw what has come of *moves* moves in the game, on its *run*. */
export function gameResult(game, run, moves, actions) {
  const { payload } = run;
  const victory = gameVictory(payload);
  if (victory) return gameWon(game, moves, victory, actions);
  const saviours = gameSaviours(payload);
  const standing = gameStanding(payload, run.state(run.events.length));
  const isOver = standing.decision !== null && (gameInFlight(payload).length === 0 || standing.knowing.length === payload.servers.length);
  const heading = gameHeading(saviours, standing, isOver);
  if (heading === null) return null;
  const saved = saviours.map((saviour) => gameSaviour(saviour, actions));
  // Where nothing was refused, it is the counting that saved the agreement.
  const counting = standing.decision && !saved.length
    ? domNode("p", { "data-saved-by": "I6" }, domNode("b", { text: "I6 QuorumsIntersect: " }), `Any other quorum has ${standing.decision.acceptors.join(" or ")} in it, which will report the value.`)
    : null;
  return domNode(
    "section", { class: isOver ? "game-result is-over" : "game-result", "data-game-result": isOver ? "saved" : "open", role: "status" },
    domNode("h3", { text: heading }),
    saved.length ? domNode("ul", { class: "game-saviours" }, ...saved) : null,
    counting,
  );
}
