// Messages on their way, as dots on the chords.

import { proposalColour } from "./colour.js";
import { domCut, domSvg } from "./dom.js";
import { ringAlong, ringChord } from "./ring-places.js";

const RING_STANDING = 0.7; // of the way: where a message stands that has not ended when the run has
const RING_LABEL_AFTER = 12;

/** Draw what is in flight after *at* events. */
export function ringMessages(run, at, places, selected) {
  const met = new Map();
  return run.inFlight(at).flatMap((index) => {
    const message = run.payload.messages[index];
    const [from, to] = [places.get(message.sender), places.get(message.receiver)];
    if (!from || !to) return [];
    const wire = `${message.sender}>${message.receiver}`;
    const nth = met.get(wire) ?? 0;
    met.set(wire, nth + 1);
    return [ringMessage(run, at, index, message, ringChord(from, to), nth, selected === index)];
  });
}

function ringMessage(run, at, index, message, chord, nth, isSelected) {
  const point = ringAlong(chord, ringProgress(message, at, nth));
  const group = domSvg("g", {
    class: `ring-message${isSelected ? " is-selected" : ""}${nth > 0 ? " is-behind" : ""}`, tabindex: "0", role: "button", "data-message": index, "data-kind": message.kind,
    "aria-label": `${message.text}, from ${message.sender} to ${message.receiver}, on its way`,
  });
  const colour = proposalColour(run, message.proposal);
  const line = domSvg("line", { class: "ring-wire", ...chord });
  line.style.stroke = colour;
  const dot = domSvg("g", { class: "ring-dot" }, domSvg("circle", { r: 10 }), domSvg("text", { class: "ring-kind", x: RING_LABEL_AFTER + 3, y: 6, text: domCut(message.kind, 12) }));
  dot.style.transform = `translate(${point.x.toFixed(1)}px, ${point.y.toFixed(1)}px)`;
  dot.firstChild.style.fill = colour;
  group.append(line, dot, domSvg("title", { text: domCut(`${message.sender} → ${message.receiver}: ${message.text}`, 300) }));
  return group;
}

/** How far a message is: by the events between its departure and its end; equal ones behind each other. */
function ringProgress(message, at, nth) {
  const end = message.ended ?? null;
  const share = end === null ? RING_STANDING : (at - message.sent) / Math.max(1, end + 1 - message.sent);
  return Math.max(0.08, Math.min(0.92, share - 0.11 * nth));
}
