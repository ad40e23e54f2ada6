// The settings of a script as switches: read from its lines, and written back above the rest.

const RUN_SERVERS = "ABCDEFGHI";

/** Take *script* apart: its comment at the top, its settings as [name, words], and the rest. */
export function runScriptParts(script, settingNames) {
  const lines = script.split("\n");
  let place = 0;
  while (place < lines.length && lines[place].startsWith("#")) place += 1;
  const top = lines.slice(0, place);
  const settings = [];
  for (; place < lines.length; place += 1) {
    const words = lines[place].trim();
    if (words === "" || words.startsWith("#")) {
      if (!runMoreSettings(lines, place, settingNames)) break;
      continue;
    }
    const [name] = words.split(" ", 1);
    if (!settingNames.has(name)) break;
    settings.push([name, words.slice(name.length).trim()]);
  }
  return { top, settings, rest: lines.slice(place) };
}

function runMoreSettings(lines, place, settingNames) {
  const next = lines.slice(place).find((line) => line.trim() !== "" && !line.startsWith("#"));
  return next !== undefined && settingNames.has(next.trim().split(" ", 1)[0]);
}

/** Give what the settings come to. */
export function runScriptWishes(settings) {
  const of = (name) => settings.filter(([each]) => each === name).map(([, words]) => words);
  return {
    servers: of("servers").at(-1)?.split(/\s+/).length ?? 3,
    seed: Number(of("seed").at(-1) ?? 0),
    master: of("master").length > 0,
    without: new Set(of("without").flatMap((words) => words.split(/\s+/))),
    bug: of("bug").at(-1) ?? "",
    network: of("faults").at(-1)?.split(" ")[0] ?? (of("automatic").length ? "automatic" : "held"),
  };
}

/**
 * Write *parts* again with these *wishes* in place of the settings that they stand for. What the script
 * expects is left out: it holds the run to what came of the old settings.
 */
export function runScriptWith({ top, settings, rest }, wishes) {
  const replaced = new Set(["servers", "seed", "master", "without", "bug", "automatic", "faults"]);
  const before = runScriptWishes(settings);
  const names = settings.filter(([name]) => name === "servers").at(-1)?.[1];
  const servers = wishes.servers === before.servers && names ? names : RUN_SERVERS.slice(0, wishes.servers).split("").join(" ");
  const faults = settings.filter(([name]) => name === "faults").at(-1)?.[1].split(" ")[1] ?? "5s";
  const lines = [
    ...(wishes.servers === 3 && !names ? [] : [`servers ${servers}`]),
    ...(wishes.seed ? [`seed ${wishes.seed}`] : []),
    ...(wishes.master ? ["master"] : []),
    ...(wishes.without.size ? [`without ${[...wishes.without].join(" ")}`] : []),
    ...(wishes.bug ? [`bug ${wishes.bug}`] : []),
    ...(wishes.network === "automatic" ? ["automatic"] : wishes.network === "held" ? [] : [`faults ${wishes.network} ${faults}`]),
    ...settings.filter(([name]) => !replaced.has(name)).map(([name, words]) => `${name} ${words}`.trim()),
  ];
  const kept = rest.filter((line) => !/^\s*expect\s/.test(line));
  const first = kept[0]?.trim() ? [""] : [];
  return [...top, ...(lines.length && top.length ? [""] : []), ...lines, ...first, ...kept].join("\n");
}
