// What an event looks like on its server's column: a sign, a few words, and a tone.

const SPACETIME_WORDS = {
  started: (event) => ["play", event.memory === false ? "starts without memory" : "starts", ""],
  saved: () => ["disk", "", ""],
  "timer fired": (event) => ["clock", String(event.timer), "quiet"],
  promised: (event) => ["ring", `promised ${event.proposal_id}`, ""],
  accepted: (event) => ["full", `accepted ${event.proposal_id}`, ""],
  refused: (event) => ["cross", spacetimeRefusal(event), "quiet"],
  resolved: (event, values) => ["check", spacetimeLearnt(event, values), "good"],
  learned: (event, values) => [
    "check",
    `${spacetimeLearnt(event, values)}, told by ${event.told_by}`,
    "good",
  ],
  "caught up": (event) => ["check", `caught up to link ${event.instance}`, "good"],
  "round lost": (event) => ["cross", `gives up ${event.proposal_id}`, "quiet"],
  takeover: (event) => ["dot", `takes over ${event.accepted_id}`, ""],
  forwarded: (event) => ["dot", `forwards to ${event.master}`, "quiet"],
  "lease began": () => ["crown", "is master", "lease"],
  "lease ended": () => ["dot", "master no more", "lease"],
  "foreign lease": (event) => ["dot", `respects ${event.master}`, "lease"],
  waiting: () => ["dot", "waits for the others", "quiet"],
  founded: () => ["dot", "founds the chain", ""],
  rejoined: (event) => ["dot", `sits out links below ${event.votes_from}`, "quiet"],
  crashed: () => ["crash", "crash", "bad"],
  wiped: () => ["wiped", "disk lost", "bad"],
  halted: () => ["crash", "stops for good", "bad"],
  stopped: () => ["crash", "stops", "quiet"],
  paused: () => ["pause", "paused", "warn"],
  resumed: () => ["play", "goes on", "warn"],
  "clock rate": (event) => ["clock", `clock × ${spacetimeRate(event.rate)}`, "warn"],
  disk: (event) => ["disk", `disk ${event.fault}`, event.fault === "mended" ? "good" : "bad"],
  duplicated: (event) => ["dot", `${event.message?.type ?? "message"} doubled`, "quiet"],
  "datagram refused": () => ["cross", "datagram refused", "quiet"],
  "timer set": (event) => ["clock", `sets ${event.timer}`, "quiet"],
  "timer cancelled": (event) => ["clock", `cancels ${event.timer}`, "quiet"],
  answered: () => ["dot", "answers", "quiet"],
};
const SPACETIME_UNMARKED = new Set([
  "sent",
  "delivered",
  "dropped",
  "called",
  "returned",
  "chosen",
  "violated",
  "wires",
  "trace",
]);

function spacetimeRate(rate) {
  return Number.isFinite(rate) ? String(Number(rate.toFixed(3))) : String(rate);
}

function spacetimeRefusal(event) {
  if (event.reason === "promised") return `refused: promised ${event.promised_id}`;
  if (event.reason === "lease") return `refused: lease of ${event.master}`;
  return `refused: ${event.reason}`;
}

function spacetimeLearnt(event, values) {
  const value = values.get(`${event.instance} ${event.proposal_id}`) ?? values.get(`${event.instance}`);
  return value === undefined ? `link ${event.instance}` : `link ${event.instance} = ${value}`;
}

/** Describe the mark of *event*: {sign, words, tone, proposal}; null for what is no mark on a column. */
export function spacetimeMark(event, values) {
  if (SPACETIME_UNMARKED.has(event.kind)) return null;
  const describe = SPACETIME_WORDS[event.kind];
  const [sign, words, tone] = describe ? describe(event, values) : ["dot", event.kind, "quiet"];
  return { sign, words, tone, proposal: event.proposal_id ?? null };
}

/** Say in a few words what the wires do from now on. */
export function spacetimeWires(event) {
  const blocked = Array.isArray(event.blocked) ? event.blocked : [];
  if (!blocked.length) return "the network is whole";
  const cut = new Set(blocked.map(([from, to]) => `${from} ${to}`));
  const words = [];
  for (const [from, to] of blocked) {
    const both = cut.has(`${to} ${from}`);
    if (!both) words.push(`${from} → ${to}`);
    else if (String(from) < String(to)) words.push(`${from} – ${to}`);
  }
  return `cut: ${words.join(", ")}`;
}

/** Say what a client asked for, or was told, in the few letters that fit on its arrow. */
export function spacetimeCallWords(event) {
  if (event.kind === "called") return [event.operation, ...(event.arguments ?? [])].join(" ");
  return event.status === "ok" ? "ok" : `${event.status}${event.reason ? `: ${event.reason}` : ""}`;
}

function spacetimePath(sign, size) {
  const s = size;
  switch (sign) {
    case "play":
      return `M${-0.7 * s},${-s} L${s},0 L${-0.7 * s},${s} Z`;
    case "pause":
      return `M${-0.9 * s},${-s} h${0.6 * s} v${2 * s} h${-0.6 * s} Z M${0.3 * s},${-s} h${0.6 * s} v${2 * s} h${-0.6 * s} Z`;
    case "cross":
      return `M${-0.8 * s},${-0.8 * s} L${0.8 * s},${0.8 * s} M${0.8 * s},${-0.8 * s} L${-0.8 * s},${0.8 * s}`;
    case "crash":
      return `M${-1.3 * s},${-1.3 * s} L${1.3 * s},${1.3 * s} M${1.3 * s},${-1.3 * s} L${-1.3 * s},${1.3 * s}`;
    case "wiped":
      return `M${-s},${-s} h${2 * s} v${2 * s} h${-2 * s} Z M${-1.5 * s},${1.5 * s} L${1.5 * s},${-1.5 * s}`;
    case "check":
      return `M${-s},0 L${-0.25 * s},${0.8 * s} L${s},${-0.8 * s}`;
    case "crown":
      return `M${-s},${0.7 * s} L${-s},${-0.7 * s} L${-0.4 * s},0 L0,${-s} L${0.4 * s},0 L${s},${-0.7 * s} L${s},${0.7 * s} Z`;
    case "clock":
      return `M0,${-s} a${s},${s} 0 1 1 -0.01,0 Z M0,${-0.6 * s} V0 H${0.5 * s}`;
    case "end":
      return `M${-1.6 * s},0 H${1.6 * s}`;
    case "disk":
      return `M${-s},${-s} h${1.5 * s} l${0.5 * s},${0.5 * s} v${1.5 * s} h${-2 * s} Z`;
    default:
      return `M0,${-0.75 * s} a${0.75 * s},${0.75 * s} 0 1 1 -0.01,0 Z`;
  }
}

/** Give the path of a *sign* around the origin, *size* pixels to each side, and whether it is filled. */
export function spacetimeSign(sign, size) {
  const filled = ["play", "pause", "full", "crown", "disk", "dot"].includes(sign);
  return { path: spacetimePath(sign, size), filled };
}

/** Give the points of a star around the origin. */
export function spacetimeStar(radius) {
  const points = [];
  for (let corner = 0; corner < 10; corner += 1) {
    const length = corner % 2 ? radius * 0.45 : radius;
    const angle = (Math.PI * corner) / 5 - Math.PI / 2;
    points.push(`${(length * Math.cos(angle)).toFixed(2)},${(length * Math.sin(angle)).toFixed(2)}`);
  }
  return points.join(" ");
}
