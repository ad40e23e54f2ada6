// Which events and messages of a run are drawn under a filter, and which events belong together.

const SPACETIME_QUIET_KINDS = new Set(["trace", "timer set", "timer cancelled", "answered"]);
const SPACETIME_QUIET_MESSAGES = new Set(["Sync", "WhereAreYou", "IAmAt", "FetchPart"]);
const SPACETIME_TRIGGERS = new Set([
  "delivered",
  "dropped",
  "timer fired",
  "called",
  "started",
  "crashed",
  "wiped",
  "paused",
  "resumed",
  "clock rate",
  "disk",
  "wires",
  "stopped",
  "datagram refused",
]);
const SPACETIME_CARRIERS = new Set(["sent", "delivered", "dropped"]);

/** Give for each event the first event of its step: what made its server act. */
export function spacetimeSteps(events) {
  const steps = new Int32Array(events.length);
  const current = new Map();
  events.forEach((event, index) => {
    const told = event.kind === "chosen" || event.kind === "violated";
    const begins = SPACETIME_TRIGGERS.has(event.kind) || !current.has(event.server);
    if (begins && !told) current.set(event.server, index);
    steps[index] = current.get(event.server) ?? index;
  });
  return steps;
}

/** Give for each event the messages that it sends, delivers or drops. */
export function spacetimeMessagesAt(payload) {
  const at = new Map();
  payload.messages.forEach((message, index) => {
    for (const event of [message.sent, message.ended]) {
      if (event === null) continue;
      if (at.has(event)) at.get(event).push(index);
      else at.set(event, [index]);
    }
  });
  return at;
}

function spacetimeLinkOf(event) {
  return event.instance ?? event.link ?? null;
}

/** Find the Accepted messages that tell their receiver nothing: it had resolved the link before. */
function spacetimeLate(payload) {
  const resolved = new Map();
  payload.events.forEach((event, index) => {
    if (event.kind !== "resolved" && event.kind !== "learned") return;
    const key = `${event.instance} ${event.server}`;
    if (!resolved.has(key)) resolved.set(key, index);
  });
  return payload.messages.map((message) => {
    if (message.kind !== "Accepted" || message.ended === null) return false;
    return (resolved.get(`${message.link} ${message.receiver}`) ?? Infinity) < message.ended;
  });
}

function spacetimeMessageShown(filter) {
  return (message, late) => {
    if (filter.link !== null && message.link !== filter.link) return false;
    if (filter.kinds.has(message.kind)) return false;
    return filter.routine || !(SPACETIME_QUIET_MESSAGES.has(message.kind) || late);
  };
}

function spacetimeEventShown(filter, event) {
  const link = spacetimeLinkOf(event);
  if (filter.link !== null && link !== null && link !== filter.link && event.kind !== "violated")
    return false;
  return filter.routine || !SPACETIME_QUIET_KINDS.has(event.kind);
}

/**
 * Say which events and messages are drawn: as two byte arrays, `events` and `messages`.
 *
 * A timer that fired counts as routine unless something that is drawn came of it.
 */
export function spacetimeVisible(payload, filter, { steps, messagesAt }) {
  const late = spacetimeLate(payload);
  const isShown = spacetimeMessageShown(filter);
  const messages = Uint8Array.from(payload.messages, (message, index) =>
    isShown(message, late[index]) ? 1 : 0,
  );
  const events = new Uint8Array(payload.events.length);
  const cameOf = new Set();
  payload.events.forEach((event, index) => {
    if (event.kind === "timer fired" || event.kind === "trace") return;
    if (event.kind === "duplicated" && SPACETIME_QUIET_MESSAGES.has(event.message?.type))
      events[index] = filter.routine ? 1 : 0;
    else if (SPACETIME_CARRIERS.has(event.kind))
      events[index] = messagesAt.get(index)?.some((message) => messages[message]) ? 1 : 0;
    else events[index] = spacetimeEventShown(filter, event) ? 1 : 0;
    if (events[index]) cameOf.add(steps[index]);
  });
  payload.events.forEach((event, index) => {
    if (event.kind === "timer fired") events[index] = filter.routine || cameOf.has(index) ? 1 : 0;
  });
  return { events, messages };
}
