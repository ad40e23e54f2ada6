// The stops of the guided tour: the steps of a script that have a caption. Nothing here draws.

const TOUR_PLACES = new WeakMap();
const TOUR_START_KINDS = new Set(["trace", "started", "timer set", "sent"]);
const TOUR_START_CAPTION = "The servers are running. Nothing has happened yet.";

/** Count the events with which the servers start, before the script's first step. */
function tourStart(payload) {
  const first = payload.events.findIndex((event) => !TOUR_START_KINDS.has(event.kind));
  const step = payload.marks[0]?.events ?? payload.events.length;
  return Math.max(1, Math.min(step, first < 0 ? payload.events.length : first));
}

function tourNewStop(at, caption) {
  return { at, caption, commands: [], claims: [], last: -1 };
}

/** Gather the marks of the script: each caption begins a new group of steps. */
function tourGroups(payload) {
  const groups = [];
  payload.marks.forEach((mark, index) => {
    if (mark.caption || groups.length === 0) groups.push(tourNewStop(mark.events, mark.caption));
    const group = groups.at(-1);
    group.at = mark.events;
    group.last = index;
    if (mark.command.startsWith("expect ")) group.claims.push(mark.command.slice("expect ".length));
    else if (mark.command !== "show") group.commands.push(mark.command);
  });
  return groups;
}

function tourJoin(first, second) {
  return {
    at: second.at,
    caption: `${first.caption} ${second.caption}`.trim().replace("... ...", "..."),
    commands: [...first.commands, ...second.commands],
    claims: [...first.claims, ...second.claims],
    last: second.last,
  };
}

/**
 * Find the stops of the run in *payload*: where each ends, its caption, its commands, what the script
 * claims about it, and its last mark. The first stop is before everything. A step in which nothing is
 * seen to happen, such as a crash that is to come, is told with the next one.
 */
export function tourStops(payload) {
  const known = TOUR_PLACES.get(payload);
  if (known) return known;
  const stops = [tourNewStop(tourStart(payload), TOUR_START_CAPTION)];
  let waiting = null;
  for (const group of tourGroups(payload)) {
    const joined = waiting ? tourJoin(waiting, group) : group;
    const isSeen = joined.at > stops.at(-1).at;
    waiting = isSeen ? null : joined;
    if (isSeen) stops.push(joined);
  }
  if (waiting && stops.length > 1) stops.push(tourJoin(stops.pop(), waiting));
  TOUR_PLACES.set(payload, stops);
  return stops;
}

/** Find the stop that the position *at* is on the way to, or at. */
export function tourStopAt(stops, at) {
  const place = stops.findIndex((stop) => stop.at >= at);
  return place < 0 ? stops.length - 1 : place;
}

/** Give the caption of the stop that the position *at* is on the way to, or at. */
export function tourCaption(payload, at) {
  const stops = tourStops(payload);
  return stops[tourStopAt(stops, at)].caption;
}

/** Give the lines of the script up to the stop's last command: they lead exactly there. */
export function tourScriptUntil(payload, stop) {
  const lines = payload.script.split("\n");
  const isCommand = (line) => line.trim() !== "" && !line.startsWith("#");
  const places = lines.flatMap((line, index) => (isCommand(line) ? [index] : []));
  const settings = places.length - payload.marks.length;
  const last = stop.last < 0 ? settings - 1 : settings + stop.last;
  if (last >= 0) return `${lines.slice(0, places[last] + 1).join("\n")}\n`;
  // No setting: what is left is the comment at the top.
  return `${lines.filter((line, index) => index < places[0] && line.startsWith("#")).join("\n")}\n`;
}
