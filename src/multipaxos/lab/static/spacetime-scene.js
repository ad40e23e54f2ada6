// The SVG of the space-time diagram: only what is in view is in the document.

import { domSvg } from "./dom.js";
import { spacetimeDress } from "./spacetime-dress.js";
import { spacetimeColumnNodes, spacetimeHeadNodes } from "./spacetime-frame.js";
import { spacetimeInView } from "./spacetime-items.js";
import { spacetimePaint } from "./spacetime-paint.js";
import { spacetimeCountAbove, spacetimePresent } from "./spacetime-rows.js";

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
    this.isHeld = false; // while a person drags the position, the picture stands still
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
    const look = { at, present, selected: this.selected, related: this.related };
    const below = new Map(); // the node that stands above the next one, in each layer
    for (const item of wanted.reverse()) spacetimeDress(this.#node(item, below), item, look);
  }

  #drawPresent(present) {
    const line = this.present.firstChild;
    line.setAttribute("x2", this.place.width);
    this.present.setAttribute("transform", `translate(0,${present})`);
    this.veil.setAttribute("y", present);
    this.veil.setAttribute("width", this.place.width);
    this.veil.setAttribute("height", Math.max(0, this.place.height - present + 4000));
  }

  /** Find or make the node of *item*, in its layer before what is drawn after it. */
  #node(item, below) {
    const layer = this.layers[item.type] ?? this.layers.mark;
    let node = this.nodes.get(item.key);
    if (!node) {
      node = spacetimePaint(item, this.place, this.run);
      this.nodes.set(item.key, node);
      this.#put(node, item, layer, below);
    }
    below.set(layer, node);
    if (node.labLabel) below.set(this.layers.label, node.labLabel);
    return node;
  }

  #put(node, item, layer, below) {
    node.labItem = item;
    layer.insertBefore(node, below.get(layer) ?? null);
    if (!node.labLabel) return;
    node.labLabel.labItem = item;
    this.layers.label.insertBefore(node.labLabel, below.get(this.layers.label) ?? null);
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
  }
}
