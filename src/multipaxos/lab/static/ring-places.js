// Where things stand in the ring: servers on a circle, messages on the chords between them.

const RING_CARD = [280, 132];
const RING_SMALL_CARD = [214, 108]; // without what stands on the disk, where the whole ones would overlap
const RING_GAP = 4; // between two cards, at least
const RING_SCALE_MIN = 0.4;
const RING_MARGIN = 10;
const RING_HEIGHTS = [[3, 390], [5, 560], [9, 700]]; // for up to so many servers: the more, the smaller they look

/** Give the size of the picture for so many servers, in an element of this shape. */
export function ringSize(count, width, height) {
  const [, high] = RING_HEIGHTS.find(([most]) => count <= most) ?? RING_HEIGHTS.at(-1);
  const least = Math.max(1.15, (2.3 * RING_CARD[0]) / high); // two cards side by side, and a wire between them
  const shape = Math.max(least, Math.min(2.6, height > 0 ? width / height : 1.6));
  return { width: high * shape, height: high };
}

/**
 * Give the place and size of each server's card: on a circle that is stretched to fill *size*, and
 * small enough that none lies over another.
 */
export function ringPlaces(servers, size) {
  const whole = ringPlacesOf(servers, size, { card: RING_CARD, scale: servers.length <= 5 ? 1 : 0.9, isSmall: false });
  if (!ringOverlap(whole)) return whole;
  let scale = 1;
  let places = ringPlacesOf(servers, size, { card: RING_SMALL_CARD, scale, isSmall: true });
  while (ringOverlap(places) && scale > RING_SCALE_MIN) {
    scale *= 0.95;
    places = ringPlacesOf(servers, size, { card: RING_SMALL_CARD, scale, isSmall: true });
  }
  return places;
}

/** Tell whether any two of the cards at *places* touch. */
function ringOverlap(places) {
  const cards = [...places.values()];
  const isClose = (one, other) =>
    Math.abs(one.x - other.x) < one.width + RING_GAP && Math.abs(one.y - other.y) < one.height + RING_GAP;
  return cards.some((one, place) => cards.slice(place + 1).some((other) => isClose(one, other)));
}

function ringPlacesOf(servers, size, { card, scale, isSmall }) {
  const count = servers.length;
  const [width, height] = card.map((length) => length * scale);
  const first = count === 2 ? Math.PI : -Math.PI / 2;
  const angles = servers.map((_, place) => first + (2 * Math.PI * place) / count);
  const across = ringStretch(angles.map(Math.cos), size.width, width);
  const down = ringStretch(angles.map(Math.sin), size.height, height);
  return new Map(servers.map((uid, place) => [uid, { x: across[place], y: down[place], width, height, scale, isSmall }]));
}

function ringStretch(values, length, card) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = length - card - 2 * RING_MARGIN;
  if (most - least < 1e-6) return values.map(() => length / 2);
  return values.map((value) => RING_MARGIN + card / 2 + (room * (value - least)) / (most - least));
}

/** Give the ends of the chord from one card to the other, at their edges, set off to the sender's right. */
export function ringChord(from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const aside = 13;
  const [ox, oy] = [(-dy / length) * aside, (dx / length) * aside];
  const start = ringEdge(from, dx, dy);
  const end = ringEdge(to, -dx, -dy);
  return { x1: start.x + ox, y1: start.y + oy, x2: end.x + ox, y2: end.y + oy };
}

function ringEdge(card, dx, dy) {
  const [halfWidth, halfHeight] = [card.width / 2 + 6, card.height / 2 + 6];
  const part = Math.min(halfWidth / Math.max(Math.abs(dx), 1e-9), halfHeight / Math.max(Math.abs(dy), 1e-9));
  return { x: card.x + dx * part, y: card.y + dy * part };
}

/** Give the point at *part*, from 0 to 1, of the way along *chord*. */
export function ringAlong(chord, part) {
  return { x: chord.x1 + (chord.x2 - chord.x1) * part, y: chord.y1 + (chord.y2 - chord.y1) * part };
}

/** Tell on which side of the line from *start* to *end* a place lies: above 0 is its left. */
export function ringSide(start, end, place) {
  return (end.x - start.x) * (place.y - start.y) - (end.y - start.y) * (place.x - start.x);
}

/** Give an arc around a centre, clockwise from the top, over *share* of the circle, as a path. */
export function ringArc(x, y, radius, share) {
  const part = Math.max(0, Math.min(0.9999, share));
  const angle = 2 * Math.PI * part;
  const [endX, endY] = [x + radius * Math.sin(angle), y - radius * Math.cos(angle)];
  return `M ${x} ${y - radius} A ${radius} ${radius} 0 ${part > 0.5 ? 1 : 0} 1 ${endX} ${endY}`;
}
