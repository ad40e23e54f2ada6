// The help: how to read the pictures, and the keys.

import { domNode, domSvg } from "./dom.js";

const HELP_READING = [
  ["star", "A value is chosen: a quorum has accepted one number. Nobody may know it yet."],
  ["arrow", "A message; its colour is its proposal number. An open dot is where it is now."],
  ["grey", "A grey arrow was refused: point at it, or select it, to see why."],
  ["lost", "A message that was lost ends in a cross."],
  ["disk", "The server saves: what follows is sent only after it."],
  [
    "lease",
    "A bar beside a column: the lease that this server believes in. Filled: its own. Outlined: that of the master named.",
  ],
  ["gone", "A broken column: the server is down. A thick one: it is paused."],
];

function helpSign(name) {
  const svg = domSvg("svg", { class: `help-sign is-${name}`, viewBox: "0 0 40 20", "aria-hidden": "true" });
  const line = (x1, y1, x2, y2, extra = {}) => domSvg("line", { x1, y1, x2, y2, ...extra });
  const parts = {
    star: () => [
      domSvg("path", {
        class: "fill",
        d: "M20,1 L22.6,7.5 29,8 24,12.3 25.6,19 20,15.3 14.4,19 16,12.3 11,8 17.4,7.5 Z",
      }),
    ],
    arrow: () => [line(3, 5, 26, 13), domSvg("circle", { cx: 29, cy: 14, r: 4 })],
    grey: () => [line(3, 5, 31, 14), domSvg("path", { class: "fill", d: "M37,16 l-8,-6 l-2,6 Z" })],
    lost: () => [line(3, 5, 25, 11), domSvg("path", { class: "cross", d: "M22,7 l9,9 M31,7 l-9,9" })],
    disk: () => [line(20, 0, 20, 20), domSvg("path", { class: "fill", d: "M15,5 h8 l3,3 v8 h-11 Z" })],
    lease: () => [
      domSvg("rect", { class: "fill", x: 10, y: 1, width: 6, height: 18, rx: 2 }),
      domSvg("rect", { x: 23, y: 1, width: 9, height: 18, rx: 2 }),
    ],
    gone: () => [line(13, 0, 13, 20, { class: "dotted" }), line(27, 0, 27, 20, { class: "thick" })],
  };
  svg.append(...parts[name]());
  return svg;
}

/** Make the help in *dialog*; `open` shows it. */
export function createHelpView(dialog, table) {
  const close = domNode("button", {
    type: "button",
    class: "tool",
    text: "Close",
    onclick: () => dialog.close(),
  });
  const reading = HELP_READING.map(([name, words]) =>
    domNode("li", {}, helpSign(name), domNode("span", { text: words })),
  );
  const keys = table.map(([title, rows]) =>
    domNode(
      "section",
      {},
      domNode("h3", { text: title }),
      domNode(
        "dl",
        { class: "help-keys" },
        ...rows.map(([, written, words]) =>
          domNode(
            "div",
            {},
            domNode("dt", {}, domNode("kbd", { text: written })),
            domNode("dd", { text: words }),
          ),
        ),
      ),
    ),
  );
  dialog.append(
    domNode("header", {}, domNode("h2", { text: "How to read and steer the lab" }), close),
    domNode("ul", { class: "help-reading" }, ...reading),
    domNode("p", {
      text: "In the space-time diagram ↑ and ↓ go from event to event, Enter selects. A double click goes to that moment. Whatever you change makes a new branch; the old future stays.",
    }),
    domNode("div", { class: "help-columns" }, ...keys),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
