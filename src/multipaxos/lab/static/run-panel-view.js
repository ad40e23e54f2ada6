// What the run is made of: its script, and the switches that write the settings at its top.

import { domNode } from "./dom.js";
import { runCompareTable } from "./run-compare.js";
import { runScriptParts, runScriptWishes, runScriptWith } from "./run-script.js";
import { createRunSwitches } from "./run-switches.js";

const RUN_SANDBOX = "# A cluster of your own\nmaster\nseed 1\nfaults calm 5s\nclients 2 2 5s\nadvance 6s\n";

/** Make the panel in *element*. */
export function createRunPanelView(element, store, actions) {
  const { api } = actions;
  const text = domNode("textarea", { class: "run-script", rows: "14", spellcheck: "false", "aria-label": "The script of this run", "data-run": "script" });
  const about = domNode("p", { class: "run-about", text: "A run is its script: settings first, then commands. The same script gives the same run. A switch leaves out what a story expects." });
  const switches = domNode("div", { class: "run-switches" });
  const buttons = runButtons(text, store, actions);
  const table = domNode("div", {});
  const remarks = domNode("ul", { class: "run-remarks", "data-run": "remarks" });
  element.append(about, domNode("div", { class: "run-buttons" }, ...buttons), remarks, table, switches, domNode("h3", { text: "Script" }), text);
  let catalogue = null;
  let names = new Set();
  const rewrite = (wishes) => {
    text.value = runScriptWith(runScriptParts(text.value, names), wishes);
    redraw();
  };
  const redraw = () => {
    if (catalogue === null) return;
    const { settings } = runScriptParts(text.value, names);
    switches.replaceChildren(...createRunSwitches(catalogue, runScriptWishes(settings), rewrite));
  };
  let known = null;
  const follow = ({ run }) => {
    if (run === known) return;
    known = run;
    const isScript = run?.payload.source === "script";
    text.value = isScript ? run.payload.script.split("\n----\n", 1)[0] : "";
    text.placeholder = isScript ? "" : "This run comes from a trace: no script gives it.";
    remarks.replaceChildren(...(run?.payload.remarks ?? []).map((remark) => domNode("li", { text: remark })));
    redraw();
  };
  text.addEventListener("change", redraw);
  store.subscribe(follow);
  store.subscribe((state, patch) => {
    if ("compare" in patch || "branch" in patch) table.replaceChildren(...[runCompareTable(state)].filter(Boolean));
  });
  follow(store.state);
  if (api.offline) {
    for (const button of buttons) button.disabled = true;
    about.textContent = "This page was saved as a file: its run can be looked at. To change it, copy the script into a lab.";
    return;
  }
  api.catalogue().then((told) => {
    catalogue = told;
    names = new Set(told.commands.filter((command) => command.is_setting).map((command) => command.name));
    redraw();
  }, (error) => actions.notice(error.message));
}

function runButtons(text, store, actions) {
  const isNothing = () => {
    const isEmpty = text.value.trim() === "" && store.state.run?.payload.source !== "script";
    if (isEmpty) actions.notice("There is no script to play: a trace has none. Write one, or press “A cluster of your own”.");
    return isEmpty;
  };
  const play = () => isNothing() || actions.play(text.value, "");
  const beside = async (compares) => {
    if (isNothing()) return;
    const { branch } = store.state;
    const payload = await actions.play(text.value, "changed", { beside: true, parent: branch });
    if (payload && compares) actions.compare(branch);
  };
  const sandbox = () => {
    text.value = RUN_SANDBOX;
    text.dispatchEvent(new Event("change"));
    play();
  };
  const button = (name, words, title, onclick, more = "") => domNode("button", { type: "button", class: `tool ${more}`, text: words, title, "data-run": name, onclick });
  return [
    button("play", "Play", "Play this script, in place of what is shown; a trace stays open beside it", play, "is-first"),
    button("compare", "Compare", "Play this script beside the run that is shown: same seed, two settings", () => beside(true)),
    button("branch", "Play as a branch", "Play this script, and keep the run that is shown", () => beside(false)),
    button("sandbox", "A cluster of your own", "Three servers, clients and a calm network, to begin with", sandbox),
  ];
}
