// You are the network: make two servers decide differently. With correct servers you cannot.

import { domCut, domNode } from "./dom.js";
import { gameBoard } from "./game-board.js";
import { gameResult, gameShortest, gameStandingWords } from "./game-result.js";
import { gameMoves, gameOf, gameTakeBack, gameVictory } from "./game-rules.js";
import { RunModel } from "./run-model.js";

const GAME_AIM =
  "A's client wants x, B's client wants y, and both ask for the same link. You are the network: you deliver, lose and double the messages, and servers crash and come back. Make two servers decide differently. With correct servers you cannot; with a bug you can.";

function gameCard(game, best, start) {
  const name = game.bug ?? "none";
  const record = best.has(name) ? ` · your best: ${best.get(name)}` : "";
  return domNode(
    "button", { type: "button", class: game.bug === null ? "story-card is-control" : "story-card", "data-game": name, onclick: () => start(game) },
    domNode("span", { class: "story-title", text: game.bug ?? "Correct servers" }),
    domNode("span", { class: "story-question", text: domCut(game.summary, 240) }),
    domNode("span", { class: "game-known", text: `${gameShortest(game)}${record}` }),
  );
}

function gameButton(words, name, title, onclick, isOff = false) {
  return domNode("button", { type: "button", class: "tool", "data-game-tool": name, text: words, title, disabled: isOff, onclick });
}

/** Make the panel in *element*. */
export function createGameView(element, store, actions) {
  const view = { games: null, best: new Map(), run: undefined, problem: "", isAsking: false, isLeft: false };
  element.classList.add("game");
  const draw = () => {
    if (view.run !== store.state.run) view.isLeft = false;
    view.run = store.state.run;
    const game = view.run && view.games && !view.isLeft ? gameOf(view.games, view.run.payload) : null;
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset : null;
    const { scrollTop } = element;
    element.replaceChildren(...(game ? gamePlay(game, view, store, actions) : gameChoice(view, actions)));
    const isEnd = element.querySelector(".game-result.is-won, .game-result.is-over") !== null;
    element.scrollTop = isEnd ? 0 : scrollTop;
    if (focused) gameRefocus(element, focused);
  };
  view.leave = () => {
    view.isLeft = true;
    draw();
  };
  view.load = async () => {
    view.isAsking = true;
    view.problem = "";
    try {
      view.games = (await actions.api.catalogue()).games;
    } catch (error) {
      view.problem = error.message;
    }
    view.isAsking = false;
    draw();
  };
  const see = (state) => {
    if (state.panel !== "game") return;
    if (!view.games && !view.isAsking && !view.problem) view.load();
    if (view.run !== state.run) draw();
  };
  store.subscribe(see);
  see(store.state);
}

/** After a move the buttons are new: the focus goes to the same one, or to the first. */
function gameRefocus(element, { move, gameTool }) {
  const buttons = [...element.querySelectorAll("[data-move], [data-game-tool]")];
  const same = buttons.find((button) => (move ? button.dataset.move === move : button.dataset.gameTool === gameTool) && !button.disabled);
  (same ?? element.querySelector("[data-move]") ?? element).focus({ preventScroll: true });
}

function gameChoice(view, actions) {
  const start = (game) => actions.play(game.script, game.bug ?? "Correct servers");
  const nodes = [domNode("h2", { text: "You are the network" }), domNode("p", { class: "game-aim", text: GAME_AIM })];
  if (actions.api.offline) nodes.push(domNode("p", { text: "The game needs the lab: start it with multipaxos lab." }));
  else if (view.problem) nodes.push(domNode("p", { text: domCut(view.problem, 300) }), gameButton("Try again", "load", "", view.load));
  else if (view.games) nodes.push(domNode("div", { class: "story-cards" }, ...view.games.map((game) => gameCard(game, view.best, start))));
  return nodes;
}

/** Play *script* in place of the run that is shown: the moves of a game are one branch. */
async function gamePlayScript(script, store, actions) {
  const { state } = store;
  if (state.busy) return;
  const shown = state.run;
  store.set({ busy: true, notice: "", playing: false });
  try {
    const payload = await actions.api.play(script);
    store.set({ busy: false });
    const index = state.branches.findIndex((branch) => branch.run === shown);
    if (index < 0) return;
    const run = new RunModel(payload);
    actions.show(state.branches.map((branch, place) => (place === index ? { ...branch, run } : branch)), index);
  } catch (error) {
    store.set({ busy: false, notice: error instanceof Error ? error.message : String(error) });
  }
}

function gamePlay(game, view, store, actions) {
  const { run } = view;
  const { payload } = run;
  const moves = gameMoves(game, payload);
  const isWon = gameVictory(payload) !== null;
  const name = game.bug ?? "none";
  if (isWon) view.best.set(name, Math.min(moves, view.best.get(name) ?? Infinity));
  const again = (script) => gamePlayScript(script, store, actions);
  const before = gameTakeBack(game, payload);
  const tools = domNode(
    "div", { class: "game-tools" },
    gameButton("‹ All", "leave", "Choose another game", view.leave),
    gameButton("Take back", "back", "Take the last move back", () => again(before), before === null),
    gameButton("Start again", "again", "Begin this game anew", () => again(game.script), before === null),
    domNode("b", { text: game.bug ?? "Correct servers" }),
    domNode("span", { text: domCut(game.summary, 300) }),
    domNode("span", { class: "game-known", text: gameShortest(game) }),
  );
  const count = domNode("span", { class: "game-count", "data-moves": moves, text: moves === 1 ? "1 move" : `${moves} moves` });
  const standing = domNode("span", { "data-standing": "", role: "status", text: gameStandingWords(run) });
  return [
    tools,
    domNode("p", { class: isWon ? "game-standing is-won" : "game-standing" }, count, standing),
    gameResult(game, run, moves, actions),
    ...(isWon ? [] : gameBoard(run, (command) => again(`${payload.script.trimEnd()}\n${command}\n`))),
  ].filter(Boolean);
}
