// Which commands make sense at this instant, and why the others do not.

/** Give why *run* cannot be changed at all; empty if it can. */
export function handsWhyNot(run, api) {
  if (!run) return "There is no run yet.";
  if (api.offline) return "This page was saved as a file: it has no server that could play another run.";
  if (run.payload.source !== "script") return "This run comes from a trace: it happened, and cannot be changed.";
  return "";
}

/** Give the commands for *message*, as [words, command, why not]; nothing passes on the wires of *blocked*. */
export function handsOfMessage(message, blocked) {
  const number = `#${message.id}`;
  const isCut = blocked.some(([sender, receiver]) => sender === message.sender && receiver === message.receiver);
  const whyNot = isCut ? `a wall keeps ${message.sender} from reaching ${message.receiver}: heal the network first` : "";
  return [
    ["deliver", `deliver ${number}`, whyNot], ["lose", `drop ${number}`, ""], ["double", `duplicate ${number}`, ""],
    ["delay 100 ms", `delay ${number} 100ms`, ""],
  ];
}

/** Give the commands for server *uid*, as [words, commands, why not]. */
export function handsOfServer(uid, server) {
  const isRunning = server.status === "up" || server.status === "paused";
  const running = isRunning ? "" : `${uid} is ${server.status}`;
  const ended = isRunning ? `${uid} is running: crash it first` : "";
  return [
    ["crash", [`crash ${uid}`], running],
    ["restart", [`restart ${uid}`], isRunning ? `${uid} is running` : ""],
    ["restart without disk", [`wipe ${uid}`, `restart ${uid}`], ended],
    ["pause", [`pause ${uid}`], server.status === "up" ? "" : `${uid} is ${server.status}`],
    ["go on", [`resume ${uid}`], server.status === "paused" ? "" : `${uid} is not paused`],
    ["crash at its next save", [`crash ${uid} before save`], running],
    ["fill its disk", [`disk-full ${uid}`], server.diskFault === "full" ? "its disk is full already" : ""],
    ["mend its disk", [`disk-ok ${uid}`], server.diskFault ? "" : "its disk is well"],
  ];
}

/** Give the timers of *uid* that can be fired now. */
export function handsTimersOf(run, at, uid, server) {
  const running = Object.keys(server.timers);
  return at >= run.events.length ? (run.payload.end.timers[uid] ?? running) : running;
}

/** Tell whether a person delivers the messages of *run* after *at* events: `hold` and `flow` change that. */
export function handsIsManual(run, at) {
  const { marks, manual } = run.payload;
  const isTurn = ({ command }) => command === "hold" || command === "flow";
  const before = marks.findLast((mark) => mark.events <= at && isTurn(mark));
  if (before) return before.command === "hold";
  // What the first turn changes was the other way round until then.
  const later = marks.find((mark) => mark.events > at && isTurn(mark));
  return later ? later.command === "flow" : manual;
}
