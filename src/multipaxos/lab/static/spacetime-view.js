// The space-time diagram: a column for each server and client, time downwards, messages as arrows.

import { branchDifference, branchSameMoment } from "./branch-difference.js";
import { domNode, domOncePerFrame, domSvg } from "./dom.js";
import { spacetimeLayout, spacetimePlace } from "./spacetime-items.js";
import { createSpacetimePointer } from "./spacetime-pointer.js";
import { spacetimeRelated } from "./spacetime-related.js";
import { SpacetimeScene } from "./spacetime-scene.js";
import { createSpacetimeToolbar } from "./spacetime-toolbar.js";

const SPACETIME_ROW = 1.75; // height of a row, in em of the page, at zoom 1

function spacetimeEm() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}

/** Give what the view shows: the run of the store, or that which it is compared with. */
function spacetimeShown(state, compared) {
  if (!compared) return { run: state.run, at: state.at };
  const run = state.branches[state.compare]?.run ?? null;
  return { run, at: run && state.run ? branchSameMoment(state, run) : 0 };
}

/** Find the height of rows at which all of *layout* fits into *height* pixels, within reason. */
function spacetimeFitZoom(layout, height, em) {
  const zoom = (height - em * 3) / (layout.rows.height * em * SPACETIME_ROW);
  return Math.min(2, Math.max(0.12, zoom));
}

/** Make the space-time diagram in *element*: `compared` for the run that the shown one is compared with. */
export function createSpacetimeView(element, store, actions, { compared = false } = {}) {
  const spacer = domNode("div", { class: "st-spacer" });
  const svg = domSvg("svg", {
    class: "st-svg",
    role: "group",
    "aria-label": "Space-time diagram: arrow keys go from event to event",
  });
  const scroller = domNode(
    "div",
    { class: "st-scroll", tabindex: "0", "aria-label": "Space-time diagram" },
    svg,
    spacer,
  );
  element.classList.add("spacetime");
  element.append(createSpacetimeToolbar(store, actions));
  element.append(scroller);
  const scene = new SpacetimeScene(svg);
  let known = { fit: 0 }; // what the picture was made of, to see what has changed
  let layout = null;

  // The present line stands still while the run moves: the picture depends on run and position only.
  const follow = (at, height) => {
    scroller.scrollTop = Math.round(scene.presentAt(at) - height * 0.66);
  };

  const reveal = (height) => {
    const item = scene.place.items.find((each) => each.key === scene.selected);
    if (!item) return;
    const y = item.type === "arrow" ? (item.y1 + item.y2) / 2 : item.y;
    const inside = y - scroller.scrollTop;
    if (inside < scene.place.head || inside > height - 20) scroller.scrollTop = y - height / 2;
  };

  // What stands still when the picture is laid out anew: the present line, or what is in the middle.
  const anchor = (run, height) => {
    if (known.run !== run) return null;
    const inside = scene.presentAt(known.at) - scroller.scrollTop;
    if (inside > 0 && inside < height) return (at) => scene.presentAt(at) - inside;
    const event = Math.min(scene.countAbove(scroller.scrollTop + height / 2), run.events.length - 1);
    return () => scene.place.top(event) - height / 2;
  };

  const layOut = (run, state) => {
    const { filter } = state;
    if (known.run !== run || known.filter !== filter) layout = spacetimeLayout(run.payload, filter);
  };

  // The whole run at once where it is asked for, or where that makes a new run only a little smaller.
  const zoomFor = (run, state, height, em) => {
    const { diagram, branches } = state;
    const fitting = spacetimeFitZoom(layout, height, em);
    if (compared) return diagram.zoom;
    if (known.fit !== diagram.fit) return fitting;
    const isNew = known.run !== run && branches.length === 1 && !diagram.isZoomed;
    return isNew ? Math.min(1, Math.max(0.8, fitting)) : diagram.zoom;
  };

  const place = (run, state, width, height, em) => {
    const zoom = zoomFor(run, state, height, em);
    if (zoom !== state.diagram.zoom) {
      const isZoomed = state.diagram.isZoomed || known.fit !== state.diagram.fit;
      queueMicrotask(() => actions.setDiagram({ zoom, isZoomed }));
    }
    const row = em * SPACETIME_ROW * zoom;
    const placed = spacetimePlace(layout, { width, row, em });
    if (svg.contains(document.activeElement)) scroller.focus({ preventScroll: true });
    scene.show(layout, placed, run);
    scene.resize(height); // before anything scrolls: the height of all depends on it
    spacer.style.height = `${Math.max(0, placed.height - height)}px`;
    spacer.style.width = `${placed.width}px`;
  };

  const draw = () => {
    const { state } = store;
    const { run, at } = spacetimeShown(state, compared);
    element.classList.toggle("is-empty", run === null);
    if (run === null || element.offsetParent === null) return;
    const [width, height] = [scroller.clientWidth, scroller.clientHeight];
    const em = spacetimeEm();
    const now = {
      run,
      filter: state.filter,
      zoom: state.diagram.zoom,
      fit: state.diagram.fit,
      width,
      height,
      em,
    };
    const moved = Object.keys(now).some((key) => known[key] !== now[key]);
    const isOther = known.run !== run || known.at !== at;
    if (moved) {
      const back = anchor(run, height);
      layOut(run, state);
      place(run, state, width, height, em);
      if (back) scroller.scrollTop = back(at);
    }
    const isNew = known.selection !== state.selection;
    if (moved || isNew) {
      scene.select(spacetimeRelated(state.selection, layout));
      scene.selectServer(state.selection?.kind === "server" ? state.selection.uid : null);
    }
    const differs = branchDifference(state);
    if (moved || known.differs !== differs) scene.mark(differs);
    if (isNew && scene.selected) reveal(height);
    else if (isOther && !scene.isHeld) follow(at, height);
    svg.classList.toggle("hides-future", !state.diagram.future);
    scene.draw({ at, scroll: scroller.scrollTop, height });
    known = { ...known, ...now, at, differs, selection: state.selection };
    element.dataset.at = at;
  };

  const redraw = domOncePerFrame(draw);
  store.subscribe(redraw);
  scroller.addEventListener("scroll", redraw, { passive: true });
  new ResizeObserver(redraw).observe(scroller);
  createSpacetimePointer(scroller, scene, store, actions, () => spacetimeShown(store.state, compared));
  redraw();
  return { redraw };
}
