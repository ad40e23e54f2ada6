// The sets of servers behind a decision, a proposal and a broken invariant, with their words.

import { domCut, domNode } from "./dom.js";
import { whyLens } from "./why-lens.js";

/** Give an element with *text*, cut to *most* characters; nothing for no text. */
export function whyText(tag, name, text, most = 4000) {
  return text ? domNode(tag, { class: name, text: domCut(text, most) }) : null;
}

/** Show the quorum that chose. */
export function whyDecisionNode(decision, servers) {
  const { acceptors, proposal, link, value } = decision;
  const count = `${acceptors.length} of ${servers.length}`;
  const said = `Link ${link} is chosen: ${domCut(value, 300)}. ${acceptors.join(", ")} accepted ${proposal}: ${count}, a quorum.`;
  return domNode(
    "section",
    { class: "why-lens", "data-lens": "decision" },
    whyLens({
      servers,
      sets: [{ members: acceptors, words: `accepted ${proposal}: ${count}, a quorum`, name: "is-chosen" }],
      said,
    }),
  );
}

function whyProposalSets(made) {
  const sets = [{ members: made.promised_by, words: `promised ${made.proposal}`, name: "is-promise" }];
  const { meets } = made;
  if (meets)
    sets.push({
      members: meets.acceptors,
      words: `${meets.chosen ? "chose" : "accepted"} ${meets.proposal}`,
      name: "is-earlier",
    });
  return sets;
}

/** Show the promises behind a proposal, and the earlier quorum that they had to meet. */
export function whyProposalNode(made, servers) {
  const notes = new Map(
    made.reports.filter((report) => report.accepted).map((report) => [report.server, report.accepted]),
  );
  const reports = made.reports.map((report) => {
    const words = report.accepted
      ? `${report.server} reported ${report.accepted}: ${report.value}`
      : `${report.server} reported nothing accepted`;
    return domNode("li", { text: domCut(words, 300) });
  });
  const witness = made.witness.length
    ? `In both: ${made.witness.join(", ")}. Any two quorums share a server.`
    : "";
  return domNode(
    "section",
    { class: "why-lens", "data-lens": "proposal" },
    whyLens({ servers, sets: whyProposalSets(made), witness: made.witness, notes, said: made.text }),
    whyText("p", "why-caption", made.text),
    whyText("p", "why-witness", witness),
    reports.length ? domNode("ul", { class: "why-reports" }, ...reports) : null,
  );
}

/** Find the sets that are in conflict: two quorums that chose, or the promises and the votes that they had to heed. */
function whyViolationSets(violation, payload) {
  const isOf = (each) =>
    each.link === violation.link &&
    violation.proposals.includes(each.proposal) &&
    each.event <= violation.event;
  const decided = payload.decisions.filter(isOf);
  const made = payload.proposals.findLast(isOf);
  if (decided.length < 2 && made) return { sets: whyProposalSets(made), witness: made.witness };
  const sets = decided.slice(0, 2).map((decision, index) => ({
    members: decision.acceptors,
    words: `chose ${domCut(decision.value, 18)} at ${decision.proposal}`,
    name: index ? "is-earlier" : "is-promise",
  }));
  return { sets, witness: [] };
}

/** Show who is in conflict where an invariant broke. */
export function whyViolationNode(violation, payload, said) {
  const { sets, witness } = whyViolationSets(violation, payload);
  const numbers =
    violation.proposals.length && !sets.length
      ? `Numbers in conflict: ${violation.proposals.join(", ")}.`
      : "";
  return domNode(
    "section",
    { class: "why-lens is-violation", "data-lens": "violation" },
    whyLens({ servers: payload.servers, sets, witness, bad: violation.servers, said: violation.text }),
    said ? null : whyText("p", "why-caption", violation.text),
    whyText("p", "why-witness", numbers),
  );
}
