// The "why" panel: one paragraph from the rule that decided, its code, and the quorum lens.

import { domCut, domInstant, domNode, domOncePerFrame } from "./dom.js";
import { RUN_STATUS_WORDS } from "./run-words.js";
import { whyFacts } from "./why-facts.js";
import { whyDecisionNode, whyProposalNode, whyText, whyViolationNode } from "./why-quorums.js";

const WHY_CODE_MAX = 12000;

function whyInvariant(name, payload) {
  if (!name) return null;
  const rule = payload.invariants.find((each) => each.name === name)?.rule;
  return domNode(
    "p",
    { class: "why-invariant" },
    domNode("b", { text: domCut(name, 60) }),
    rule ? domCut(`: ${rule}`, 300) : "",
  );
}

function whyRuleNode(rule, payload) {
  if (!rule) return null;
  const place = rule.file ? `${rule.file}${rule.line ? `:${rule.line}` : ""}` : "";
  return domNode(
    "section",
    { class: "why-rule" },
    whyText("h4", "", rule.title, 200),
    whyText("p", "", rule.text),
    whyInvariant(rule.invariant, payload),
    whyText("p", "why-paper", rule.paper, 300),
    rule.source
      ? domNode(
          "figure",
          { class: "why-code" },
          whyText("figcaption", "", place, 300),
          domNode("pre", {}, whyText("code", "", rule.source, WHY_CODE_MAX)),
        )
      : null,
  );
}

function whyFate(message, actions) {
  if (!message) return null;
  const node = domNode("p", { class: "why-fate" });
  const to = (words, index) =>
    domNode("button", { type: "button", class: "link", text: words, onclick: () => actions.goTo(index + 1) });
  node.append(domCut(`${message.sender} → ${message.receiver}: ${message.text}. `, 400));
  if (message.sent !== null) node.append(to("sent here", message.sent), " ");
  if (message.fate === "dropped")
    node.append(to("lost here", message.ended), message.reason ? domCut(` (${message.reason})`, 300) : "");
  else if (message.ended !== null)
    node.append(
      to("arrived here", message.ended),
      message.refused ? domCut(` and was refused: ${message.reason}`, 400) : "",
    );
  else node.append("still in flight at the end of the run");
  return node;
}

/** Show what a server holds at this instant: in memory, and on its disk. */
function whyServerWords({ status, link }) {
  const words = RUN_STATUS_WORDS[status];
  return link === null ? words : `${words}, at link ${link}`;
}

function whyServerNode(uid, state) {
  const server = state.run.state(state.at).servers[uid];
  if (!server) return null;
  const row = (name, memory, disk) =>
    domNode(
      "tr",
      { class: memory === disk ? "" : "differs" },
      domNode("th", { scope: "row", text: name }),
      domNode("td", { text: domCut(memory ?? "–", 60) }),
      domNode("td", { text: domCut(disk ?? "–", 60) }),
    );
  const { memory, disk } = server;
  const head = ["", "in memory", "on disk"].map((text) => domNode("th", { scope: "col", text }));
  return domNode(
    "section",
    { class: "why-server", "data-why-server": uid },
    domNode("h4", { text: `Server ${domCut(uid, 60)}: ${whyServerWords(server)}` }),
    domNode(
      "table",
      {},
      domNode("thead", {}, domNode("tr", {}, ...head)),
      domNode(
        "tbody",
        {},
        row("promised", memory?.promised, disk?.promised),
        row("accepted", memory?.accepted, disk?.accepted),
        row("with value", memory?.value, disk?.value),
      ),
    ),
    domNode("p", { class: "why-hint", text: "The last thing that it did:" }),
  );
}

function whyMeta(event, index, events) {
  const parts = [`event ${index + 1}`, domInstant(events, event.time)];
  if (event.server) parts.push(`server ${domCut(event.server, 40)}`);
  if (Number.isInteger(event.instance)) parts.push(`link ${event.instance}`);
  return domNode("p", { class: "why-meta", text: parts.join(" · ") });
}

function whyNodes(state, actions) {
  const { payload } = state.run;
  const facts = whyFacts(state);
  const [ruleId, paragraph] = payload.why[facts.event] ?? [null, ""];
  const { decision, proposal, violation } = facts;
  const said = payload.said[facts.event] ?? "";
  const isAtHand = !state.selection;
  return [
    facts.server ? whyServerNode(facts.server, state) : null,
    whyMeta(payload.events[facts.event], facts.event, payload.events),
    domNode("h3", { class: "why-said", text: domCut(said, 400) }),
    whyFate(facts.message, actions),
    violation ? whyViolationNode(violation, payload, said) : null,
    decision ? whyDecisionNode(decision, payload.servers) : null,
    proposal ? whyProposalNode(proposal, payload.servers) : null,
    whyText("p", "why-paragraph", paragraph),
    whyRuleNode(payload.rules[ruleId], payload),
    isAtHand
      ? domNode("p", {
          class: "why-hint",
          text: "This is the event at the present line. Select anything in the pictures to ask about it.",
        })
      : null,
  ].filter(Boolean);
}

/** Make the "why" panel in *element*. */
export function createWhyView(element, store, actions) {
  element.classList.add("why");
  let known = {};
  const draw = domOncePerFrame(() => {
    const { state } = store;
    if (!state.run || element.hidden) return;
    const now = {
      run: state.run,
      selection: state.selection,
      at: state.selection && state.selection.kind !== "server" ? 0 : state.at,
    };
    if (Object.keys(now).every((key) => known[key] === now[key])) return;
    known = now;
    element.replaceChildren(...whyNodes(state, actions));
    element.scrollTop = 0;
  });
  store.subscribe(draw);
  draw();
}
