// The invariants as lamps: whole or broken at this instant.

import { domNode } from "./dom.js";
import { runEvidence, runEvidenceWords, runNames } from "./run-evidence.js";

const LAMPS_STATES = {
  holds: ["✓", "holds"],
  broken: ["✗", "is broken"],
  open: ["·", "not judged yet"],
  unjudged: ["·", "not judged in this trace"],
};

/** Make the row of lamps in *element*. */
export function createLampsView(element, store, actions) {
  const list = domNode("ul", { class: "lamps" });
  element.append(list);
  let known = null;
  const draw = (state) => {
    const { run, at } = state;
    if (run === null) return list.replaceChildren();
    if (run !== known) {
      known = run;
      list.replaceChildren(
        ...run.payload.invariants.map((invariant) => lampsOne(invariant, store, actions)),
        domNode("li", { class: "lamps-evidence", text: runEvidenceWords(run.payload) }));
    }
    const { broken } = run.state(at);
    run.payload.invariants.forEach((invariant, place) => {
      const judged = lampsState(invariant, place, broken, run, at);
      lampsShow(list.children[place].firstChild, invariant, judged, lampsEvidence(run.payload));
    });
  };
  store.subscribe(draw);
  draw(store.state);
}

function lampsOne(invariant, store, actions) {
  const [number, name] = invariant.name.split(" ");
  const choose = () => {
    const { run, at } = store.state;
    const index = run.state(at).broken[invariant.name];
    if (index === undefined) return;
    actions.goTo(Math.max(at, run.payload.violations[index].event + 1));
    actions.select({ kind: "violation", index });
  };
  return domNode("li", {},
    domNode("button", { type: "button", class: "lamp", "data-lamp": number, onclick: choose },
      domNode("span", { class: "lamp-sign", "aria-hidden": "true" }),
      domNode("b", { text: number }),
      domNode("span", { class: "lamp-name", text: name })));
}

/** What the clients saw is judged at a run's end; whether it goes on for ever, no finite run tells. */
function lampsState(invariant, place, broken, run, at) {
  if (Object.hasOwn(broken, invariant.name)) return "broken";
  const isOfClients = place === 10;
  const isOfProgress = place === 11;
  if (isOfProgress || (isOfClients && at < run.events.length)) return "open";
  return run.payload.judged.includes(invariant.name) ? "holds" : "unjudged";
}

/** Say whose evidence is missing: what is not seen of their votes is believed. */
function lampsEvidence(payload) {
  const { unseen } = runEvidence(payload);
  if (!unseen.size) return "";
  const missing = runNames([...unseen]);
  return ` This is ${runEvidenceWords(payload)}: the votes of ${missing} that it needs are believed, for ${missing} ${unseen.size > 1 ? "are" : "is"} not in this trace.`;
}

function lampsShow(lamp, invariant, state, evidence) {
  if (lamp.dataset.state === state) return;
  lamp.dataset.state = state;
  const [sign, words] = LAMPS_STATES[state];
  lamp.firstChild.textContent = sign;
  const told = `${invariant.name}: ${invariant.rule}. It ${words.startsWith("not") ? "is" : ""} ${words}.`.replace("  ", " ");
  const whole = state === "holds" ? `${told}${evidence}` : told;
  lamp.title = whole;
  lamp.setAttribute("aria-label", whole);
  lamp.disabled = state !== "broken";
}
