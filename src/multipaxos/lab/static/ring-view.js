// The ring: the same instant as in the diagram, as a place. Servers on a circle, messages between them.

import { domOncePerFrame, domSvg } from "./dom.js";
import { ringCard } from "./ring-card.js";
import { createRingWall } from "./ring-draw-wall.js";
import { ringMessages } from "./ring-messages.js";
import { ringPlaces, ringSize } from "./ring-places.js";
import { ringWalls } from "./ring-walls.js";

/** Make the ring in *element*. */
export function createRingView(element, store, actions) {
  const [wires, cards, over] = [domSvg("g", {}), domSvg("g", {}), domSvg("g", {})];
  const legend = domSvg("text", { class: "ring-legend", x: 12, y: 22, text: "P promised  A accepted" });
  const svg = domSvg("svg", { class: "ring", role: "group", "aria-label": "The servers at this instant" }, legend, wires, cards, over);
  element.append(svg);
  const draw = domOncePerFrame(() => ringDraw(store.state, svg, wires, cards));
  new ResizeObserver(draw).observe(element);
  store.subscribe((state, patch) => {
    if (["run", "at", "selection", "branch"].some((name) => name in patch)) draw();
  });
  const choose = (event) => {
    const chosen = event.target.closest("[data-message], [data-server]");
    if (!chosen) return false;
    const { message, server } = chosen.dataset;
    actions.select(message === undefined ? { kind: "server", uid: server } : { kind: "message", index: Number(message) });
    return true;
  };
  svg.addEventListener("click", choose);
  svg.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && choose(event)) event.preventDefault();
  });
  createRingWall(svg, over, store, actions);
  draw();
}

function ringDraw({ run, at, selection }, svg, wires, cards) {
  if (run === null) {
    wires.replaceChildren();
    cards.replaceChildren();
    return;
  }
  const picture = run.state(at);
  const servers = run.payload.servers.filter((uid) => Object.hasOwn(picture.servers, uid));
  const size = ringSize(servers.length, svg.clientWidth, svg.clientHeight);
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  const places = ringPlaces(servers, size);
  const lit = ringLit(run, at, selection);
  const focused = document.activeElement?.dataset ?? {};
  const selected = selection?.kind === "message" ? selection.index : null;
  wires.replaceChildren(...ringWalls(picture.blocked, places), ...ringMessages(run, at, places, selected));
  cards.replaceChildren(...servers.map((uid) => ringCard(run, picture, uid, places.get(uid), lit.has(uid))));
  ringFocusAgain(focused, wires, cards);
}

/** The servers to be lit: those that made the choice that was just made, or that is selected. */
function ringLit(run, at, selection) {
  if (selection?.kind === "server") return new Set([selection.uid]);
  const selected = selection?.kind === "decision" ? run.payload.decisions[selection.index] : null;
  const now = run.payload.decisions.find((decision) => decision.event === at - 1);
  return new Set((selected ?? now)?.acceptors ?? []);
}

/** What had the focus before it was drawn anew has it again. */
function ringFocusAgain({ message, server }, wires, cards) {
  if (message !== undefined) wires.querySelector(`[data-message="${CSS.escape(message)}"]`)?.focus();
  else if (server !== undefined && document.activeElement === document.body) cards.querySelector(`[data-server="${CSS.escape(server)}"]`)?.focus();
}
