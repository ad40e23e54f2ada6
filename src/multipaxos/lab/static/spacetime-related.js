// What a selection has to do with: its causes and its ends, as keys of items in the diagram.

function spacetimeMessagesOfStep(layout, step) {
  const keys = [];
  for (let index = step; index < layout.payload.events.length && index < step + 400; index += 1) {
    if (layout.steps[index] !== step) continue;
    for (const message of layout.messagesAt.get(index) ?? []) keys.push(`m${message}`);
  }
  return keys;
}

function spacetimeOfEvent(layout, index) {
  const step = layout.steps[index];
  const keys = [`e${index}`, `e${step}`];
  for (const message of layout.messagesAt.get(step) ?? []) keys.push(`m${message}`);
  for (const message of layout.messagesAt.get(index) ?? []) keys.push(`m${message}`);
  return index === step ? [...keys, ...spacetimeMessagesOfStep(layout, step)] : keys;
}

function spacetimeOfMessage(layout, index) {
  const message = layout.payload.messages[index];
  const keys = [`m${index}`];
  if (message.sent !== null) {
    const step = layout.steps[message.sent];
    keys.push(`e${step}`);
    for (const cause of layout.messagesAt.get(step) ?? []) {
      if (layout.payload.messages[cause].ended === step) keys.push(`m${cause}`);
    }
  }
  if (message.ended === null) return keys;
  for (let next = message.ended + 1; next < layout.steps.length && next < message.ended + 40; next += 1) {
    if (layout.steps[next] === message.ended && layout.payload.events[next].kind !== "sent")
      keys.push(`e${next}`);
  }
  return keys;
}

/** Find the messages of *kind* for a proposal that reached one of *receivers* before event *until*. */
function spacetimeArrived(layout, { kind, proposal, link, receivers, until }) {
  const keys = [];
  layout.payload.messages.forEach((message, index) => {
    if (message.kind !== kind || message.proposal !== proposal || message.link !== link) return;
    if (message.ended !== null && message.ended <= until && receivers.includes(message.receiver))
      keys.push(`m${index}`);
  });
  return keys;
}

function spacetimeOfDecision(layout, decision) {
  const { event: until, proposal, link, acceptors: receivers } = decision;
  const keys = [
    `e${until}`,
    ...spacetimeArrived(layout, { kind: "Accept", proposal, link, receivers, until }),
  ];
  layout.payload.events.forEach((event, index) => {
    if (event.kind !== "accepted" || event.proposal_id !== proposal || event.instance !== link) return;
    if (receivers.includes(event.server) && index <= until + 3) keys.push(`e${index}`);
  });
  return keys;
}

function spacetimeOfProposal(layout, made) {
  const { proposal, link, proposer, event: until } = made;
  const keys = spacetimeArrived(layout, { kind: "Promise", proposal, link, receivers: [proposer], until });
  return [...spacetimeOfEvent(layout, until), ...keys];
}

/** Give the keys of the items that belong to *selection*, the selected one first. */
export function spacetimeRelated(selection, layout) {
  if (!selection || selection.index === undefined) return [];
  const { events, messages, decisions, proposals, violations } = layout.payload;
  const { kind, index } = selection;
  if (kind === "event" && events[index]) {
    const decision = decisions.find((each) => each.event === index);
    return decision ? spacetimeOfDecision(layout, decision) : spacetimeOfEvent(layout, index);
  }
  if (kind === "message" && messages[index]) return spacetimeOfMessage(layout, index);
  if (kind === "decision" && decisions[index]) return spacetimeOfDecision(layout, decisions[index]);
  if (kind === "proposal" && proposals[index]) return spacetimeOfProposal(layout, proposals[index]);
  if (kind === "violation" && violations[index]) return spacetimeOfEvent(layout, violations[index].event);
  return [];
}
