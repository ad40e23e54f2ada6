// Whose trace it is: which servers tell something in it, and where one stops telling without a word.

/** Kinds that are worked out from the traces, and are told by no server. */
const RUN_WORKED_OUT = new Set(["chosen", "violated"]);
const RUN_LAST_WORDS = new Set(["crashed", "stopped", "halted"]);
const RUN_EVIDENCE = new WeakMap();
const RUN_EVIDENCE_WHOLE = { tellers: [], unseen: new Set(), ends: new Set() };

/**
 * Find the `tellers` among the servers of *payload*, the `unseen` ones, which tell nothing, and the
 * events after which a server's trace `ends` although the server did not say that it stops.
 *
 * An engine sees all servers, and a stretch of a running cluster ends for all of them at once.
 */
export function runEvidence(payload) {
  if (payload.events[0]?.engine !== "server") return RUN_EVIDENCE_WHOLE;
  let known = RUN_EVIDENCE.get(payload);
  if (!known) RUN_EVIDENCE.set(payload, (known = runFindEvidence(payload)));
  return known;
}

function runFindEvidence({ events, servers, source }) {
  const newest = new Map();
  const ends = new Set();
  const running = new Set();
  let last = -1;
  const end = (index) => {
    if (index !== undefined && !RUN_LAST_WORDS.has(events[index].kind)) ends.add(index);
  };
  events.forEach((event, index) => {
    if (!event.server || RUN_WORKED_OUT.has(event.kind)) return;
    if (event.kind === "started") {
      // Whoever starts twice has stopped in between.
      if (running.has(event.server)) end(newest.get(event.server));
      running.add(event.server);
    }
    newest.set(event.server, index);
    last = index;
  });
  for (const index of newest.values()) if (index < last) end(index);
  return {
    tellers: servers.filter((uid) => newest.has(uid)),
    unseen: new Set(servers.filter((uid) => !newest.has(uid))),
    ends: source === "trace" ? ends : new Set(),
  };
}

/** Say on whose evidence an invariant holds where some servers are unseen; empty where none is. */
export function runEvidenceWords(payload) {
  const { tellers, unseen } = runEvidence(payload);
  return unseen.size ? `by the evidence of ${runNames(tellers)} alone` : "";
}

/** Name the servers of *uids* as a sentence does: "A, B and C". */
export function runNames(uids) {
  return uids.length < 2 ? uids.join("") : `${uids.slice(0, -1).join(", ")} and ${uids.at(-1)}`;
}
