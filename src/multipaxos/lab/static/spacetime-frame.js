// What of the diagram depends on the run alone: the columns, their names, the axis.

import { domCut, domSvg } from "./dom.js";

/** Draw how each server fares, as the line of its column. */
export function spacetimeColumnNodes(layout, place) {
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
export function spacetimeHeadNodes(place) {
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
