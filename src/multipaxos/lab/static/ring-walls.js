// Walls where nothing passes: one line through the ring where it is cut in two, a bar on each other chord.

import { domCut, domSvg } from "./dom.js";

const RING_WALL_BEYOND = 40; // how far a wall through the ring goes on beyond the gaps between the cards

/** Draw the walls of *blocked*, pairs of sender and receiver; a wall with an arrow stops one way only. */
export function ringWalls(blocked, places) {
  const pairs = new Set(blocked.map(([sender, receiver]) => JSON.stringify([sender, receiver])));
  const isShut = (one, other) => pairs.has(JSON.stringify([one, other])) && pairs.has(JSON.stringify([other, one]));
  const servers = [...places.keys()];
  const groups = ringWallGroups(servers, isShut);
  const gaps = servers.map((uid, index) => [uid, servers[(index + 1) % servers.length]]).filter(([one, next]) => groups.get(one) !== groups.get(next));
  const isAcross = servers.length > 2 && gaps.length === 2;
  const bars = blocked.flatMap(([sender, receiver]) => {
    const [from, to] = [places.get(sender), places.get(receiver)];
    const isBothWays = isShut(sender, receiver);
    if (!from || !to || (isBothWays && sender > receiver)) return [];
    if (isAcross && isBothWays && groups.get(sender) !== groups.get(receiver)) return [];
    return [ringWallBar(from, to, isBothWays, isBothWays ? `nothing passes between ${sender} and ${receiver}` : `nothing passes from ${sender} to ${receiver}`)];
  });
  return isAcross ? [ringWallAcross(gaps, places, servers, groups), ...bars] : bars;
}

/** Find which of *servers* can reach each other, if through others: two of one group have the same number. */
function ringWallGroups(servers, isShut) {
  const groups = new Map();
  servers.forEach((first, number) => {
    const open = groups.has(first) ? [] : [first];
    while (open.length) {
      const uid = open.pop();
      groups.set(uid, number);
      open.push(...servers.filter((other) => !groups.has(other) && !isShut(uid, other)));
    }
  });
  return groups;
}

function ringWallAcross(gaps, places, servers, groups) {
  const [start, end] = gaps.map((pair) => {
    const [one, other] = pair.map((uid) => places.get(uid));
    return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  });
  const length = Math.hypot(end.x - start.x, end.y - start.y) || 1;
  const [ux, uy] = [((end.x - start.x) / length) * RING_WALL_BEYOND, ((end.y - start.y) / length) * RING_WALL_BEYOND];
  const first = servers.filter((uid) => groups.get(uid) === groups.get(servers[0]));
  const others = servers.filter((uid) => !first.includes(uid));
  return domSvg("g", { class: "ring-wall is-across", "data-wall": "across" },
    domSvg("line", { class: "ring-wall-line", x1: start.x - ux, y1: start.y - uy, x2: end.x + ux, y2: end.y + uy }),
    domSvg("title", { text: domCut(`nothing passes between ${first.join(" ")} and ${others.join(" ")}`, 200) }));
}

function ringWallBar(from, to, isBothWays, words) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const angle = (Math.atan2(dy, dx) * 180) / Math.PI;
  const wall = domSvg("g", { class: `ring-wall${isBothWays ? "" : " is-one-way"}`, transform: `translate(${(from.x + to.x) / 2} ${(from.y + to.y) / 2}) rotate(${angle})` },
    domSvg("rect", { x: -4, y: -32, width: 8, height: 64, rx: 3 }),
    domSvg("title", { text: domCut(words, 200) }));
  if (!isBothWays) wall.append(domSvg("path", { class: "ring-way", d: "M -38 0 L -12 0 M -20 -7 L -12 0 L -20 7" }));
  return wall;
}
