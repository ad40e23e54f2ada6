// Two runs in numbers, side by side.

import { domCut, domNode, domSeconds } from "./dom.js";

const RUN_COUNTS = [
  ["messages", "messages"], ["lost", "lost messages"], ["rounds", "rounds"], ["wasted_rounds", "wasted rounds"],
  ["decisions", "decisions"], ["seconds", "time"],
];

/** Make the table of what the shown run and the one that it is compared with came to; null without one. */
export function runCompareTable(state) {
  const [shown, other] = [state.branches[state.branch], state.branches[state.compare]];
  if (state.compare === null || !shown || !other) return null;
  const words = (branch, name) => (name === "seconds" ? domSeconds(branch.run.payload.totals.seconds) : String(branch.run.payload.totals[name]));
  const rows = RUN_COUNTS.map(([name, label]) => {
    const [one, two] = [words(other, name), words(shown, name)];
    return domNode("tr", {}, domNode("th", { scope: "row", text: label }), domNode("td", { text: one }), domNode("td", { class: one === two ? "" : "differs", text: two }));
  });
  rows.push(domNode("tr", {}, domNode("th", { scope: "row", text: "broken invariants" }),
    ...[other, shown].map(({ run }) => domNode("td", { text: [...new Set(run.payload.violations.map(({ name }) => name.split(" ", 1)[0]))].join(", ") || "none" }))));
  const head = domNode("tr", {}, domNode("td", {}), ...[other, shown].map((branch) => domNode("th", { scope: "col", text: domCut(branch.name, 40) })));
  return domNode("table", { class: "run-table", "data-table": "compare" }, domNode("thead", {}, head), domNode("tbody", {}, ...rows));
}
