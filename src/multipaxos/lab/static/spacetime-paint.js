// One SVG node for one item of the space-time diagram.

import { proposalColour, proposalDash } from "./colour.js";
import { domCut, domSvg } from "./dom.js";
import { spacetimeSign, spacetimeStar } from "./spacetime-marks.js";

const SPACETIME_LETTER = 0.44; // width of a letter of a label, in em of the page
const SPACETIME_BOLD = 0.54; // of a bold one

function spacetimeRoom(pixels, em) {
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

function spacetimeArrowNode(item, place, run) {
  const { message } = item;
  const { em } = place;
  const forward = item.x2 >= item.x1 ? 1 : -1;
  const line = { x1: item.x1, y1: item.y1, x2: item.x2, y2: item.y2 };
  const lost = message.fate === "dropped";
  const flying = message.ended === null;
  const words = domCut(message.text, spacetimeRoom(place.gap * 0.82, em));
  // The words stand before the head of an arrow, below a cross, and beyond an open end.
  const beside = flying ? forward : -forward;
  const label = domSvg("text", {
    class: "st-item st-label", x: item.x2 + (lost ? 0 : beside * em * (flying ? 0.5 : 0.75)), y: item.y2 + em * (lost ? 1.12 : flying ? 0.35 : 0.95),
    "text-anchor": lost ? "middle" : beside < 0 ? "end" : "start", text: words,
  });
  const node = domSvg(
    "g",
    { class: "st-item st-arrow", "data-message": item.index, "data-kind": message.kind, "data-fate": message.fate },
    domSvg("line", { class: "st-hit", ...line }),
    domSvg("line", { class: "st-shaft", ...line, "stroke-dasharray": proposalDash(run, message.proposal) || null }),
    domSvg("line", { class: "st-trail", ...line }),
  );
  if (lost) {
    const cross = domSvg("path", { class: "st-lost", d: spacetimeSign("cross", em * 0.42).path });
    cross.setAttribute("transform", `translate(${item.x2},${item.y2})`);
    node.append(cross);
  } else if (flying) {
    node.append(domSvg("circle", { class: "st-open", cx: item.x2, cy: item.y2, r: em * 0.28 }));
  } else {
    const head = message.refused ? spacetimeStop(item, em * 0.5) : spacetimeHead(item, em * 0.62);
    node.append(domSvg("path", { class: "st-head", d: head }));
  }
  node.append(domSvg("circle", { class: "st-dot", r: em * 0.3 }));
  node.style.color = message.refused ? "var(--ink-dim)" : proposalColour(run, message.proposal);
  for (const part of [node, label]) part.classList.toggle("is-refused", Boolean(message.refused));
  node.labLabel = label;
  return node;
}

function spacetimeMarkNode(item, place, run) {
  const { mark, side } = item;
  const { em } = place;
  const node = domSvg("g", { class: "st-item st-mark", transform: `translate(${item.x},${item.y})` });
  if (mark.tone) node.classList.add(`is-${mark.tone}`);
  const beside = mark.sign !== "clock" && mark.words !== "" && !mark.tone.match(/bad|warn/) && mark.sign !== "play";
  const size = em * (mark.sign === "disk" && !mark.words ? 0.3 : 0.34);
  const { path, filled } = spacetimeSign(mark.sign, size);
  const at = beside ? side * em * 0.85 : 0;
  const sign = domSvg("path", { class: filled ? "st-sign is-filled" : "st-sign", d: path, transform: `translate(${at},0)` });
  if (mark.sign === "ring" || mark.sign === "full") sign.style.color = proposalColour(run, mark.proposal);
  node.append(domSvg("circle", { class: "st-hit-round", r: em * 0.62 }), sign);
  if (mark.words) {
    const edge = side > 0 ? place.width - item.x : item.x - em * 4.2;
    const words = domCut(mark.words, spacetimeRoom(Math.min(place.gap * 0.9, edge - em * 1.6), em));
    const x = side * em * (mark.sign === "check" || mark.sign === "crown" ? 1.55 : beside ? 1.4 : 0.85);
    node.append(domSvg("text", { class: "st-label", x, y: em * 0.28, "text-anchor": side > 0 ? "start" : "end", text: words }));
  }
  return node;
}

function spacetimeCallNode(item, place) {
  const { em, row } = place;
  const lift = Math.min(row * 0.4, em);
  const from = item.back ? item.x : item.client;
  const to = item.back ? item.client : item.x;
  const line = { x1: from, y1: item.y - (item.back ? 0 : lift), x2: to, y2: item.y + (item.back ? lift : 0) };
  const away = item.x >= item.client ? 1 : -1;
  const room = spacetimeRoom(Math.abs(item.x - item.client) * 0.9, em);
  return domSvg(
    "g", { class: "st-item st-call" },
    domSvg("line", { class: "st-hit", ...line }),
    domSvg("line", { class: "st-shaft", ...line }),
    domSvg("path", { class: "st-head", d: spacetimeHead(line, em * 0.55) }),
    domSvg("text", {
      class: "st-label", x: item.client + away * em * 0.5, y: (item.back ? line.y2 + em * 0.95 : line.y1 - em * 0.4),
      "text-anchor": away > 0 ? "start" : "end", text: domCut(item.words, room),
    }),
  );
}

/** Draw a pill with *words* around *middle*, kept inside the picture. */
function spacetimePill(words, middle, y, place, name) {
  const { em } = place;
  const text = domCut(words, Math.floor((place.width - 3 * em) / (em * SPACETIME_BOLD)));
  const wide = text.length * em * SPACETIME_BOLD + em * 1.2;
  const x = Math.max(em * 0.5, Math.min(middle - wide / 2, place.width - wide - em * 0.5));
  return [
    domSvg("rect", { class: `st-pill ${name}`, x, y: y - em * 0.78, width: wide, height: em * 1.56, rx: em * 0.5 }),
    domSvg("text", { class: `st-pill-words ${name}`, x: x + wide / 2, y: y + em * 0.3, "text-anchor": "middle", text }),
  ];
}

function spacetimeChosenNode(item, place, run) {
  const { em } = place;
  const event = run.payload.events[item.index];
  const xs = item.acceptors.map((name) => place.x.get(name)).sort((a, b) => a - b);
  if (!xs.length) xs.push(place.x.get(event.server) ?? place.width / 2);
  const node = domSvg("g", { class: "st-item st-chosen", "data-decision": item.decision });
  node.append(domSvg("line", { class: "st-chosen-bar", x1: xs[0], x2: xs.at(-1), y1: item.y, y2: item.y }));
  for (const x of xs) {
    node.append(domSvg("polygon", { class: "st-star", points: spacetimeStar(em * 0.95), transform: `translate(${x},${item.y})` }));
  }
  const words = `★ link ${event.instance} is chosen${item.value ? `: ${item.value}` : ""}  ·  ${event.proposal_id} by ${item.acceptors.join(", ")}`;
  node.append(...spacetimePill(words, (xs[0] + xs.at(-1)) / 2, item.y + em * 1.65, place, "is-chosen"));
  return node;
}

function spacetimeBandNode(item, place) {
  const { em } = place;
  const from = place.columns[0]?.x ?? 0;
  const to = place.lastX ?? place.width;
  const line = { class: "st-band", x1: from - em, x2: to + em, y1: item.y, y2: item.y };
  const words = item.type === "violated" ? `✗ ${item.words}` : item.words;
  return domSvg(
    "g", { class: `st-item st-${item.type}` }, domSvg("line", line),
    ...spacetimePill(words, (from + to) / 2, item.y, place, `is-${item.type}`),
  );
}

function spacetimeLeaseNode(item, place) {
  const { em } = place;
  const { lease } = item;
  const wide = em * (lease.own ? 0.34 : 0.8);
  const x = item.x - em * 0.45 - wide;
  const node = domSvg(
    "g", { class: lease.own ? "st-item st-lease is-own" : "st-item st-lease", "data-lease": lease.server },
    domSvg("rect", { x, y: item.top, width: wide, height: Math.max(2, item.bottom - item.top), rx: em * 0.15 }),
  );
  if (!lease.own && item.bottom - item.top > em) {
    node.append(domSvg("text", { x: x + wide / 2, y: item.top + em * 0.78, "text-anchor": "middle", text: domCut(lease.master, 2) }));
  }
  return node;
}

function spacetimeTimeNode(item, place) {
  const { em } = place;
  const node = domSvg("g", { class: "st-time" });
  if (item.leap !== null) node.append(domSvg("line", { class: "st-leap", x1: em * 0.4, x2: place.width - em * 0.4, y1: item.leap, y2: item.leap }));
  const text = domCut(item.words, 10);
  node.append(domSvg("text", { class: "st-axis", x: em * 3.9, y: item.y + em * 0.28, "text-anchor": "end", text }));
  return node;
}

const SPACETIME_PAINTERS = {
  arrow: spacetimeArrowNode, mark: spacetimeMarkNode, call: spacetimeCallNode, chosen: spacetimeChosenNode,
  violated: spacetimeBandNode, wires: spacetimeBandNode, lease: spacetimeLeaseNode, time: spacetimeTimeNode,
};

/** Say an arrow in one sentence: what it carries, between whom, and what became of it. */
export function spacetimeArrowSaid(message) {
  const way = `${message.text}, from ${message.sender} to ${message.receiver}`;
  if (message.fate === "dropped") return `${way}: lost${message.reason ? ` (${message.reason})` : ""}`;
  if (message.refused) return `${way}: refused. ${message.reason}`;
  return message.ended === null ? `${way}: still in flight at the end` : way;
}

/** Make the node of *item*: focusable, and named by what it says, where it can be selected. */
export function spacetimePaint(item, place, run) {
  const node = SPACETIME_PAINTERS[item.type](item, place, run);
  if (item.type === "time") return node;
  const said = item.type === "arrow" ? spacetimeArrowSaid(item.message) : run.payload.said[item.index] ?? "";
  node.setAttribute("tabindex", "-1");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", domCut(said, 400));
  if (item.type !== "arrow" && item.type !== "lease") {
    node.setAttribute("data-event", item.index);
    node.setAttribute("data-kind", run.payload.events[item.index].kind);
  }
  return node;
}
