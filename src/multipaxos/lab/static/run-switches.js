// The switches of the run panel: servers, seed, network, strategies, and one bug.

import { domNode } from "./dom.js";

const RUN_NETWORKS = [["held", "held: a person delivers each message"], ["automatic", "delivers by itself"]];

/** Make the switches for *wishes*; *rewrite* is told of each that changes. */
export function createRunSwitches(catalogue, wishes, rewrite) {
  const change = (patch) => rewrite({ ...wishes, ...patch });
  return [runBasics(catalogue, wishes, change), runStrategies(catalogue, wishes, change), runBugs(catalogue, wishes, change)];
}

function runField(words, input) {
  return domNode("label", { class: "run-field" }, domNode("span", { text: words }), input);
}

function runBasics(catalogue, wishes, change) {
  const servers = domNode("input", { type: "number", min: "1", max: "9", value: String(wishes.servers), "data-run": "servers" });
  servers.addEventListener("change", () => change({ servers: Math.max(1, Math.min(9, Math.round(Number(servers.value)) || 3)) }));
  const seed = domNode("input", { type: "number", min: "0", step: "1", value: String(wishes.seed), "data-run": "seed" });
  seed.addEventListener("change", () => change({ seed: Math.max(0, Math.round(Number(seed.value)) || 0) }));
  const levels = catalogue.levels.map((level) => [level, `faults: ${level}`]);
  const network = domNode("select", { "data-run": "network" }, ...[...RUN_NETWORKS, ...levels].map(([value, words]) =>
    domNode("option", { value, text: words, selected: value === wishes.network })));
  network.addEventListener("change", () => change({ network: network.value }));
  const master = domNode("input", { type: "checkbox", checked: wishes.master, "data-run": "master" });
  master.addEventListener("change", () => change({ master: master.checked }));
  return domNode("div", { class: "run-basics" }, runField("servers", servers), runField("seed", seed), runField("network", network), runField("master leases", master));
}

function runStrategies(catalogue, wishes, change) {
  const boxes = catalogue.strategies.map((strategy) => {
    const whyNot = !strategy.removable ? "Without it a server could break the promises of others: it cannot be left out."
      : strategy.master_only && !wishes.master ? "It comes with master leases only." : "";
    const isOn = !wishes.without.has(strategy.name) && !(strategy.master_only && !wishes.master);
    const box = domNode("input", { type: "checkbox", checked: isOn, disabled: whyNot !== "", "data-strategy": strategy.name });
    box.addEventListener("change", () => {
      const without = new Set(wishes.without);
      if (box.checked) without.delete(strategy.name);
      else without.add(strategy.name);
      change({ without });
    });
    return domNode("label", { class: "switch", title: `${strategy.says}${whyNot ? ` ${whyNot}` : ""}` }, box, domNode("span", { text: strategy.name }));
  });
  return domNode("fieldset", { class: "run-strategies" }, domNode("legend", { text: "Strategies" }), ...boxes);
}

function runBugs(catalogue, wishes, change) {
  const select = domNode("select", { "aria-label": "A bug to be switched on", "data-run": "bug" }, domNode("option", { value: "", text: "none: the servers keep all rules" }),
    ...catalogue.bugs.map((bug) => domNode("option", { value: bug.name, text: `${bug.name}  (${bug.breaks.join(", ")})`, selected: bug.name === wishes.bug })));
  const bug = catalogue.bugs.find((one) => one.name === wishes.bug);
  select.addEventListener("change", () => {
    const chosen = catalogue.bugs.find((one) => one.name === select.value);
    change({ bug: select.value, master: wishes.master || Boolean(chosen?.master) });
  });
  const story = bug ? [["It", bug.summary], ["Mistake", bug.mistake], ["Rule", bug.rule], ["Met", bug.met]].map(([name, words]) =>
    domNode("p", {}, domNode("b", { text: `${name}: ` }), domNode("span", { text: words }))) : [];
  return domNode("fieldset", { class: "run-bugs" }, domNode("legend", { text: "A bug on purpose" }), select, ...story);
}
