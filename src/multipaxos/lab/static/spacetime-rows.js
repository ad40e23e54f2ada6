// Where each event stands: its height in the picture, in rows, by the order of the run.

const SPACETIME_WORDLESS = new Set(["saved", "sent", "delivered", "dropped", "called", "returned"]);
const SPACETIME_WIDE = new Set(["chosen", "violated", "wires"]);

/** Tell how far below the event before it an event stands, in rows. */
function spacetimeGap(event, before, { sameStep, belowOpenEnd }) {
  if (belowOpenEnd) return event.kind === "sent" && sameStep ? 0.7 : 1.3;
  if (before?.kind === "chosen") return SPACETIME_WIDE.has(event.kind) ? 2.4 : 1.8;
  if (SPACETIME_WIDE.has(event.kind)) return 1.25;
  if (!before || !sameStep || SPACETIME_WIDE.has(before.kind)) return 1;
  if (event.kind === "sent") return before.kind === "sent" ? 0.2 : 0.55;
  if (event.kind === "saved") return 0.3;
  if (SPACETIME_WORDLESS.has(event.kind)) return 0.6;
  return SPACETIME_WORDLESS.has(before.kind) ? 0.3 : 0.68;
}

/** Tell whether time has moved so far between two events that the picture should say it. */
function spacetimeLeap(event, before, clock) {
  return clock !== "steps" && before && event.time - before.time >= 0.1;
}

/**
 * Lay the visible events out from top to bottom.
 *
 * `y` has a height in rows for each event, that of the last visible one before it where it is hidden;
 * `height` is that of all; `leaps` are the events before which time moved on.
 */
export function spacetimeRows(payload, visible, { steps, openEnds }) {
  const { events } = payload;
  const clock = events[0]?.clock;
  const y = new Float64Array(events.length);
  const leaps = [];
  const shown = [];
  let height = 0.4;
  let before = null;
  let last = -1;
  events.forEach((event, index) => {
    if (visible.events[index]) {
      height += spacetimeGap(event, before, {
        sameStep: steps[index] === steps[last],
        belowOpenEnd: openEnds.has(last),
      });
      if (spacetimeLeap(event, before, clock)) {
        height += 0.5;
        leaps.push(index);
      }
      before = event;
      last = index;
      shown.push(index);
    }
    y[index] = height;
  });
  return { y, height: height + 2, leaps, openEnds, shown: Int32Array.from(shown) };
}

/** Find the first place of ascending *values* that is not below *wanted*. */
export function spacetimeSearch(values, wanted, key = (value) => value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(values[middle]) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Give the height at which *time* stands, between the rows of the events around it. */
export function spacetimeHeightOf(time, events, rows) {
  const next = spacetimeSearch(events, time, (event) => event.time);
  if (next >= events.length) return rows.height;
  if (next === 0 || events[next].time === time) return rows.y[next];
  const span = events[next].time - events[next - 1].time;
  const part = span > 0 ? (time - events[next - 1].time) / span : 1;
  return rows.y[next - 1] + (rows.y[next] - rows.y[next - 1]) * part;
}

/** Give the height of the line that stands below the first *at* events, and what belongs to them. */
export function spacetimePresent(at, rows) {
  const here = rows.y[Math.min(at, rows.y.length) - 1] ?? 0;
  const next = spacetimeSearch(rows.shown, at);
  const below = next < rows.shown.length ? rows.y[rows.shown[next]] : here + 1.5;
  const room = rows.openEnds.has(rows.shown[next - 1]) ? 0.95 : 0.6;
  return here + Math.min((below - here) * 0.65, room);
}

/** Count the events that have happened above the height *y*, in rows. */
export function spacetimeCountAbove(y, rows) {
  const next = spacetimeSearch(rows.shown, y, (index) => rows.y[index]);
  return next < rows.shown.length ? rows.shown[next] : rows.y.length;
}
