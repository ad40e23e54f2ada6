// One SVG node for one item of the space-time diagram.

import { proposalColour } from "./colour.js";
import { domCut, domSvg } from "./dom.js";
import {
  spacetimeArrowNode,
  spacetimeArrowSaid,
  spacetimeCallNode,
  spacetimeRoom,
} from "./spacetime-arrow.js";
import { spacetimeSign, spacetimeStar } from "./spacetime-marks.js";

const SPACETIME_BOLD = 0.54; // width of a bold letter, in em of the page

/** Write the words of a mark beside its column, at most as far as the picture goes. */
function spacetimeMarkWords({ mark, side, x }, place, isBeside) {
  const { em } = place;
  const edge = side > 0 ? place.width - x : x - em * 4.2;
  const away = mark.sign === "check" || mark.sign === "crown" ? 1.55 : isBeside ? 1.4 : 0.85;
  return domSvg("text", {
    class: "st-label",
    x: side * em * away,
    y: em * 0.28,
    "text-anchor": side > 0 ? "start" : "end",
    text: domCut(mark.words, spacetimeRoom(Math.min(place.gap * 0.9, edge - em * 1.6), em)),
  });
}

/** Tell whether the sign of *mark* stands beside the column, with its words, and not on it. */
function spacetimeIsBeside(mark) {
  const onColumn =
    mark.sign === "clock" || mark.sign === "play" || mark.tone === "bad" || mark.tone === "warn";
  return mark.words !== "" && !onColumn;
}

function spacetimeMarkNode(item, place, run) {
  const { mark, side } = item;
  const { em } = place;
  const node = domSvg("g", { class: "st-item st-mark", transform: `translate(${item.x},${item.y})` });
  if (mark.tone) node.classList.add(`is-${mark.tone}`);
  const isBeside = spacetimeIsBeside(mark);
  const { path, filled } = spacetimeSign(mark.sign, em * (mark.words ? 0.34 : 0.3));
  const sign = domSvg("path", {
    class: filled ? "st-sign is-filled" : "st-sign",
    d: path,
    transform: `translate(${isBeside ? side * em * 0.85 : 0},0)`,
  });
  if (mark.sign === "ring" || mark.sign === "full") sign.style.color = proposalColour(run, mark.proposal);
  node.append(domSvg("circle", { class: "st-hit-round", r: em * 0.62 }), sign);
  if (mark.words) node.append(spacetimeMarkWords(item, place, isBeside));
  return node;
}

/** Draw a pill with *words* around *middle*, kept inside the picture. */
function spacetimePill(words, middle, y, place, name) {
  const { em } = place;
  const text = domCut(words, Math.floor((place.width - 3 * em) / (em * SPACETIME_BOLD)));
  const wide = text.length * em * SPACETIME_BOLD + em * 1.2;
  const x = Math.max(em * 0.5, Math.min(middle - wide / 2, place.width - wide - em * 0.5));
  return [
    domSvg("rect", {
      class: `st-pill ${name}`,
      x,
      y: y - em * 0.78,
      width: wide,
      height: em * 1.56,
      rx: em * 0.5,
    }),
    domSvg("text", {
      class: `st-pill-words ${name}`,
      x: x + wide / 2,
      y: y + em * 0.3,
      "text-anchor": "middle",
      text,
    }),
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
    node.append(
      domSvg("polygon", {
        class: "st-star",
        points: spacetimeStar(em * 0.95),
        transform: `translate(${x},${item.y})`,
      }),
    );
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
    "g",
    { class: `st-item st-${item.type}` },
    domSvg("line", line),
    ...spacetimePill(words, (from + to) / 2, item.y, place, `is-${item.type}`),
  );
}

function spacetimeLeaseNode(item, place) {
  const { em } = place;
  const { lease } = item;
  const wide = em * (lease.own ? 0.34 : 0.8);
  const x = item.x - em * 0.45 - wide;
  const node = domSvg(
    "g",
    { class: lease.own ? "st-item st-lease is-own" : "st-item st-lease", "data-lease": lease.server },
    domSvg("rect", {
      x,
      y: item.top,
      width: wide,
      height: Math.max(2, item.bottom - item.top),
      rx: em * 0.15,
    }),
  );
  if (!lease.own && item.bottom - item.top > em) {
    node.append(
      domSvg("text", {
        x: x + wide / 2,
        y: item.top + em * 0.78,
        "text-anchor": "middle",
        text: domCut(lease.master, 2),
      }),
    );
  }
  return node;
}

function spacetimeTimeNode(item, place) {
  const { em } = place;
  const node = domSvg("g", { class: "st-time" });
  if (item.leap !== null)
    node.append(
      domSvg("line", {
        class: "st-leap",
        x1: em * 0.4,
        x2: place.width - em * 0.4,
        y1: item.leap,
        y2: item.leap,
      }),
    );
  const text = domCut(item.words, 10);
  node.append(
    domSvg("text", { class: "st-axis", x: em * 3.9, y: item.y + em * 0.28, "text-anchor": "end", text }),
  );
  return node;
}

const SPACETIME_PAINTERS = {
  arrow: spacetimeArrowNode,
  mark: spacetimeMarkNode,
  end: spacetimeMarkNode,
  call: spacetimeCallNode,
  chosen: spacetimeChosenNode,
  violated: spacetimeBandNode,
  wires: spacetimeBandNode,
  lease: spacetimeLeaseNode,
  time: spacetimeTimeNode,
};

/** Make the node of *item*: focusable, and named by what it says, where it can be selected. */
export function spacetimePaint(item, place, run) {
  const node = SPACETIME_PAINTERS[item.type](item, place, run);
  if (item.type === "time") return node;
  const said =
    item.said ?? (item.type === "arrow" ? spacetimeArrowSaid(item.message) : (run.payload.said[item.index] ?? ""));
  node.setAttribute("tabindex", "-1");
  node.setAttribute("role", "img");
  node.setAttribute("aria-label", domCut(said, 400));
  if (item.type === "end") node.setAttribute("data-trace-end", run.payload.events[item.index].server);
  else if (item.type !== "arrow" && item.type !== "lease") {
    node.setAttribute("data-event", item.index);
    node.setAttribute("data-kind", run.payload.events[item.index].kind);
  }
  return node;
}
