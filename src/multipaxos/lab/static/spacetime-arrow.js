// The arrows of the space-time diagram: messages between servers, calls of clients.

import { proposalColour, proposalDash } from "./colour.js";
import { domCut, domSvg } from "./dom.js";
import { spacetimeSign } from "./spacetime-marks.js";

const SPACETIME_LETTER = 0.44; // width of a letter of a label, in em of the page

/** Give how many letters of a label have room in so many *pixels*. */
export function spacetimeRoom(pixels, em) {
  return Math.max(3, Math.floor(pixels / (em * SPACETIME_LETTER)));
}

function spacetimeHead(item, size) {
  const angle = Math.atan2(item.y2 - item.y1, item.x2 - item.x1);
  const point = (turn, length) =>
    `${(item.x2 - length * Math.cos(angle + turn)).toFixed(1)},${(item.y2 - length * Math.sin(angle + turn)).toFixed(1)}`;
  return `M${item.x2},${item.y2} L${point(0.42, size)} L${point(-0.42, size)} Z`;
}

/** Give the bar that ends an arrow which was refused. */
function spacetimeStop(item, size) {
  const angle = Math.atan2(item.y2 - item.y1, item.x2 - item.x1);
  const [dx, dy] = [Math.sin(angle) * size, -Math.cos(angle) * size];
  const [x, y] = [item.x2 - Math.cos(angle) * size * 0.8, item.y2 - Math.sin(angle) * size * 0.8];
  return `M${(x - dx).toFixed(1)},${(y - dy).toFixed(1)} L${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`;
}

/** Write what *message* is: before the head of its arrow, below a cross, and beyond an open end. */
function spacetimeArrowLabel(item, place, { lost, flying }) {
  const { em } = place;
  const forward = item.x2 >= item.x1 ? 1 : -1;
  const beside = flying ? forward : -forward;
  return domSvg("text", {
    class: "st-item st-label",
    x: item.x2 + (lost ? 0 : beside * em * (flying ? 0.5 : 0.75)),
    y: item.y2 + em * (lost ? 1.12 : flying ? 0.35 : 0.95),
    "text-anchor": lost ? "middle" : beside < 0 ? "end" : "start",
    text: domCut(item.message.text, spacetimeRoom(place.gap * 0.82, em)),
  });
}

function spacetimeArrowTip(item, em, { lost, flying }) {
  if (lost) {
    const { path } = spacetimeSign("cross", em * 0.42);
    return domSvg("path", { class: "st-lost", d: path, transform: `translate(${item.x2},${item.y2})` });
  }
  if (flying) return domSvg("circle", { class: "st-open", cx: item.x2, cy: item.y2, r: em * 0.28 });
  const head = item.message.refused ? spacetimeStop(item, em * 0.5) : spacetimeHead(item, em * 0.62);
  return domSvg("path", { class: "st-head", d: head });
}

/** Draw a message; its label, which lies in a layer above, is `labLabel` of the node. */
export function spacetimeArrowNode(item, place, run) {
  const { message, x1, y1, x2, y2 } = item;
  const line = { x1, y1, x2, y2 };
  const end = { lost: message.fate === "dropped", flying: message.ended === null };
  const dashes = proposalDash(run, message.proposal) || null;
  const node = domSvg(
    "g",
    {
      class: "st-item st-arrow",
      "data-message": item.index,
      "data-kind": message.kind,
      "data-fate": message.fate,
    },
    domSvg("line", { class: "st-hit", ...line }),
    domSvg("line", { class: "st-shaft", ...line, "stroke-dasharray": dashes }),
    domSvg("line", { class: "st-trail", ...line }),
    spacetimeArrowTip(item, place.em, end),
    domSvg("circle", { class: "st-dot", r: place.em * 0.3 }),
  );
  node.style.color = message.refused ? "var(--ink-dim)" : proposalColour(run, message.proposal);
  node.labLabel = spacetimeArrowLabel(item, place, end);
  for (const part of [node, node.labLabel]) part.classList.toggle("is-refused", Boolean(message.refused));
  return node;
}

/** Draw what a client asks, or is told. */
export function spacetimeCallNode(item, place) {
  const { em, row } = place;
  const lift = Math.min(row * 0.4, em);
  const from = item.back ? item.x : item.client;
  const to = item.back ? item.client : item.x;
  const line = { x1: from, y1: item.y - (item.back ? 0 : lift), x2: to, y2: item.y + (item.back ? lift : 0) };
  const away = item.x >= item.client ? 1 : -1;
  const room = spacetimeRoom(Math.abs(item.x - item.client) * 0.9, em);
  return domSvg(
    "g",
    { class: "st-item st-call" },
    domSvg("line", { class: "st-hit", ...line }),
    domSvg("line", { class: "st-shaft", ...line }),
    domSvg("path", { class: "st-head", d: spacetimeHead(line, em * 0.55) }),
    domSvg("text", {
      class: "st-label",
      x: item.client + away * em * 0.5,
      y: item.back ? line.y2 + em * 0.95 : line.y1 - em * 0.4,
      "text-anchor": away > 0 ? "start" : "end",
      text: domCut(item.words, room),
    }),
  );
}

/** Say an arrow in one sentence: what it carries, between whom, and what became of it. */
export function spacetimeArrowSaid(message) {
  const way = `${message.text}, from ${message.sender} to ${message.receiver}`;
  if (message.fate === "dropped") return `${way}: lost${message.reason ? ` (${message.reason})` : ""}`;
  if (message.refused) return `${way}: refused. ${message.reason}`;
  return message.ended === null ? `${way}: still in flight at the end` : way;
}
