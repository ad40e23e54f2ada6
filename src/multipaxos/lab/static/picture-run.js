// The space-time diagram of a whole run, drawn for a picture: the page itself draws only what is in view.

import { domNode, domSvg } from "./dom.js";
import { pictureSvg } from "./picture-svg.js";
import { SPACETIME_DRAWN_MAX, spacetimeLayout, spacetimePlace } from "./spacetime-items.js";
import { SpacetimeScene } from "./spacetime-scene.js";

const PICTURE_ROW = 1.75; // height of a row, in em of the page
const PICTURE_WIDTH_MIN = 48; // in em of the page
const PICTURE_BELOW = 2;

/** Give the whole *run*, under *filter*, as the text of an SVG file. */
export function pictureOfRun(run, filter) {
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  const shown = document.querySelector("#spacetime .st-scroll")?.clientWidth ?? 0;
  const width = Math.max(shown, em * PICTURE_WIDTH_MIN);
  const layout = spacetimeLayout(run.payload, filter);
  const place = spacetimePlace(layout, { width, row: em * PICTURE_ROW, em });
  if (place.items.length > SPACETIME_DRAWN_MAX) {
    throw new Error(
      "The whole run is too much for one picture. Choose one link in the diagram, or hide kinds of messages there; or save what is in view.",
    );
  }
  return pictureDrawn(layout, place, run, place.height + em * PICTURE_BELOW);
}

/** Draw it in the page, where its styles are, but out of sight. */
function pictureDrawn(layout, place, run, height) {
  const svg = domSvg("svg", { class: "st-svg" });
  const host = domNode("div", { class: "spacetime picture-host", "aria-hidden": "true" }, svg);
  document.body.append(host);
  try {
    const scene = new SpacetimeScene(svg);
    scene.show(layout, place, run);
    scene.select([]);
    scene.draw({ at: run.events.length, scroll: 0, height });
    scene.present.remove();
    scene.veil.remove();
    return pictureSvg(svg, run.payload.title);
  } finally {
    host.remove();
  }
}
