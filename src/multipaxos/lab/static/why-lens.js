// The quorum lens: who counted, drawn as sets of servers that overlap.

import { domCut, domNode, domSvg } from "./dom.js";

const WHY_STEP = 62; // between two servers
const WHY_RADIUS = 21;
const WHY_LETTER = 4.6; // half of a letter

/** Order *servers* so that the first set, what both share, and the second set stand side by side. */
function whyOrder(servers, first, second) {
  const rank = (name) => {
    if (first.includes(name)) return second.includes(name) ? 1 : 0;
    return second.includes(name) ? 2 : 3;
  };
  return [...servers].sort((a, b) => rank(a) - rank(b) || servers.indexOf(a) - servers.indexOf(b));
}

function whyOutline(order, set, { name, words, above, spread }) {
  const places = set.map((server) => order.indexOf(server)).filter((place) => place >= 0);
  if (!places.length) return null;
  const half = WHY_RADIUS + spread;
  const from = Math.min(...places) * WHY_STEP - half;
  const to = Math.max(...places) * WHY_STEP + half;
  const middle = (from + to) / 2;
  const edge = above ? -half : half;
  const nodes = [
    domSvg("rect", {
      class: `lens-set ${name}`,
      x: from,
      y: -half,
      width: to - from,
      height: half * 2,
      rx: half,
    }),
    domSvg("line", {
      class: `lens-lead ${name}`,
      x1: middle,
      x2: middle,
      y1: edge,
      y2: edge + (above ? -14 : 14),
    }),
    domSvg("text", {
      class: `lens-words ${name}`,
      x: middle,
      y: edge + (above ? -20 : 28),
      "text-anchor": "middle",
      text: words,
    }),
  ];
  const room = words.length * WHY_LETTER;
  return {
    nodes,
    left: Math.min(from, middle - room),
    right: Math.max(to, middle + room),
    top: above ? edge - 36 : -half,
    bottom: above ? half : edge + 34,
  };
}

function whyServer(server, place, { lit, witness, bad, note }) {
  const node = domSvg("g", {
    class: "lens-server",
    transform: `translate(${place * WHY_STEP},0)`,
    "data-server": server,
  });
  node.classList.toggle("is-lit", lit);
  node.classList.toggle("is-witness", witness);
  node.classList.toggle("is-bad", bad);
  node.append(
    domSvg("circle", { r: WHY_RADIUS }),
    domSvg(
      "text",
      { y: note ? 1 : 5, "text-anchor": "middle", text: domCut(server, 4) },
      domSvg("title", { text: domCut(server, 400) }),
    ),
  );
  if (note)
    node.append(
      domSvg("text", { class: "lens-note", y: 13, "text-anchor": "middle", text: domCut(note, 6) }),
    );
  return node;
}

/**
 * Draw *servers* with one or two sets among them.
 *
 * `sets` are up to two of {members, words, name}; `witness` and `bad` are servers that are lit; `notes`
 * say a word below a server; `said` is all of it in one sentence.
 */
export function whyLens({ servers, sets, witness = [], bad = [], notes = new Map(), said }) {
  const [first, second] = [sets[0]?.members ?? [], sets[1]?.members ?? []];
  const order = whyOrder(servers, first, second);
  const outlines = sets
    .map((set, index) =>
      whyOutline(order, set.members, { ...set, above: index === 0, spread: index === 0 ? 7 : 13 }),
    )
    .filter(Boolean);
  const circles = order.map((server, place) => {
    const lit = first.includes(server) || second.includes(server);
    return whyServer(server, place, {
      lit,
      witness: witness.includes(server),
      bad: bad.includes(server),
      note: notes.get(server),
    });
  });
  const end = WHY_RADIUS + 4;
  const left = Math.min(-end, ...outlines.map((each) => each.left)) - 3;
  const right = Math.max((order.length - 1) * WHY_STEP + end, ...outlines.map((each) => each.right)) + 3;
  const top = Math.min(-end, ...outlines.map((each) => each.top));
  const bottom = Math.max(end, ...outlines.map((each) => each.bottom)) + 3;
  const viewBox = [left, top, right - left, bottom - top].join(" ");
  const svg = domSvg("svg", { class: "lens", viewBox, role: "img", "aria-label": domCut(said, 600) });
  svg.style.maxWidth = `${((right - left) / 15).toFixed(2)}rem`;
  svg.append(...outlines.flatMap((each) => each.nodes), ...circles);
  return domNode("figure", { class: "lens-figure" }, svg);
}
