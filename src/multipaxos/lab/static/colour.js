// The colour of a proposal number: the same in every view of a run, in the order of appearance.

const COLOUR_COUNT = 8;
const COLOUR_DASHES = ["", "7 3", "2 3", "9 3 2 3"];
const COLOUR_ORDERS = new WeakMap();

function colourOrder(run) {
  let order = COLOUR_ORDERS.get(run);
  if (order) return order;
  order = new Map();
  for (const event of run.payload.events) {
    const number = event.message?.proposal_id ?? event.proposal_id;
    if (typeof number === "string" && number !== "0." && !order.has(number)) order.set(number, order.size);
  }
  COLOUR_ORDERS.set(run, order);
  return order;
}

function colourPlace(run, proposal) {
  if (!run || proposal === null || proposal === undefined) return -1;
  return colourOrder(run).get(String(proposal)) ?? -1;
}

/** Give the colour of *proposal* in *run* as a CSS value; a quiet one for none. */
export function proposalColour(run, proposal) {
  const place = colourPlace(run, proposal);
  return place < 0 ? "var(--ink-dim)" : `var(--n${place % COLOUR_COUNT})`;
}

/** Give the dashes of *proposal*'s lines: they change where the colours begin anew. */
export function proposalDash(run, proposal) {
  const place = colourPlace(run, proposal);
  return place < 0 ? "" : COLOUR_DASHES[Math.floor(place / COLOUR_COUNT) % COLOUR_DASHES.length];
}
