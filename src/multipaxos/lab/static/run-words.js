// Values of a trace in a few words, as the panels and the console write them.

/** How a server is, as the pictures and panels say it. */
export const RUN_STATUS_WORDS = {
  up: "up", down: "down", paused: "paused", halted: "halted", unknown: "not in this trace", silent: "trace ended",
};

const RUN_WORDS_MAX = 40;

function runQuoted(value) {
  if (value === null || value === undefined) return "no value";
  const text = String(value);
  return text.length <= RUN_WORDS_MAX ? `"${text}"` : `"${text.slice(0, RUN_WORDS_MAX)}"… (${text.length} characters)`;
}

function runCommandWords(command) {
  if (!Array.isArray(command) || command.length === 0) return "something";
  const [name, ...rest] = command;
  if (name === "SET" && rest.length === 1) return runQuoted(rest[0]);
  if (name === "GET" && rest.length === 0) return "a read";
  if (name === "PIPELINE" || name === "READS") return `${String(name).toLowerCase()} of several commands`;
  const shown = rest.slice(0, 4).map(runQuoted).join(" ");
  return `${String(name)} ${shown}${rest.length > 4 ? " …" : ""}`.trim();
}

/** Say what a plain link holds: `"x"`, `A is master for 2 s`; null for no link. */
export function runLinkWords(link) {
  if (link === null || link === undefined) return null;
  if (typeof link !== "object") return runQuoted(link);
  switch (link.type) {
    case "Updates":
      return (link.updates ?? []).slice(0, 4).map((update) => runCommandWords(update?.command)).join(", ");
    case "NewMaster":
      return `${String(link.uid).slice(0, RUN_WORDS_MAX)} is master for ${Number(link.lease_seconds)} s`;
    case "Founding":
      return "a new chain";
    case "Nothing":
      return "nothing";
    default:
      return String(link.type ?? "a link").slice(0, RUN_WORDS_MAX);
  }
}

/** Say what a plain state of a state machine is: `"x"`, `a "1", b "2"`. */
export function runStateWords(value) {
  if (value === null || typeof value !== "object") return runQuoted(value);
  const keys = Object.keys(value).sort();
  const shown = keys.slice(0, 4).map((key) => `${key.slice(0, RUN_WORDS_MAX)} ${runQuoted(value[key])}`);
  return `${shown.join(", ")}${keys.length > 4 ? " …" : ""}` || "no key";
}
