// A server's card in the ring: who it is, what it has in memory and on its disk, what it waits for.

import { proposalColour } from "./colour.js";
import { domCut, domSvg } from "./dom.js";
import { ringArc } from "./ring-places.js";
import { RUN_STATUS_WORDS } from "./run-words.js";

const RING_NOTHING = "0.";
const RING_TIMERS_MAX = 3;

/** Draw the card of *uid* at its *place*. */
export function ringCard(run, picture, uid, place, isLit) {
  const server = picture.servers[uid];
  const { width, height, scale, isSmall } = place;
  const group = domSvg("g", {
    class: `ring-server is-${server.status}${isLit ? " is-lit" : ""}`, transform: `translate(${place.x - width / 2} ${place.y - height / 2}) scale(${scale})`,
    tabindex: "0", role: "button", "data-server": uid, "aria-label": ringSaid(uid, server),
  });
  const [w, h] = [width / scale, height / scale];
  group.append(
    domSvg("rect", { class: "ring-box", width: w, height: h, rx: 12 }),
    ...ringBadge(picture.time, uid, server),
    domSvg("text", { class: "ring-link", x: 78, y: 32, text: server.link === null ? "" : `link ${server.link}` }),
    ...(isSmall ? ringSmall(run, server) : ringWhole(run, server, w)),
    domSvg("title", { text: ringSaid(uid, server) }),
  );
  return group;
}

function ringWhole(run, server, width) {
  return [
    domSvg("text", { class: "ring-status", x: width - 12, y: 32, "text-anchor": "end", text: ringStatus(server) }),
    domSvg("text", { class: "ring-value", x: 78, y: 54, text: ringResolved(server) }),
    ...ringVotes(run, server),
  ];
}

/** One row of votes: of the memory, or what the disk keeps of them where that is gone. */
function ringSmall(run, server) {
  const { status, memory, disk } = server;
  const isGone = status === "down" || status === "halted";
  const words = domSvg("text", { class: "ring-status", x: 78, y: 54, text: domCut(ringStatus(server), 13) });
  if (status === "unknown") return [words];
  if (isGone && disk.file === false) return [words, domSvg("text", { class: "ring-none", x: 14, y: 94, text: "no file" })];
  const { promised, accepted } = isGone ? disk : memory;
  const differs = !isGone && server.link === disk.link;
  return [
    words,
    ringVote(run, 14, 94, "promised", promised ?? "?", differs && promised !== disk.promised),
    ringVote(run, 112, 94, "accepted", accepted ?? "?", differs && accepted !== disk.accepted),
  ];
}

/** The newest link that this server knows, as far as the trace tells. */
function ringResolved({ resolved }) {
  return resolved === null ? "" : domCut(`${resolved.link}: ${resolved.value}`, 23);
}

function ringStatus(server) {
  const words = server.status === "up" ? [] : [RUN_STATUS_WORDS[server.status]];
  const rate = Number(server.clock).toFixed(3);
  if (rate !== "1.000") words.push(`clock ${rate}`);
  if (server.diskFault) words.push(`disk ${server.diskFault}`);
  return domCut(words.join(", "), 22);
}

/** Memory above, disk below: what differs between them is lit, for a crash would lose it. */
function ringVotes(run, server) {
  const { memory, disk } = server;
  if (server.status === "unknown") return ringRows(["memory", "disk"].map((name) => [name, "unknown"]));
  const isGone = server.status === "down" || server.status === "halted";
  const rows = [["memory", isGone ? null : memory, 94], ["disk", disk.file === false ? undefined : disk, 119]];
  return rows.flatMap(([name, votes, y]) => {
    const label = domSvg("text", { class: "ring-label", x: 12, y, text: name });
    if (!votes) return [label, domSvg("text", { class: "ring-none", x: 94, y, text: votes === null ? "gone" : "no file" })];
    const differs = !isGone && (memory.promised !== disk.promised || memory.accepted !== disk.accepted) && (server.link === disk.link);
    const promised = votes.promised ?? "?";
    const accepted = votes.accepted ?? "?";
    return [
      label,
      ringVote(run, 94, y, "promised", promised, differs && memory.promised !== disk.promised),
      ringVote(run, 186, y, "accepted", accepted, differs && memory.accepted !== disk.accepted),
    ];
  });
}

function ringRows(rows) {
  return rows.flatMap(([name, words], row) => [
    domSvg("text", { class: "ring-label", x: 12, y: 94 + 25 * row, text: name }),
    domSvg("text", { class: "ring-none", x: 94, y: 94 + 25 * row, text: words }),
  ]);
}

function ringVote(run, x, y, what, number, isAhead) {
  const isNothing = number === RING_NOTHING;
  const words = isNothing ? `– ${what}`.slice(0, 1) : number;
  const text = domSvg("text", { class: `ring-vote${isAhead ? " is-ahead" : ""}${isNothing ? " is-nothing" : ""}`, x, y },
    domSvg("tspan", { class: "ring-what", text: what === "promised" ? "P " : "A " }),
    domSvg("tspan", { text: domCut(words, 9) }));
  if (!isNothing) text.lastChild.style.fill = proposalColour(run, number);
  return text;
}

/** The name in a disc, with arcs around it that run down: leases by this server's own belief, and timers. */
function ringBadge(now, uid, server) {
  const [x, y] = [40, 40];
  const parts = [
    domSvg("circle", { class: "ring-disc", cx: x, cy: y, r: 19 }),
    domSvg("text", { class: "ring-name", x, y: y + 7, "text-anchor": "middle", text: domCut(uid, 3) }),
  ];
  const { own, foreign } = server;
  if (own) parts.push(ringGlass("ring-own", x, y, 25, own, now, "trusts its own lease"));
  else if (foreign && foreign.until > now) parts.push(ringGlass("ring-foreign", x, y, 25, foreign, now, `respects the lease of ${foreign.master}`));
  Object.entries(server.timers)
    .sort(([, one], [, other]) => one.until - other.until)
    .slice(0, RING_TIMERS_MAX)
    .forEach(([name, glass], place) => parts.push(ringGlass("ring-timer", x, y, 30 + 3.4 * place, glass, now, name)));
  return parts;
}

function ringGlass(kind, x, y, radius, { from, until }, now, words) {
  const share = until > from ? (until - now) / (until - from) : 0;
  return domSvg("path", { class: kind, d: ringArc(x, y, radius, share) },
    domSvg("title", { text: `${domCut(words, 60)}: ${Math.max(0, until - now).toFixed(3)} s left` }));
}

function ringSaid(uid, server) {
  const { memory, disk } = server;
  const votes = (held) => `promised ${held.promised ?? "unknown"}, accepted ${held.accepted ?? "unknown"}${held.value ? ` ${held.value}` : ""}`;
  const words = [`Server ${uid}, ${RUN_STATUS_WORDS[server.status]}`];
  if (server.status === "unknown") return domCut(`${words[0]}: whether it was up, and what it had, nobody tells`, 400);
  words.push(server.link === null ? "" : `at link ${server.link}`);
  if (server.status !== "down") words.push(`in memory ${votes(memory)}`);
  words.push(disk.file === false ? "no state file" : `on its disk ${votes(disk)}`);
  if (server.own) words.push("trusts its own lease");
  if (server.foreign) words.push(`respects the lease of ${server.foreign.master}`);
  return domCut(words.filter(Boolean).join("; "), 400);
}
