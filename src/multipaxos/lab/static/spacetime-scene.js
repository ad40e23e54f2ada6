// The SVG of the space-time diagram: only what is in view is in the document.

import { domCut, domSvg } from "./dom.js";
import { spacetimeInView } from "./spacetime-items.js";
import { spacetimePaint } from "./spacetime-paint.js";
import { spacetimeCountAbove, spacetimePresent } from "./spacetime-rows.js";

/** Draw how each server fares, as the line of its column. */
function spacetimeColumnNodes(layout, place) {
  const nodes = [];
  for (const column of place.columns) {
    if (!column.client) continue;
    nodes.push(
      domSvg("line", {
        class: "st-column is-client",
        x1: column.x,
        x2: column.x,
        y1: place.head,
        y2: place.height,
      }),
    );
  }
  for (const life of layout.lives) {
    const x = place.x.get(life.server);
    if (x === undefined) continue;
    const [y1, y2] = [place.head + life.from * place.row, place.head + life.to * place.row];
    nodes.push(domSvg("line", { class: `st-column is-${life.status}`, x1: x, x2: x, y1, y2 }));
  }
  return nodes;
}

/** Draw what stays in place while the run scrolls: the names, and the axis along which one scrubs. */
function spacetimeHeadNodes(place) {
  const { em, head } = place;
  const nodes = [
    domSvg("rect", { class: "st-scrub", x: 0, y: head, width: em * 4.2, height: 20000 }),
    domSvg("rect", { class: "st-heading", x: 0, y: 0, width: place.width, height: head - em * 0.5 }),
  ];
  for (const { name, x, client } of place.columns) {
    const words = domCut(
      name,
      Math.max(3, Math.floor((place.gap * (client ? 0.6 : 0.95)) / em / (client ? 0.62 : 0.8))),
    );
    const text = domSvg("text", {
      class: client ? "st-name is-client" : "st-name",
      x,
      y: em * 1.45,
      "text-anchor": "middle",
      text: words,
    });
    text.append(domSvg("title", { text: domCut(name, 2000) }));
    const attributes = client
      ? {}
      : {
          class: "st-heading-name",
          "data-server": name,
          tabindex: "0",
          role: "button",
          "aria-label": `Server ${domCut(name, 60)}`,
        };
    nodes.push(domSvg("g", attributes, text));
  }
  return nodes;
}

/** Give a node and its label the class *name*, or take it away. */
function spacetimeMarkAs(node, name, isSo) {
  node.classList.toggle(name, isSo);
  node.labLabel?.classList.toggle(name, isSo);
}

/** Show how far *item* has come when *at* events have happened. */
function spacetimeAge(item, node, at, present) {
  const isFuture = item.event >= at;
  spacetimeMarkAs(node, "is-future", isFuture);
  if (item.type !== "arrow") return;
  const isFlying = !isFuture && item.ended !== null && item.ended >= at;
  spacetimeMarkAs(node, "is-flying", isFlying);
  if (!isFlying) return;
  const part =
    item.y2 > item.y1 ? Math.min(1, Math.max(0.06, (present - item.y1) / (item.y2 - item.y1))) : 0.5;
  const x = item.x1 + (item.x2 - item.x1) * part;
  const y = item.y1 + (item.y2 - item.y1) * part;
  const trail = node.querySelector(".st-trail");
  trail.setAttribute("x2", x);
  trail.setAttribute("y2", y);
  const dot = node.querySelector(".st-dot");
  dot.setAttribute("cx", x);
  dot.setAttribute("cy", y);
}

/** The scene: one SVG as large as the window onto the run, with the items that are in it. */
export class SpacetimeScene {
  constructor(svg) {
    this.svg = svg;
    this.back = domSvg("g");
    // Labels lie above all lines, and marks between them: no arrow crosses out what another says.
    this.layers = { lease: domSvg("g"), arrow: domSvg("g"), mark: domSvg("g"), label: domSvg("g") };
    this.veil = domSvg("rect", { class: "st-veil", x: 0 });
    this.present = domSvg("g", { class: "st-present" }, domSvg("line", { x1: 0 }));
    this.fork = domSvg("g", { class: "st-fork" });
    this.moving = domSvg(
      "g",
      {},
      this.back,
      this.layers.lease,
      this.veil,
      this.fork,
      this.present,
      this.layers.arrow,
      this.layers.mark,
      this.layers.label,
    );
    this.headings = domSvg("g");
    svg.append(this.moving, this.headings);
    this.nodes = new Map();
    this.related = new Set();
    this.selected = null;
  }

  /** Take over a new layout, placed anew: everything is drawn again. */
  show(layout, place, run) {
    Object.assign(this, { layout, place, run });
    this.nodes.clear();
    for (const layer of Object.values(this.layers)) layer.replaceChildren();
    this.back.replaceChildren(...spacetimeColumnNodes(layout, place));
    this.headings.replaceChildren(...spacetimeHeadNodes(place));
    this.svg.classList.toggle("is-small", place.row < place.em);
  }

  /** Give the height of the line between what has happened at *at* and what has not. */
  presentAt(at) {
    return this.place.head + spacetimePresent(at, this.layout.rows) * this.place.row;
  }

  /** Count the events that have happened above the height *top*, in pixels. */
  countAbove(top) {
    return spacetimeCountAbove((top - this.place.head) / this.place.row, this.layout.rows);
  }

  /** Take the *height* of the window onto the run. */
  resize(height) {
    this.svg.setAttribute("width", this.place.width);
    this.svg.setAttribute("height", height);
  }

  /** Draw what is in view from the height *scroll* on. */
  draw({ at, scroll, height }) {
    const { place } = this;
    this.moving.setAttribute("transform", `translate(0,${-scroll})`);
    const present = this.presentAt(at);
    this.#drawPresent(present);
    const wanted = spacetimeInView(place.items, scroll - place.row * 3, scroll + height + place.row * 3);
    const keys = new Set(wanted.map((item) => item.key));
    for (const [key, node] of this.nodes) {
      if (keys.has(key) || node === document.activeElement) continue;
      node.labLabel?.remove();
      node.remove();
      this.nodes.delete(key);
    }
    for (const item of wanted) spacetimeAge(item, this.#node(item), at, present);
  }

  #drawPresent(present) {
    const line = this.present.firstChild;
    line.setAttribute("x2", this.place.width);
    this.present.setAttribute("transform", `translate(0,${present})`);
    this.veil.setAttribute("y", present);
    this.veil.setAttribute("width", this.place.width);
    this.veil.setAttribute("height", Math.max(0, this.place.height - present + 4000));
  }

  #node(item) {
    let node = this.nodes.get(item.key);
    if (node) return node;
    node = spacetimePaint(item, this.place, this.run);
    node.labItem = item;
    this.nodes.set(item.key, node);
    (this.layers[item.type] ?? this.layers.mark).append(node);
    if (node.labLabel) {
      node.labLabel.labItem = item;
      this.layers.label.append(node.labLabel);
    }
    this.#highlight(item.key, node);
    return node;
  }

  #highlight(key, node) {
    spacetimeMarkAs(node, "is-selected", key === this.selected);
    spacetimeMarkAs(node, "is-related", this.related.has(key));
  }

  /** Mark the event from which on this run differs from the one beside it; null for none. */
  mark(event) {
    this.fork.replaceChildren();
    if (event === null || !this.place.columns.length) return;
    const last = this.layout.rows.y.length - 1;
    const y = this.place.top(Math.min(event, last)) - this.place.row * 0.5;
    this.fork.append(
      domSvg("line", { x1: 0, x2: this.place.width, y1: y, y2: y }),
      domSvg("text", {
        x: this.place.em * 0.6,
        y: y - this.place.em * 0.35,
        text: "from here on they differ",
      }),
    );
  }

  /** Underline the name of the server *uid*; null for none. */
  selectServer(uid) {
    for (const node of this.headings.children)
      node.classList.toggle("is-selected", uid !== null && node.dataset.server === uid);
  }

  /** Highlight the items of these keys, the first of them as the selected one. */
  select(keys) {
    this.selected = keys[0] ?? null;
    this.related = new Set(keys);
    this.svg.classList.toggle("has-selection", keys.length > 0);
    for (const [key, node] of this.nodes) this.#highlight(key, node);
  }
}
