// How one event of a trace changes the picture. Pictures never change: each event makes a new one,
// which shares with the one before all that the event left alone.

import { runLinkWords, runStateWords } from "./run-words.js";

const RUN_NONE = "0.";

/** Kinds that only a running process tells: a trace may begin in the middle of its life. */
const RUN_SIGNS_OF_LIFE = new Set([
  "delivered", "sent", "saved", "timer set", "timer fired", "timer cancelled", "answered", "called",
  "promised", "accepted", "refused", "resolved", "learned", "caught up", "lease began", "foreign lease",
]);

const RUN_UNKNOWN = Object.freeze({ promised: null, accepted: null, value: null });
const RUN_BLANK = Object.freeze({ promised: RUN_NONE, accepted: RUN_NONE, value: null });
const RUN_NO_FILE = Object.freeze({ ...RUN_BLANK, link: null, file: false });
const RUN_PROCESS_GONE = Object.freeze({ memory: RUN_UNKNOWN, link: null, timers: Object.freeze({}), own: null, foreign: null });

/** Order two proposal numbers as the protocol does: `2.A` before `2.B` before `10.A`. */
function runCompareNumbers(one, other) {
  const [first, second] = [one ?? RUN_NONE, other ?? RUN_NONE].map(String);
  const difference = parseInt(first, 10) - parseInt(second, 10);
  if (difference) return difference;
  const [a, b] = [first.slice(first.indexOf(".")), second.slice(second.indexOf("."))];
  return a < b ? -1 : a > b ? 1 : 0;
}

function runNewServer(status) {
  return {
    ...RUN_PROCESS_GONE, status, disk: { ...RUN_UNKNOWN, link: null, file: true },
    clock: 1, diskFault: "", value: null, resolved: null,
  };
}

/** Make the picture in which nothing has happened; of the *unseen* servers nobody tells how they are. */
export function runBlankPicture(servers, unseen) {
  const cards = Object.fromEntries(servers.map((uid) => [uid, runNewServer(unseen.has(uid) ? "unknown" : "down")]));
  return { time: 0, servers: cards, blocked: [], chosen: {}, broken: {}, calls: {} };
}

function runStarted(server, event, isSimulated) {
  if (event.memory === false) return { ...RUN_PROCESS_GONE, status: "up", memory: RUN_BLANK, disk: RUN_NO_FILE };
  const begins = server.disk.file && server.disk.promised === null && isSimulated;
  const disk = begins ? { ...server.disk, ...RUN_BLANK } : server.disk;
  const { promised, accepted, value, link } = disk;
  return { ...RUN_PROCESS_GONE, status: "up", disk, memory: { promised, accepted, value }, link };
}

/** What is on the disk was in memory before: a save may tell of a change ahead of the event that explains it. */
function runSaved(server, event) {
  const disk = {
    link: event.instance, promised: event.promised, accepted: event.accepted, value: runLinkWords(event.value), file: true,
  };
  const { promised, accepted, value } = disk;
  if (server.link === null || disk.link > server.link) return { disk, link: disk.link, memory: { promised, accepted, value } };
  if (disk.link < server.link) return { disk };
  const memory = { ...server.memory };
  if (runCompareNumbers(promised, memory.promised) > 0 || memory.promised === null) memory.promised = promised;
  if (runCompareNumbers(accepted, memory.accepted) > 0 || memory.accepted === null) Object.assign(memory, { accepted, value });
  return { disk, memory };
}

function runVoted(server, event, patch) {
  const before = event.instance === server.link ? server.memory : RUN_BLANK;
  return { link: event.instance, memory: { ...before, ...patch } };
}

function runAccepted(server, event) {
  const known = event.instance === server.link ? server.memory.promised : RUN_NONE;
  const promised = runCompareNumbers(event.proposal_id, known) > 0 ? event.proposal_id : known;
  return runVoted(server, event, { promised, accepted: event.proposal_id, value: runLinkWords(event.value) });
}

function runClosed(server, event) {
  const words = runLinkWords(event.link);
  const closed = { value: words, resolved: { link: event.instance, value: words } };
  const next = event.instance + 1;
  return server.link !== null && server.link >= next ? closed : { ...closed, link: next, memory: RUN_BLANK };
}

function runCaughtUp(server, event) {
  const words = runStateWords(event.value);
  const closed = { value: words, resolved: { link: event.instance - 1, value: words } };
  return server.link !== null && server.link >= event.instance ? closed : { ...closed, link: event.instance, memory: RUN_BLANK };
}

function runTimers(server, event) {
  const timers = { ...server.timers };
  if (event.kind === "timer set") {
    timers[event.timer] = { from: event.time, until: event.time + event.after / (server.clock || 1) };
  } else {
    delete timers[event.timer];
  }
  return { timers };
}

/** Stretch what is left of every hourglass: the clock's rate changes. */
function runClockRate(server, event) {
  const turn = (glass) =>
    glass && { ...glass, until: event.time + ((glass.until - event.time) * server.clock) / (event.rate || 1) };
  const timers = Object.fromEntries(Object.entries(server.timers).map(([name, glass]) => [name, turn(glass)]));
  return { clock: event.rate, timers, own: turn(server.own), foreign: turn(server.foreign) };
}

/** Give what *event* changes of the *server* that tells it. */
function runServerPatch(server, event, isSimulated) {
  switch (event.kind) {
    case "trace":
      return server.status === "down" ? {} : { ...RUN_PROCESS_GONE, status: "down" };
    case "started":
      return runStarted(server, event, isSimulated);
    case "crashed":
    case "stopped":
      return { ...RUN_PROCESS_GONE, status: "down" };
    case "halted":
      return { ...RUN_PROCESS_GONE, status: "halted" };
    case "wiped":
      return { disk: RUN_NO_FILE, value: null, resolved: null };
    case "paused":
      return { status: "paused" };
    case "resumed":
      return { status: "up" };
    case "clock rate":
      return runClockRate(server, event);
    case "disk":
      return { diskFault: event.fault === "mended" ? "" : String(event.fault) };
    case "saved":
      return runSaved(server, event);
    case "sent":
      return server.link === null ? { link: event.instance } : {};
    case "promised":
      return runVoted(server, event, { promised: event.proposal_id });
    case "accepted":
      return runAccepted(server, event);
    case "resolved":
    case "learned":
      return runClosed(server, event);
    case "caught up":
      return runCaughtUp(server, event);
    case "timer set":
    case "timer fired":
    case "timer cancelled":
      return runTimers(server, event);
    case "lease began":
      return { own: { lease: event.lease, from: event.from, until: event.until } };
    case "lease ended":
      // The one before it may end after a renewal has begun another.
      return server.own && server.own.lease !== undefined && server.own.lease !== event.lease ? {} : { own: null };
    case "foreign lease":
      return { foreign: { master: event.master, from: event.from, until: event.until } };
    default:
      return {};
  }
}

function runServerAfter(server, event, isSimulated) {
  const wakes = server.status === "down" && RUN_SIGNS_OF_LIFE.has(event.kind) ? { status: "up" } : {};
  const after = { ...server, ...wakes, ...runServerPatch(server, event, isSimulated) };
  const isWhole = after.disk.file && after.disk.link === null && after.link !== null && isSimulated;
  return isWhole ? { ...after, disk: { ...after.disk, link: after.link } } : after;
}

function runCallAfter(known, event) {
  const words = [event.operation, ...(Array.isArray(event.arguments) ? event.arguments : [])].join(" ").slice(0, 200);
  const status = event.kind === "called" ? "open" : event.status;
  return { ...known, client: event.client, server: event.server, operation: event.operation, status, text: words };
}

/** Give the *picture* in which the server *uid* tells nothing more: what it was then is all that is known. */
export function runSilenced(picture, uid) {
  return { ...picture, servers: { ...picture.servers, [uid]: { ...picture.servers[uid], status: "silent" } } };
}

/** Give the picture after *event*: *isSimulated* where the engine knew what was on each disk. */
export function runFold(picture, event, isSimulated) {
  const next = { ...picture, time: typeof event.time === "number" ? event.time : picture.time };
  const server = Object.hasOwn(picture.servers, event.server) ? picture.servers[event.server] : null;
  if (server) {
    const after = runServerAfter(server, event, isSimulated);
    next.servers = { ...picture.servers, [event.server]: after };
  }
  if (event.kind === "wires") next.blocked = event.blocked;
  if (event.kind === "called" || event.kind === "returned") {
    next.calls = { ...picture.calls, [event.request]: runCallAfter(picture.calls[event.request], event) };
  }
  return next;
}
