// A wall that is drawn by hand across the ring: the servers on both sides are cut from each other.

import { domSvg } from "./dom.js";
import { ringPlaces, ringSide, ringSize } from "./ring-places.js";

const RING_STROKE_MIN = 60; // shorter strokes are clicks that slipped

/** Let a stroke across *svg* divide the servers; with Shift, only from its left side to its right. */
export function createRingWall(svg, over, store, actions) {
  let start = null;
  const line = domSvg("line", { class: "ring-stroke" });
  const at = (event) => {
    const matrix = svg.getScreenCTM();
    return matrix ? new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse()) : null;
  };
  const end = () => {
    start = null;
    line.remove();
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("[data-server], [data-message]") || !store.state.run) return;
    start = at(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    const now = start && at(event);
    if (!now) return;
    for (const [name, value] of [["x1", start.x], ["y1", start.y], ["x2", now.x], ["y2", now.y]]) line.setAttribute(name, String(value));
    if (!line.parentNode) over.append(line);
  });
  svg.addEventListener("pointerup", (event) => {
    const [from, to] = [start, start && at(event)];
    end();
    if (!to || Math.hypot(to.x - from.x, to.y - from.y) < RING_STROKE_MIN) return;
    const commands = ringWallCommands(store.state.run.payload.servers, svg, from, to, event.shiftKey);
    if (commands.length) actions.fork(commands);
    else actions.notice("Draw the wall between the servers: all of them are on one side of it.");
  });
  svg.addEventListener("pointercancel", end);
}

function ringWallCommands(servers, svg, from, to, isOneWay) {
  const places = ringPlaces(servers, ringSize(servers.length, svg.clientWidth, svg.clientHeight));
  const left = servers.filter((uid) => ringSide(from, to, places.get(uid)) < 0);
  const right = servers.filter((uid) => !left.includes(uid));
  if (!left.length || !right.length) return [];
  if (!isOneWay) return [`partition ${left.join(" ")} | ${right.join(" ")}`];
  return left.flatMap((sender) => right.map((receiver) => `block ${sender}->${receiver}`));
}
