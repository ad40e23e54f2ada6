// What is wrong with a running cluster's network on purpose: shown as it is, changed by hand.

import { domCut, domNode } from "./dom.js";

/** Make the controls; *wish* asks for a change. `show(servers, faults)` draws how it is. */
export function createLiveNetwork(wish) {
  const loss = liveSlider("loss", { max: "0.9", step: "0.05", "aria-label": "Share of messages lost" }, (value) => `${Math.round(100 * value)} %`);
  const delay = liveSlider("delay", { max: "1", step: "0.01", "aria-label": "Seconds that each message takes more" }, (value) => `${Math.round(1000 * value)} ms`);
  const cuts = domNode("div", { class: "live-cuts", "data-live": "cuts" });
  const boxes = () => [...cuts.querySelectorAll("input")];
  let asked = 0;
  const tell = async () => {
    asked += 1;
    const blocked = boxes().filter((box) => box.checked).map((box) => JSON.parse(box.dataset.pair));
    await wish({ action: "network", blocked, loss: Number(loss.input.value), delay_seconds: Number(delay.input.value) });
    asked -= 1;
  };
  const heal = () => {
    for (const box of boxes()) box.checked = false;
    for (const slider of [loss, delay]) slider.set(0);
    tell();
  };
  for (const { input } of [loss, delay]) input.addEventListener("change", tell);
  const form = domNode("fieldset", { class: "live-network" },
    domNode("legend", { text: "The network, on purpose" }),
    domNode("label", { class: "live-row" }, domNode("span", { text: "lost" }), loss.input, loss.said),
    domNode("label", { class: "live-row" }, domNode("span", { text: "late" }), delay.input, delay.said),
    domNode("p", { class: "live-hint", text: "A cell that is ticked lets nothing pass from the row's server to the column's." }),
    cuts,
    domNode("button", { type: "button", class: "tool", text: "heal all", "data-live": "heal", onclick: heal }));
  const show = (servers, faults) => {
    liveDrawCuts(cuts, servers, tell);
    // What this page has asked for is not known to the cluster yet.
    if (asked > 0) return;
    const blocked = new Set(faults.blocked.map((pair) => JSON.stringify(pair)));
    for (const box of boxes()) box.checked = blocked.has(box.dataset.pair);
    loss.show(faults.loss);
    delay.show(faults.delay_seconds);
  };
  return { form, show };
}

function liveSlider(name, attributes, words) {
  const input = domNode("input", { type: "range", min: "0", value: "0", "data-live": name, ...attributes });
  const said = domNode("output", { text: words(0) });
  let dragged = false;
  const set = (value) => {
    input.value = String(value);
    said.textContent = words(value);
  };
  input.addEventListener("input", () => {
    dragged = true;
    said.textContent = words(input.value);
  });
  input.addEventListener("change", () => { dragged = false; });
  return { input, said, set, show: (value) => { if (!dragged) set(value); } };
}

function liveDrawCuts(cuts, names, tell) {
  if (cuts.dataset.names === names.join()) return;
  cuts.dataset.names = names.join();
  cuts.style.gridTemplateColumns = `repeat(${names.length + 1}, minmax(2.2rem, max-content))`;
  const head = [domNode("span", { text: "" }), ...names.map((name) => domNode("b", { text: domCut(name, 6) }))];
  cuts.replaceChildren(...head, ...names.flatMap((sender) => [
    domNode("b", { text: `${domCut(sender, 6)} →` }), ...names.map((receiver) => liveCut(sender, receiver, tell)),
  ]));
}

function liveCut(sender, receiver, tell) {
  if (sender === receiver) return domNode("span", { text: "·" });
  return domNode("input", {
    type: "checkbox", "aria-label": `Nothing from ${sender} to ${receiver}`,
    "data-cut": `${sender}->${receiver}`, "data-pair": JSON.stringify([sender, receiver]), onchange: tell,
  });
}
