// The quorum lens: who counted, drawn as sets of servers that overlap.

import { domCut, domNode, domSvg } from "./dom.js";

const WHY_STEP = 62; // between two servers
const WHY_RADIUS = 19;

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
  if (!places.length) return [];
  const from = Math.min(...places);
  const to = Math.max(...places);
  const half = WHY_RADIUS + spread;
  const x = from * WHY_STEP - half;
  const width = (to - from) * WHY_STEP + half * 2;
  const y = above ? -half - 34 : half + 45;
  return [
    domSvg("rect", { class: `lens-set ${name}`, x, y: -half, width, height: half * 2, rx: half }),
    domSvg("line", { class: `lens-lead ${name}`, x1: x + width / 2, x2: x + width / 2, y1: above ? -half : half, y2: above ? -half - 27 : half + 27 }),
    domSvg("text", { class: `lens-words ${name}`, x: x + width / 2, y, "text-anchor": "middle", text: words }),
  ];
}

function whyServer(server, place, { lit, witness, bad, note }) {
  const node = domSvg("g", { class: "lens-server", transform: `translate(${place * WHY_STEP},0)`, "data-server": server });
  node.classList.toggle("is-lit", lit);
  node.classList.toggle("is-witness", witness);
  node.classList.toggle("is-bad", bad);
  node.append(
    domSvg("circle", { r: WHY_RADIUS }),
    domSvg("text", { y: 5, "text-anchor": "middle", text: domCut(server, 4) }, domSvg("title", { text: domCut(server, 400) })),
  );
  if (note) node.append(domSvg("text", { class: "lens-note", y: WHY_RADIUS + 16, "text-anchor": "middle", text: domCut(note, 9) }));
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
  const nodes = sets.flatMap((set, index) =>
    whyOutline(order, set.members, { ...set, above: index === 0, spread: index === 0 ? 7 : 13 }),
  );
  order.forEach((server, place) => {
    const lit = first.includes(server) || second.includes(server);
    nodes.push(whyServer(server, place, { lit, witness: witness.includes(server), bad: bad.includes(server), note: notes.get(server) }));
  });
  const longest = Math.max(...sets.map((set) => set.words.length), 8) * 7.2;
  const wide = Math.max(order.length * WHY_STEP + 20, longest + 40);
  const middle = ((order.length - 1) * WHY_STEP) / 2;
  const svg = domSvg("svg", { class: "lens", viewBox: `${middle - wide / 2} -76 ${wide} 168`, role: "img", "aria-label": domCut(said, 600) });
  svg.style.maxWidth = `${(wide / 15).toFixed(2)}rem`;
  svg.append(...nodes);
  return domNode("figure", { class: "lens-figure" }, svg);
}
