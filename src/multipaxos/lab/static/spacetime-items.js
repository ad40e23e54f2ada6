// Everything that is drawn of a run, with its place in pixels; which of it is in view is asked of it.

import { domInstant } from "./dom.js";
import { runEvidence } from "./run-evidence.js";
import { SPACETIME_END_ROWS, spacetimeColumns, spacetimeLeases, spacetimeLives } from "./spacetime-columns.js";
import { spacetimeCallWords, spacetimeMark, spacetimeWires } from "./spacetime-marks.js";
import { spacetimeRows } from "./spacetime-rows.js";
import { spacetimeMessagesAt, spacetimeSteps, spacetimeVisible } from "./spacetime-visible.js";

/** How many items are drawn at once, at most. */
export const SPACETIME_DRAWN_MAX = 900;

/** Give the end of an arrow that does not reach its receiver: lost, or in flight at the end of the run. */
function spacetimeArrowEnd(message, { x1, y1, x2, y2 }, place) {
  if (message.fate === "dropped") return { x: x1 + (x2 - x1) * 0.72, y: y2 };
  if (message.ended !== null) return { x: x2, y: y2 };
  const reach = Math.min(Math.abs(x2 - x1) * 0.3, place.em * 2.6);
  return { x: x1 + Math.sign(x2 - x1) * reach, y: y1 + place.row * 0.5 };
}

function spacetimeArrow(message, index, place) {
  const x1 = place.x.get(message.sender);
  const x2 = place.x.get(message.receiver);
  if (x1 === undefined || x2 === undefined || (message.sent === null && message.ended === null)) return null;
  const y2 = message.ended === null ? null : place.top(message.ended);
  const y1 = message.sent === null ? y2 - place.row : place.top(message.sent);
  const end = spacetimeArrowEnd(message, { x1, y1, x2, y2 }, place);
  const first = message.sent ?? message.ended;
  return {
    key: `m${index}`,
    type: "arrow",
    index,
    message,
    event: first,
    ended: message.ended,
    x1,
    y1,
    x2: end.x,
    y2: end.y,
    top: y1,
    bottom: Math.max(end.y, y1) + place.row,
  };
}

function spacetimeSide(payload, steps, index, place) {
  const cause = payload.events[steps[index]];
  const here = place.x.get(payload.events[index].server);
  const from = cause.kind === "called" ? place.x.get(cause.client) : place.x.get(cause.sender);
  if (cause.kind !== "delivered" && cause.kind !== "called")
    return here === place.lastX ? 1 : place.firstSide(here);
  return from === undefined || from < here ? 1 : -1;
}

function spacetimeEventItem(payload, index, place, known) {
  const event = payload.events[index];
  const y = place.top(index);
  const base = { key: `e${index}`, index, event: index, y, top: y - place.row, bottom: y + 1.4 * place.row };
  const decision = known.decisions.get(index);
  if (event.kind === "chosen") {
    const acceptors = (event.acceptors ?? []).filter((name) => place.x.has(name));
    return {
      ...base,
      type: "chosen",
      decision: decision ?? null,
      acceptors,
      value: payload.decisions[decision]?.value ?? "",
    };
  }
  if (event.kind === "violated")
    return { ...base, type: "violated", words: String(event.text || `${event.name} is broken`) };
  if (event.kind === "wires") return { ...base, type: "wires", words: spacetimeWires(event) };
  const x = place.x.get(event.server);
  if (x === undefined) return null;
  if (event.kind === "called" || event.kind === "returned") {
    const client = place.x.get(event.client);
    if (client === undefined) return null;
    return {
      ...base,
      type: "call",
      x,
      client,
      words: spacetimeCallWords(event),
      back: event.kind === "returned",
    };
  }
  const mark = spacetimeMark(event, known.values);
  return mark && { ...base, type: "mark", x, mark, side: spacetimeSide(payload, known.steps, index, place) };
}

/** Give the labels of the time axis: where time has moved, and there is room. */
function spacetimeTimes(payload, rows, place) {
  const items = [];
  let lastY = -Infinity;
  let lastWords = null;
  const leaps = new Set(rows.leaps);
  for (const index of rows.shown) {
    const words = domInstant(payload.events, payload.events[index].time);
    const y = place.top(index);
    if (
      words === lastWords ||
      y - lastY < (leaps.has(index) ? place.em : Math.max(place.row * 0.9, place.em * 1.2))
    )
      continue;
    const leap = leaps.has(index) ? y - place.row * 0.75 : null;
    items.push({
      key: `t${index}`,
      type: "time",
      event: index,
      index,
      y,
      words,
      leap,
      top: y - place.row,
      bottom: y + place.row,
    });
    lastY = y;
    lastWords = words;
  }
  return items;
}

/** Make the mark where a server's trace ends although nobody said that the server stopped. */
function spacetimeTraceEnd(payload, index, place) {
  const { server } = payload.events[index];
  const x = place.x.get(server);
  const y = place.top(index) + SPACETIME_END_ROWS * place.row;
  const said = `The trace of ${server} ends here, without a word: it may have been killed. Others went on.`;
  const mark = { sign: "end", words: "trace ends here", tone: "warn" };
  const side = x === place.lastX ? 1 : place.firstSide(x);
  return { key: `end${index}`, type: "end", index, event: index, x, y, top: y - place.row, bottom: y + place.row, mark, side, said };
}

/**
 * Find the drawn events that need room below them: what they send is still in flight at the end, or
 * a trace ends there.
 */
function spacetimeOpenEnds(payload, visible) {
  const open = new Set();
  for (const end of runEvidence(payload).ends) open.add(visible.events.lastIndexOf(1, end));
  payload.messages.forEach((message, index) => {
    if (visible.messages[index] && message.ended === null && message.sent !== null) open.add(message.sent);
  });
  return open;
}

/** Give the values that were chosen, by link and number, and by link alone. */
function spacetimeValues(payload) {
  const values = new Map();
  for (const { link, proposal, value } of payload.decisions) {
    values.set(`${link} ${proposal}`, value);
    if (!values.has(`${link}`)) values.set(`${link}`, value);
  }
  return values;
}

/** Lay out *payload* under *filter* once; the result is placed in pixels by `spacetimePlace`. */
export function spacetimeLayout(payload, filter) {
  const steps = spacetimeSteps(payload.events);
  const messagesAt = spacetimeMessagesAt(payload);
  const visible = spacetimeVisible(payload, filter, { steps, messagesAt });
  const rows = spacetimeRows(payload, visible, { steps, openEnds: spacetimeOpenEnds(payload, visible) });
  return {
    payload,
    steps,
    messagesAt,
    visible,
    rows,
    lives: spacetimeLives(payload, rows),
    leases: spacetimeLeases(payload, rows),
    known: {
      steps,
      values: spacetimeValues(payload),
      decisions: new Map(payload.decisions.map((decision, index) => [decision.event, index])),
    },
  };
}

/** Place a layout in *width* pixels with rows *row* pixels high; *em* is the size of a letter. */
export function spacetimePlace(layout, { width, row, em }) {
  const { payload, rows, visible } = layout;
  const columns = spacetimeColumns(payload, width, em);
  const middle = columns.columns.length / 2;
  const order = new Map(columns.columns.map((column, index) => [column.x, index]));
  const head = em * 2.6;
  const place = {
    ...columns,
    row,
    em,
    head,
    top: (index) => head + rows.y[index] * row,
    lastX: columns.columns.at(-1)?.x,
    firstSide: (x) => (payload.clients.length === 0 && order.get(x) === 0 && middle > 1 ? -1 : 1),
  };
  const items = spacetimeTimes(payload, rows, place);
  payload.messages.forEach((message, index) => {
    const item = visible.messages[index] ? spacetimeArrow(message, index, place) : null;
    if (item) items.push(item);
  });
  for (const index of rows.shown) {
    const item = spacetimeEventItem(payload, index, place, layout.known);
    if (item) items.push(item);
  }
  for (const index of runEvidence(payload).ends) items.push(spacetimeTraceEnd(payload, index, place));
  layout.leases.forEach((lease, index) => {
    const x = place.x.get(lease.server);
    if (x === undefined) return;
    const [top, bottom] = [head + lease.top * row, head + lease.bottom * row];
    items.push({
      key: `l${index}`,
      type: "lease",
      index: lease.event,
      event: lease.event,
      lease,
      x,
      top,
      bottom,
    });
  });
  return { ...place, items, height: head + rows.height * row };
}

/** Find the items between the heights *top* and *bottom*: at most so many, those that begin there first. */
export function spacetimeInView(items, top, bottom) {
  const inside = items.filter((item) => item.bottom >= top && item.top <= bottom);
  if (inside.length <= SPACETIME_DRAWN_MAX) return inside;
  const near = (item) => (item.type === "arrow" && item.top < top && item.y2 > bottom ? 1 : 0);
  return inside.sort((a, b) => near(a) - near(b)).slice(0, SPACETIME_DRAWN_MAX);
}
