// What counts in the game: the moves, who has won, and what stood in the way. Nothing here draws.

const GAME_AGREEMENT = "I1";
const GAME_COUNTED = new Set(["deliver", "drop", "duplicate"]);

/** Find the game that the run in *payload* belongs to: its script begins with the game's. */
export function gameOf(games, payload) {
  if (payload.source !== "script") return null;
  return games.find((game) => payload.script.startsWith(game.script)) ?? null;
}

function gameLines(game, payload) {
  const lines = payload.script.slice(game.script.length).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("# "));
}

/** Count what one command does: `deliver all` is as many moves as it delivers. */
function gameMovesOf(command, ended) {
  const [verb, ...rest] = command.split(" ");
  if (!GAME_COUNTED.has(verb)) return verb === "show" || verb === "expect" ? 0 : 1;
  const isMany = rest.join(" ").split(",").some((selector) => selector.includes("*") || selector.trim() === "all");
  return isMany ? Math.max(1, ended) : rest.join(" ").split(",").length;
}

/** Count the moves that the player has made in the run in *payload*. */
export function gameMoves(game, payload) {
  const lines = gameLines(game, payload);
  const marks = payload.marks.slice(payload.marks.length - lines.length);
  let before = payload.marks.at(-lines.length - 1)?.events ?? 0;
  return marks.reduce((sum, mark) => {
    const from = before;
    before = mark.events;
    const ended = payload.messages.filter((message) => message.ended !== null && message.ended >= from && message.ended < mark.events);
    return sum + gameMovesOf(mark.command, ended.length);
  }, 0);
}

/** Give the script without the player's last move; null if there was none. */
export function gameTakeBack(game, payload) {
  const lines = gameLines(game, payload);
  return lines.length ? `${game.script}${lines.slice(0, -1).map((line) => `${line}\n`).join("")}` : null;
}

/** Find the violation that wins; null as long as the servers agree. */
export function gameVictory(payload) {
  return payload.violations.find((violation) => violation.name.split(" ")[0] === GAME_AGREEMENT) ?? null;
}

/** Find the messages that wait for the player, as they left. */
export function gameInFlight(payload) {
  return payload.messages.filter((message) => message.ended === null && message.sent !== null);
}

function gameRefusal(payload, index) {
  const [ruleId, text] = payload.why[index] ?? [null, ""];
  const invariant = payload.rules[ruleId]?.invariant;
  const weight = payload.events[index].message?.type === "Accept" ? 2 : 1;
  return invariant ? { event: index, invariant, said: payload.said[index], text, weight } : null;
}

/** Keep one for each invariant, the most telling, and count the others: votes and promises first. */
function gameTelling(saviours) {
  const telling = new Map();
  for (const saviour of saviours) {
    const known = telling.get(saviour.invariant);
    const best = !known || saviour.weight >= known.weight ? saviour : known;
    telling.set(saviour.invariant, { ...best, times: (known?.times ?? 0) + 1 });
  }
  return [...telling.values()].sort((one, other) => one.invariant.localeCompare(other.invariant, "en", { numeric: true }));
}

/**
 * Find what kept the servers in agreement: requests that were refused, and proposals that were bound
 * to a value that another proposer had brought in; one for each invariant, with how often it was so.
 */
export function gameSaviours(payload) {
  const saviours = [];
  payload.events.forEach((event, index) => {
    if (event.kind === "refused") saviours.push(gameRefusal(payload, index));
  });
  for (const made of payload.proposals) {
    const others = made.reports.some((report) => report.accepted && !report.accepted.endsWith(`.${made.proposer}`));
    if (made.choice !== "bound" || !others) continue;
    const said = `${made.proposer} must ask for ${made.value} under ${made.proposal}: it was told that this had been accepted.`;
    saviours.push({ event: made.event, invariant: "I4 ValueIsSafe", said, text: made.text, weight: 3 });
  }
  return gameTelling(saviours.filter(Boolean));
}

/** Tell how far the link of the game is: what is chosen, and who knows it. */
export function gameStanding(payload, picture) {
  const decision = payload.decisions.find((each) => each.link === 1) ?? null;
  const knowing = Object.entries(picture.servers).filter(([, server]) => server.resolved && server.resolved.link >= 1);
  return { decision, knowing: knowing.map(([uid]) => uid) };
}
