// Elements without markup: text is always textContent, so that no value of a trace can become HTML.

const DOM_SVG = "http://www.w3.org/2000/svg";

function domFill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make an HTML element; attribute `text` is its text, `onclick` and its like are listeners. */
export function domNode(tag, attributes = {}, ...children) {
  return domFill(document.createElement(tag), attributes, children);
}

/** Make an SVG element, in the same manner. */
export function domSvg(tag, attributes = {}, ...children) {
  return domFill(document.createElementNS(DOM_SVG, tag), attributes, children);
}

/** Cut *text* to *length* characters, the last of them an ellipsis. */
export function domCut(text, length) {
  const whole = String(text);
  if (whole.length <= length) return whole;
  return length < 2 ? "…" : `${whole.slice(0, length - 1)}…`;
}

/** Call *draw* once in the next frame, however often it is asked for. */
export function domOncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/**
 * Say when something happened in the run of *events*: a machine's own clock counts from the run's
 * beginning here, for nobody knows when that machine booted.
 */
export function domInstant(events, seconds) {
  const clock = events[0]?.clock;
  if (clock === "steps") return `step ${seconds}`;
  return domSeconds(clock === "virtual" ? seconds : seconds - events[0].time);
}

/** Say seconds as a person would: "0 s", "1.250 s", "12.1 s". */
export function domSeconds(seconds) {
  if (Math.abs(seconds) >= 1e7) return `${Number(seconds).toExponential(3)} s`;
  const places = Math.abs(seconds) >= 100 ? 1 : 3;
  return `${Number(seconds)
    .toFixed(places)
    .replace(/\.?0+$/, "")} s`;
}
