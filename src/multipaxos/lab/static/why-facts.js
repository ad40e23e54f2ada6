// What a selection is about: the event, the message, the decision, proposal or violation behind it.

function whyByEvent(list, index) {
  return list.find((each) => each.event === index) ?? null;
}

/** Find the proposal that *event* sends or accepts first; the event is at most a few before or after. */
function whyProposalOf(payload, index) {
  const event = payload.events[index];
  const number = event.kind === "sent" && event.message?.type === "Accept" ? event.message.proposal_id : null;
  if (number === null) return whyByEvent(payload.proposals, index);
  return payload.proposals.find((made) => made.proposal === number && made.link === event.instance) ?? null;
}

function whyMessageFacts(payload, index) {
  const message = payload.messages[index];
  const proposal =
    message.kind === "Accept"
      ? (payload.proposals.find((made) => made.proposal === message.proposal && made.link === message.link) ??
        null)
      : null;
  const ended = message.ended !== null && message.fate === "delivered" ? message.ended : null;
  let event = message.ended ?? message.sent ?? 0;
  if (ended !== null && message.refused) {
    const until = Math.min(payload.events.length, ended + 8);
    for (let next = ended + 1; next < until; next += 1) {
      if (payload.events[next].kind === "refused" && payload.events[next].server === message.receiver) {
        event = next;
        break;
      }
    }
  }
  return { event, message, proposal, decision: null, violation: null };
}

/** Gather the facts of the selection of *state*: those of the event at its position if there is none. */
export function whyFacts(state) {
  const { payload } = state.run;
  const { selection } = state;
  const none = { message: null, decision: null, proposal: null, violation: null };
  if (selection?.kind === "message" && payload.messages[selection.index])
    return whyMessageFacts(payload, selection.index);
  if (selection?.kind === "decision" && payload.decisions[selection.index]) {
    const decision = payload.decisions[selection.index];
    return { ...none, event: decision.event, decision };
  }
  if (selection?.kind === "proposal" && payload.proposals[selection.index]) {
    const proposal = payload.proposals[selection.index];
    return { ...none, event: proposal.event, proposal };
  }
  if (selection?.kind === "violation" && payload.violations[selection.index]) {
    const violation = payload.violations[selection.index];
    return { ...none, event: violation.event, violation };
  }
  if (selection?.kind === "server") {
    const told = (each) => each.server === selection.uid;
    const last = payload.events.slice(0, state.at).findLastIndex(told);
    return { ...none, event: Math.max(0, last), server: selection.uid };
  }
  const wanted = selection?.kind === "event" ? selection.index : state.at - 1;
  const event = Math.min(payload.events.length - 1, Math.max(0, wanted));
  return {
    event,
    message: null,
    decision: whyByEvent(payload.decisions, event),
    proposal: whyProposalOf(payload, event),
    violation: whyByEvent(payload.violations, event),
  };
}
