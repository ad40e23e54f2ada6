// A picture of the page as a file of its own: what the stylesheets say of it is written into it.

const PICTURE_SVG = "http://www.w3.org/2000/svg";
const PICTURE_SCALE = 2; // pixels of a PNG for each of the screen's
const PICTURE_STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "stroke-opacity", "opacity", "font-family", "font-size", "font-style", "font-weight", "text-anchor",
  "dominant-baseline", "paint-order", "visibility", "display", "marker-end", "marker-start", "transform",
];
const PICTURE_ATTRIBUTES = new Set(["tabindex", "role", "class", "focusable"]);

/** Give *svg*, an element of the page, as the text of an SVG file that needs no stylesheet. */
export function pictureSvg(svg) {
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  const copies = [copy, ...copy.querySelectorAll("*")];
  copies.forEach((element, place) => pictureInline(originals[place], element));
  const { width, height } = svg.getBoundingClientRect();
  copy.setAttribute("xmlns", PICTURE_SVG);
  copy.setAttribute("width", String(Math.ceil(width)));
  copy.setAttribute("height", String(Math.ceil(height)));
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`);
  copy.prepend(picturePaper(svg));
  return new XMLSerializer().serializeToString(copy);
}

function pictureInline(original, element) {
  const style = getComputedStyle(original);
  for (const name of PICTURE_STYLES) {
    const value = style.getPropertyValue(name);
    if (value && !(name === "transform" && value === "none")) element.style.setProperty(name, value);
  }
  for (const { name } of [...element.attributes]) {
    if (PICTURE_ATTRIBUTES.has(name) || name.startsWith("data-") || name.startsWith("aria-")) element.removeAttribute(name);
  }
}

/** Give a sheet in the colour of the page, so that a picture in the dark theme stays legible. */
function picturePaper(svg) {
  const paper = document.createElementNS(PICTURE_SVG, "rect");
  const panel = getComputedStyle(document.documentElement).getPropertyValue("--panel").trim() || "#ffffff";
  const box = svg.viewBox.baseVal;
  paper.setAttribute("x", String(box?.x ?? 0));
  paper.setAttribute("y", String(box?.y ?? 0));
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.style.fill = panel;
  return paper;
}

/** Give the SVG *text* as a PNG, as a blob. */
export async function picturePng(text) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width * PICTURE_SCALE;
    canvas.height = image.height * PICTURE_SCALE;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The browser makes no PNG of this picture."))));
    });
  } finally {
    URL.revokeObjectURL(image.src);
  }
}
