// The keyboard: what each key does, in one table that the help shows as well.

import { spacetimeZoom } from "./spacetime-toolbar.js";
import { themeToggle } from "./theme.js";

const KEYS_PANELS = ["why", "run", "scenarios", "game", "share", "live"];

/** Give the table of keys: the key as the browser names it, how it is written, what it does. */
export function keysTable(store, actions, help) {
  const time = [
    ["Space", "space", "play or pause", () => actions.setPlaying(!store.state.playing)],
    ["ArrowRight", "→", "one event forward", () => actions.step(1)],
    ["ArrowLeft", "←", "one event back", () => actions.step(-1)],
    ["Shift+ArrowRight", "Shift →", "one step of the script forward", () => actions.stepMark(1)],
    ["Shift+ArrowLeft", "Shift ←", "one step of the script back", () => actions.stepMark(-1)],
    ["d", "D", "next decision", () => actions.jump("decision", 1)],
    ["D", "Shift D", "previous decision", () => actions.jump("decision", -1)],
    ["r", "R", "next refusal", () => actions.jump("refusal", 1)],
    ["R", "Shift R", "previous refusal", () => actions.jump("refusal", -1)],
    ["v", "V", "next broken invariant", () => actions.jump("violation", 1)],
    ["V", "Shift V", "previous broken invariant", () => actions.jump("violation", -1)],
    ["Home", "Home", "beginning", () => actions.goTo(1)],
    ["End", "End", "end", () => actions.goTo(Infinity)],
  ];
  const picture = [
    ["+", "+", "zoom in", () => spacetimeZoom(store, actions, 1.25)],
    ["-", "−", "zoom out", () => spacetimeZoom(store, actions, 1 / 1.25)],
    [
      "f",
      "F",
      "fit the run into the picture",
      () => actions.setDiagram({ fit: store.state.diagram.fit + 1 }),
    ],
    ["h", "H", "show or hide routine", () => actions.setFilter({ routine: !store.state.filter.routine })],
    ["g", "G", "show or hide the future", () => actions.setDiagram({ future: !store.state.diagram.future })],
    ["Escape", "Esc", "close the comparison, or select nothing", () => keysEscape(store, actions)],
    ["t", "T", "light or dark", themeToggle],
  ];
  const rest = [
    ["]", "]", "next branch", () => actions.showBranch(store.state.branch + 1)],
    ["[", "[", "previous branch", () => actions.showBranch(store.state.branch - 1)],
    ["c", "C", "compare with another branch", () => keysCompare(store, actions)],
    ["n", "N", "next sentence of the tour", () => actions.tour?.next()],
    ["b", "B", "previous sentence of the tour", () => actions.tour?.back()],
    ...KEYS_PANELS.map((panel, index) => [
      String(index + 1),
      String(index + 1),
      `panel “${panel}”`,
      () => keysPanel(panel, actions),
    ]),
    ["?", "?", "this help", help],
  ];
  return [
    ["Time", time],
    ["Picture", picture],
    ["Branches and panels", rest],
  ];
}

function keysPanel(panel, actions) {
  const tab = document.getElementById(`tab-${panel}`);
  if (!tab || tab.hidden) return;
  actions.setPanel(panel);
  tab.focus();
}

function keysCompare(store, actions) {
  const { compare, branch, branches } = store.state;
  if (compare !== null) return actions.compare(null);
  const parent = branches[branch]?.parent;
  return actions.compare(parent ?? (branch > 0 ? branch - 1 : branch + 1));
}

function keysEscape(store, actions) {
  if (store.state.compare !== null) actions.compare(null);
  else actions.select(null);
}

/** Tell whether *target* has a use for the key itself. */
function keysOwn(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable], dialog[open]")) return true;
  if (target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(target.type))
    return true;
  if (target instanceof HTMLInputElement && target.type === "range")
    return key.startsWith("Arrow") || key === "Home" || key === "End";
  if (target.closest("[role=tab], [role=menu], [role=menuitem]"))
    return key.startsWith("Arrow") || key === "Home" || key === "End" || key === "Space";
  return key === "Space" && target.closest("button, summary, a, input, [role=button]") !== null;
}

/** Let the keys act wherever the focus has no use for them. */
export function createKeys(table) {
  const meaning = new Map(table.flatMap(([, keys]) => keys.map(([key, , , act]) => [key, act])));
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const plain = event.key === " " ? "Space" : event.key;
    const key = event.shiftKey && plain.startsWith("Arrow") ? `Shift+${plain}` : plain === "=" ? "+" : plain;
    const act = meaning.get(key);
    if (!act || keysOwn(event.target, plain)) return;
    event.preventDefault();
    act();
  });
}
