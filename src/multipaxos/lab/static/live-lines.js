// One line an event of a running cluster: who, what, in which colour.

import { domCut, domNode } from "./dom.js";

const LIVE_TONES = {
  refused: "bad", dropped: "bad", crashed: "bad", halted: "bad", "round lost": "bad", paused: "warn", resumed: "warn", wires: "warn",
  resolved: "good", learned: "good", chosen: "good", "caught up": "good", "lease began": "lease", "lease ended": "lease", "foreign lease": "lease",
};

/** Make the line of *event*, the one with that *number*. */
export function liveLine(number, event) {
  return domNode("li", { class: `live-line is-${LIVE_TONES[event.kind] ?? "plain"}`, "data-number": number, "data-kind": event.kind },
    domNode("time", { text: Number(event.time).toFixed(3) }),
    domNode("b", { text: domCut(event.server || "network", 12) }),
    domNode("span", { text: domCut(liveWords(event), 160) }));
}

function liveWords(event) {
  switch (event.kind) {
    case "sent": return `→ ${event.receiver}  ${liveMessage(event)}`;
    case "delivered": return `← ${event.sender}  ${liveMessage(event)}`;
    case "dropped": return `→ ${event.receiver}  ${liveMessage(event)}: ${event.reason}`;
    case "called": return `is asked: ${event.operation} ${event.arguments.join(" ")}`;
    case "returned": return `answers ${event.request}: ${event.status}${event.link === null ? "" : `, link ${event.link}`}`;
    case "wires": return event.blocked.length ? `cut: ${event.blocked.map((pair) => pair.join("→")).join(", ")}` : "whole";
    case "started": return event.memory ? "starts, with its memory" : "starts without memory";
    default: return event.text ?? event.reason ?? event.kind;
  }
}

function liveMessage({ instance, message }) {
  const proposal = message.proposal_id ?? "";
  return `link ${instance}  ${message.type} ${proposal}`.trim();
}
