// The board of the game: the messages that wait for the player, and the servers.

import { proposalColour } from "./colour.js";
import { domCut, domNode } from "./dom.js";
import { gameInFlight } from "./game-rules.js";

const GAME_MESSAGES_MAX = 60;
const GAME_TIMERS = [
  ["backoff", "try again", "It has waited long enough after a refusal, and begins a higher round"],
  ["retransmit", "ask again", "It has heard nothing for a while, and repeats what it asked"],
  ["takeover", "take over", "It has heard nothing of the round for a while, and begins one itself"],
];

function gameMove(words, command, title, move) {
  return domNode("button", { type: "button", class: "tool game-move", "data-move": command, text: words, title, onclick: () => move(command) });
}

function gameMessage(run, message, move) {
  const { id, sender, receiver, text, proposal } = message;
  const what = `${text} from ${sender} to ${receiver}`;
  const chip = domNode("span", { class: "game-text", text: domCut(text, 60), title: domCut(text, 400) });
  chip.style.setProperty("--number", proposalColour(run, proposal));
  return domNode(
    "li", { class: "game-message", "data-held": id },
    domNode("span", { class: "game-way", text: `${sender} → ${receiver}` }), chip,
    gameMove("Deliver", `deliver #${id}`, `Deliver ${what}`, move),
    gameMove("Lose", `drop #${id}`, `Lose ${what}`, move),
    gameMove("Double", `duplicate #${id}`, `Let ${what} arrive once more`, move),
  );
}

function gameVote(run, name, number, value = "") {
  if (!number || number === "0.") return null;
  const chip = domNode("span", { class: "game-text", text: `${name} ${number}${value ? ` ${domCut(value, 16)}` : ""}` });
  chip.style.setProperty("--number", proposalColour(run, number));
  return chip;
}

function gameServer(run, uid, server, move) {
  const isUp = server.status === "up" || server.status === "paused";
  const votes = isUp ? server.memory : server.disk;
  const running = run.payload.end.timers[uid] ?? [];
  const decided = server.resolved ? domNode("b", { text: `link ${server.resolved.link} is ${domCut(server.resolved.value, 24)}` }) : null;
  const chips = [gameVote(run, "promised", votes.promised), gameVote(run, "accepted", votes.accepted, votes.value), decided];
  const down = chips.some(Boolean) ? "down; on its disk:" : "down; no promise on its disk";
  const timers = GAME_TIMERS.filter(([timer]) => running.includes(timer)).map(([timer, words, title]) =>
    gameMove(words, `fire ${uid} ${timer}`, `${uid}: ${title}`, move));
  return domNode(
    "li", { class: isUp ? "game-server" : "game-server is-down", "data-game-server": uid },
    domNode("b", { class: "game-uid", text: uid }),
    domNode("span", { class: "game-votes" }, isUp ? null : down, ...chips),
    ...timers,
    isUp ? gameMove("Crash", `crash ${uid}`, `${uid} loses its memory; its disk stays`, move)
      : gameMove("Restart", `restart ${uid}`, `${uid} comes back from its disk`, move),
  );
}

/** Draw the board of *run*, at its end; each button makes a *move*. */
export function gameBoard(run, move) {
  const held = gameInFlight(run.payload);
  const { servers } = run.state(run.events.length);
  const messages = held.slice(0, GAME_MESSAGES_MAX).map((message) => gameMessage(run, message, move));
  const more = held.length > messages.length ? domNode("li", { text: `and ${held.length - messages.length} more` }) : null;
  const none = held.length ? null : domNode("p", { class: "game-none", text: "Nothing is in flight. Let a server ask again, or crash and restart one." });
  return [
    domNode("h3", { text: "Messages in your hands" }), none,
    domNode("ul", { class: "game-messages" }, ...messages, more),
    domNode("h3", { text: "Servers" }),
    domNode("ul", { class: "game-servers" }, ...run.payload.servers.map((uid) => gameServer(run, uid, servers[uid], move))),
  ].filter(Boolean);
}
