// Pointer and keyboard on the space-time diagram: select, walk from item to item, zoom, ask what it is.

import { domCut, domInstant, domNode } from "./dom.js";
import { spacetimeArrowSaid } from "./spacetime-arrow.js";
import { spacetimeSearch } from "./spacetime-rows.js";

function spacetimeSelectionOf(item) {
  if (item.type === "arrow") return { kind: "message", index: item.index };
  if (item.type === "chosen" && item.decision !== null) return { kind: "decision", index: item.decision };
  return { kind: "event", index: item.index };
}

function spacetimeHint(item, run) {
  const event = run.payload.events[item.index];
  const said = item.said ?? (item.type === "arrow" ? spacetimeArrowSaid(item.message) : run.payload.said[item.index]);
  const when = item.type === "arrow" ? run.payload.events[item.event] : event;
  return `${domCut(said ?? "", 300)}\n${domInstant(run.payload.events, when.time)}`;
}

function spacetimeHintBox() {
  let box = document.querySelector(".st-hint");
  if (!box) {
    box = domNode("div", { class: "st-hint", role: "tooltip", hidden: true });
    document.body.append(box);
  }
  return box;
}

function spacetimeItemAt(target) {
  return target instanceof Element ? (target.closest(".st-item")?.labItem ?? null) : null;
}

function spacetimeServerAt(target) {
  return target instanceof Element ? (target.closest("[data-server]")?.dataset.server ?? null) : null;
}

/** Find the next event below or above *event* that is drawn, and the key of its item. */
function spacetimeNeighbour(scene, event, direction) {
  const { rows, messagesAt, visible } = scene.layout;
  const place =
    direction > 0 ? spacetimeSearch(rows.shown, event + 1) : spacetimeSearch(rows.shown, event) - 1;
  const next = rows.shown[place];
  if (next === undefined) return null;
  const message = messagesAt.get(next)?.find((index) => visible.messages[index]);
  return { event: next, key: message === undefined ? `e${next}` : `m${message}` };
}

/** Let a drag along the time axis move the position; return whether the last press was on it. */
function spacetimeScrub(scroller, scene, actions) {
  let isOn = false;
  let isAxis = false;
  const move = (event) => {
    const inside = event.clientY - scroller.getBoundingClientRect().top;
    actions.goTo(Math.max(1, scene.countAbove(inside + scroller.scrollTop)));
  };
  scroller.addEventListener("pointerdown", (event) => {
    isAxis = event.target instanceof Element && event.target.matches(".st-scrub");
    isOn = isAxis;
    scene.isHeld = isOn;
    if (!isOn) return;
    event.preventDefault();
    scroller.setPointerCapture(event.pointerId);
    move(event);
  });
  scroller.addEventListener("pointermove", (event) => isOn && move(event));
  for (const end of ["pointerup", "pointercancel"]) {
    scroller.addEventListener(end, () => {
      isOn = false;
      scene.isHeld = false;
    });
  }
  return () => isAxis;
}

/** Let pointer and keyboard act on *scene*, which scrolls in *scroller*. */
export function createSpacetimePointer(scroller, scene, store, actions, shown) {
  const box = spacetimeHintBox();
  let walked = null; // the event on which the keyboard stands

  const hint = (item, x, y) => {
    box.hidden = !item || !scene.run;
    if (box.hidden) return;
    box.textContent = spacetimeHint(item, scene.run);
    const right = x + 16 + box.offsetWidth < innerWidth;
    box.style.left = `${Math.max(4, right ? x + 16 : x - box.offsetWidth - 12)}px`;
    box.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - box.offsetHeight - 4))}px`;
  };
  const choose = (item) => actions.select(spacetimeSelectionOf(item));

  const walk = (direction) => {
    const { run, at } = shown();
    if (!run || !scene.layout) return;
    const next = spacetimeNeighbour(scene, walked ?? (direction > 0 ? at - 2 : at), direction);
    if (!next) return;
    walked = next.event;
    const y = scene.place.top(next.event);
    const inside = y - scroller.scrollTop;
    if (inside < scene.place.head + 20 || inside > scroller.clientHeight - 30)
      scroller.scrollTop = y - scroller.clientHeight / 2;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => scene.nodes.get(next.key)?.focus({ preventScroll: true })),
    );
  };

  const isOnAxis = spacetimeScrub(scroller, scene, actions);
  scroller.addEventListener("click", (event) => {
    if (isOnAxis()) return;
    const item = spacetimeItemAt(event.target);
    const uid = spacetimeServerAt(event.target);
    if (uid) actions.select({ kind: "server", uid });
    else if (item) {
      walked = item.event;
      choose(item);
    } else if (store.state.selection) actions.select(null);
  });
  scroller.addEventListener("dblclick", (event) => {
    const item = spacetimeItemAt(event.target);
    if (item) actions.goTo((item.ended ?? item.event) + 1);
  });
  scroller.addEventListener(
    "pointermove",
    (event) => hint(spacetimeItemAt(event.target), event.clientX, event.clientY),
    { passive: true },
  );
  scroller.addEventListener("pointerleave", () => hint(null));
  scroller.addEventListener("focusin", (event) => {
    const item = spacetimeItemAt(event.target);
    if (!item || !event.target.matches(":focus-visible")) return;
    if (walked === null) walked = item.event;
    const { right, bottom } = event.target.getBoundingClientRect();
    hint(item, Math.min(right, innerWidth - 40) - 16, bottom - 16);
  });
  scroller.addEventListener("focusout", () => hint(null));
  scroller.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const item = spacetimeItemAt(event.target);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && item) choose(item);
    else if (event.key === "Enter" && spacetimeServerAt(event.target))
      actions.select({ kind: "server", uid: spacetimeServerAt(event.target) });
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  scroller.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const zoom = store.state.diagram.zoom * Math.exp(-event.deltaY * 0.002);
      actions.setDiagram({ isZoomed: true, zoom: Math.min(6, Math.max(0.12, zoom)) });
    },
    { passive: false },
  );
}
