// The switches of the space-time diagram: zoom, link, kinds of messages, routine, future.

import { domCut, domNode } from "./dom.js";

const SPACETIME_LINKS_MAX = 400;

/** Zoom by *factor*, within what can be read. */
export function spacetimeZoom(store, actions, factor) {
  actions.setDiagram({
    isZoomed: true,
    zoom: Math.min(6, Math.max(0.12, store.state.diagram.zoom * factor)),
  });
}

function spacetimeSwitch(words, title, change) {
  const input = domNode("input", { type: "checkbox", onchange: () => change(input.checked) });
  return {
    input,
    label: domNode("label", { class: "switch", title }, input, domNode("span", { text: words })),
  };
}

function spacetimeLinkSelect(actions) {
  const select = domNode("select", {
    "aria-label": "Show one link only",
    title: "Show one link of the chain only",
    onchange: () => actions.setFilter({ link: select.value === "" ? null : Number(select.value) }),
  });
  return select;
}

function spacetimeFillLinks(select, payload, filter) {
  const links = [...new Set(payload.messages.map((message) => message.link))]
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
  const options = links
    .slice(0, SPACETIME_LINKS_MAX)
    .map((link) => domNode("option", { value: link, text: `link ${link}` }));
  select.replaceChildren(domNode("option", { value: "", text: "all links" }), ...options);
  select.value = filter.link === null ? "" : String(filter.link);
}

function spacetimeFillKinds(list, payload, store, actions) {
  const kinds = [...new Set(payload.messages.map((message) => message.kind))].sort().slice(0, 60);
  const boxes = kinds.map((kind) => {
    const { input, label } = spacetimeSwitch(
      domCut(kind, 24),
      `Show ${domCut(kind, 60)} messages`,
      (shown) => {
        const hidden = new Set(store.state.filter.kinds);
        if (shown) hidden.delete(kind);
        else hidden.add(kind);
        actions.setFilter({ kinds: hidden });
      },
    );
    input.checked = !store.state.filter.kinds.has(kind);
    input.dataset.messageKind = kind;
    return label;
  });
  list.replaceChildren(...boxes);
}

/** Make the toolbar of the diagram. */
export function createSpacetimeToolbar(store, actions) {
  const button = (text, title, name, onclick) =>
    domNode("button", {
      type: "button",
      class: "tool",
      title,
      "aria-label": title,
      "data-tool": name,
      text,
      onclick,
    });
  const links = spacetimeLinkSelect(actions);
  const kinds = domNode("div", { class: "st-kinds" });
  const menu = domNode(
    "details",
    { class: "st-kinds-menu" },
    domNode("summary", { class: "tool", text: "messages" }),
    kinds,
  );
  const routine = spacetimeSwitch("routine", "Show timers, syncs and late answers as well (H)", (shown) =>
    actions.setFilter({ routine: shown }),
  );
  const future = spacetimeSwitch("future", "Show faintly what comes later (G)", (shown) =>
    actions.setDiagram({ future: shown }),
  );
  routine.input.dataset.tool = "routine";
  future.input.dataset.tool = "future";
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  let known = null;
  const draw = (state) => {
    routine.input.checked = state.filter.routine;
    future.input.checked = state.diagram.future;
    links.value = state.filter.link === null ? "" : String(state.filter.link);
    menu.classList.toggle("is-on", state.filter.kinds.size > 0);
    if (!state.run || state.run === known) return;
    known = state.run;
    spacetimeFillLinks(links, known.payload, state.filter);
    spacetimeFillKinds(kinds, known.payload, store, actions);
  };
  store.subscribe(draw);
  draw(store.state);
  return domNode(
    "div",
    { class: "st-tools", role: "toolbar", "aria-label": "Space-time diagram" },
    button("−", "Zoom out (−)", "zoom-out", () => spacetimeZoom(store, actions, 1 / 1.25)),
    button("+", "Zoom in (+)", "zoom-in", () => spacetimeZoom(store, actions, 1.25)),
    button("fit", "Fit the run into the picture (F)", "fit", () =>
      actions.setDiagram({ fit: store.state.diagram.fit + 1 }),
    ),
    domNode("span", { class: "gap" }),
    links,
    menu,
    routine.label,
    future.label,
  );
}
