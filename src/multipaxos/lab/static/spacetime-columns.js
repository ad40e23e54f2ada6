// The columns: servers between clients, how each server fares, and the leases that it believes in.

import { runEvidence } from "./run-evidence.js";
import { spacetimeHeightOf } from "./spacetime-rows.js";

/** So far below a server's last event stands the mark that its trace ends, in rows. */
export const SPACETIME_END_ROWS = 0.6;

const SPACETIME_STATUS = {
  started: "up",
  crashed: "down",
  halted: "down",
  stopped: "down",
  paused: "paused",
  resumed: "up",
};

/**
 * Place a column for each server and client in *width*, all in pixels; *em* is the size of a letter.
 *
 * Clients stand at the sides, the first at the left. `width` is that of all: more than was given
 * where there is no room for so many.
 */
export function spacetimeColumns(payload, width, em) {
  const left = payload.clients.filter((_, index) => index % 2 === 0);
  const right = payload.clients.filter((_, index) => index % 2 === 1);
  const names = [...left, ...payload.servers, ...right];
  const begin = em * 4.2 + (left.length ? em * 2.6 : em * 8);
  const end = right.length ? em * 3 : em * 7.4;
  const gaps = names.length - 1;
  // A gap beside a client needs less room than one between servers.
  const share = names.map((_, index) =>
    index < left.length || index >= names.length - right.length ? 0.62 : 1,
  );
  const gapShare = (index) => Math.min(share[index], share[index + 1] ?? 1);
  let total = 0;
  for (let index = 0; index < gaps; index += 1) total += gapShare(index);
  const one = Math.max(em * 7, total ? (width - begin - end) / total : 0);
  const x = new Map();
  let place = begin;
  names.forEach((name, index) => {
    x.set(name, place);
    if (index < gaps) place += one * gapShare(index);
  });
  const clients = new Set(payload.clients);
  const columns = names.map((name) => ({
    name,
    x: x.get(name),
    client: clients.has(name) && !payload.servers.includes(name),
  }));
  return { columns, x, gap: one, width: Math.max(width, place + end) };
}

/** Cut each server's column into stretches of one status: up, down, paused, or that nobody tells of it. */
export function spacetimeLives(payload, rows) {
  const stretches = [];
  const { unseen, ends } = runEvidence(payload);
  const open = new Map(payload.servers.map((name) => [name, { status: unseen.has(name) ? "unknown" : "up", from: 0 }]));
  const turn = (server, status, from) => {
    const before = open.get(server);
    if (!status || !before || before.status === status) return;
    stretches.push({ server, status: before.status, from: before.from, to: from });
    open.set(server, { status, from });
  };
  payload.events.forEach((event, index) => {
    turn(event.server, SPACETIME_STATUS[event.kind], rows.y[index]);
    if (ends.has(index)) turn(event.server, "silent", rows.y[index] + SPACETIME_END_ROWS);
  });
  for (const [server, { status, from }] of open) stretches.push({ server, status, from, to: rows.height });
  return stretches;
}

function spacetimeLeaseEnd(lease, until, payload, rows) {
  return Math.max(lease.top, Math.min(rows.height, spacetimeHeightOf(until, payload.events, rows)));
}

/**
 * Find the leases as bars, each by its server's own belief: `own` where it believes to be master, else
 * the `master` that it respects.
 */
export function spacetimeLeases(payload, rows) {
  const bars = [];
  const open = new Map();
  const close = (key, index) => {
    const lease = open.get(key);
    if (!lease) return;
    open.delete(key);
    bars.push({
      ...lease,
      bottom: Math.min(spacetimeLeaseEnd(lease, lease.until, payload, rows), rows.y[index] ?? Infinity),
    });
  };
  payload.events.forEach((event, index) => {
    const own = event.kind === "lease began";
    if (own || event.kind === "foreign lease") {
      const key = `${own} ${event.server}`;
      const before = open.get(key);
      const master = own ? event.server : String(event.master);
      if (before && before.master === master && before.until >= event.from) {
        before.until = Math.max(before.until, event.until);
        return;
      }
      close(key, index);
      const top = own ? spacetimeHeightOf(event.from, payload.events, rows) : rows.y[index];
      open.set(key, {
        server: event.server,
        own,
        master,
        event: index,
        top: Math.min(top, rows.y[index]),
        until: event.until,
      });
    } else if (event.kind === "lease ended") {
      close(`true ${event.server}`, index);
    } else if (event.kind === "crashed" || event.kind === "halted") {
      close(`true ${event.server}`, index);
      close(`false ${event.server}`, index);
    }
  });
  for (const key of [...open.keys()]) close(key, rows.y.length);
  return bars.filter((bar) => Number.isFinite(bar.top) && bar.bottom > bar.top);
}
