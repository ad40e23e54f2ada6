// A picture of the page as a file of its own: what the stylesheets say of it is written into it.
//
// As attributes, which every program that reads SVG understands, and only where they change something.

const PICTURE_SVG = "http://www.w3.org/2000/svg";
const PICTURE_SCALE = 2; // pixels of a PNG for each of the screen's
const PICTURE_PIXELS_MAX = 16000; // along a side of a PNG; browsers make none that are much larger
const PICTURE_INHERITED = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "stroke-opacity", "font-family", "font-size", "font-style", "font-weight", "font-variant-numeric", "letter-spacing",
  "text-anchor", "paint-order", "visibility", "marker-start", "marker-mid", "marker-end",
];
const PICTURE_OWN = new Map([
  ["opacity", "1"], ["dominant-baseline", "auto"], ["text-decoration-line", "none"], ["clip-path", "none"],
  ["mask", "none"], ["filter", "none"],
]);
const PICTURE_MOVED = ["transform", "transform-origin", "transform-box"];
const PICTURE_DRAWN = "g, path, line, rect, circle, ellipse, polygon, polyline, text, tspan, image, use, foreignObject";
const PICTURE_PAINTS = new Set(["fill", "stroke"]);
const PICTURE_PAGE_ONLY = /^(class|style|tabindex|role|focusable|data-.*|aria-.*)$/;

/** Give *svg*, an element of the page, as the text of an SVG file that needs no stylesheet, called *title*. */
export function pictureSvg(svg, title) {
  const copy = svg.cloneNode(true);
  const { width, height } = svg.getBoundingClientRect();
  pictureInline(svg, copy, null);
  copy.setAttribute("width", String(Math.ceil(width)));
  copy.setAttribute("height", String(Math.ceil(height)));
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`);
  const name = document.createElementNS(PICTURE_SVG, "title");
  name.textContent = title;
  copy.prepend(name, picturePaper(svg, width, height));
  return pictureWritable(new XMLSerializer().serializeToString(copy));
}

/** Take out what no XML file may hold: a value of a hostile trace may have such characters. */
function pictureWritable(text) {
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
}

/** Write into *copy*, and all in it, how *original* looks; *above* is how the element around it looks. */
function pictureInline(original, copy, above) {
  const style = getComputedStyle(original);
  if (style.display === "none" && copy.matches(PICTURE_DRAWN)) {
    copy.remove();
    return;
  }
  const children = [...copy.children];
  const isMoved = !copy.hasAttribute("transform") && style.transform !== "none";
  for (const { name } of [...copy.attributes]) {
    if (PICTURE_PAGE_ONLY.test(name)) copy.removeAttribute(name);
  }
  for (const name of PICTURE_INHERITED) {
    const value = style.getPropertyValue(name);
    copy.removeAttribute(name);
    if (value && value !== above?.getPropertyValue(name)) pictureSet(copy, name, value);
  }
  for (const [name, usual] of PICTURE_OWN) {
    const value = style.getPropertyValue(name);
    copy.removeAttribute(name);
    if (value && value !== usual) pictureSet(copy, name.replace(/-line$/, ""), value);
  }
  if (isMoved) {
    for (const name of PICTURE_MOVED) copy.style.setProperty(name, style.getPropertyValue(name));
  }
  children.forEach((child, place) => pictureInline(original.children[place], child, style));
}

/** Set the attribute *name*. A colour that lets something through is written in the older way: apart. */
function pictureSet(copy, name, value) {
  const parts = PICTURE_PAINTS.has(name) ? /^rgba\((.+),\s*([\d.]+)\)$/.exec(value) : null;
  if (parts === null) {
    copy.setAttribute(name, value);
  } else if (Number(parts[2]) === 0) {
    copy.setAttribute(name, "none");
  } else {
    copy.setAttribute(name, `rgb(${parts[1]})`);
    copy.setAttribute(`${name}-opacity`, parts[2]);
  }
}

/** Give a sheet in the colour that is behind *svg*, so that a picture of the dark theme stays legible. */
function picturePaper(svg, width, height) {
  const paper = document.createElementNS(PICTURE_SVG, "rect");
  const box = svg.hasAttribute("viewBox") ? svg.viewBox.baseVal : { x: 0, y: 0, width, height };
  // Where the picture's proportions are not the box's, the sheet is seen beyond it.
  const [across, down] = [box.width, box.height];
  paper.setAttribute("x", String(box.x - across));
  paper.setAttribute("y", String(box.y - down));
  paper.setAttribute("width", String(across * 3));
  paper.setAttribute("height", String(down * 3));
  paper.setAttribute("fill", getComputedStyle(document.documentElement).getPropertyValue("--paper").trim() || "#ffffff");
  paper.setAttribute("stroke", "none");
  return paper;
}

/** Give the SVG *text* as a PNG, as a blob. */
export async function picturePng(text) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    await image.decode();
    const scale = Math.min(PICTURE_SCALE, PICTURE_PIXELS_MAX / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.width * scale);
    canvas.height = Math.round(image.height * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser makes no PNG of this picture."))));
    });
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
