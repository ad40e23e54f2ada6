// Share a run: as a link, a file, a test, a scenario, a picture.

import { domNode } from "./dom.js";
import { pictureOfRun } from "./picture-run.js";
import { picturePng, pictureSvg } from "./picture-svg.js";
import { SHARE_LINK_MAX, shareLink, shareLinkRead } from "./share-link.js";

const SHARE_ROWS = [
  ["The run", [["link", "Copy the link"]],
    "Holds the script and this instant: whoever has the lab running opens it, and sees the same, event by event."],
  ["", [["file", "Save as one HTML file"]],
    "The whole viewer with this run in it. It opens from a disk, without a server or a network."],
  ["", [["scenario", "Copy as scenario"], ["scenario-file", "Save"]],
    "The script, and the trace that it must give again. `multipaxos lab --script FILE` plays it."],
  ["", [["test", "Copy as test"], ["test-file", "Save"]],
    "A pytest that plays this run and asserts what was chosen, refused and broken. It passes as it stands."],
  ["The picture", [["view-svg", "SVG"], ["view-png", "PNG"]], "The space-time diagram, what is in view, at this instant."],
  ["", [["run-svg", "SVG"], ["run-png", "PNG"]], "The space-time diagram, the whole run."],
  ["", [["ring-svg", "SVG"], ["ring-png", "PNG"]], "The ring, at this instant."],
];
const SHARE_OF_SCRIPT = /^(link|test|scenario)/;
const SHARE_OF_SERVER = /^(file|test|scenario)/;

/** Make the panel in *element*. */
export function createShareView(element, store, actions) {
  const done = domNode("p", { class: "share-done", role: "status", "data-share-done": "" });
  const text = domNode("textarea", { class: "share-text", readonly: true, hidden: true, rows: "12", "aria-label": "What was copied", "data-share-text": "" });
  const tell = (words, shown = "") => {
    done.textContent = words;
    text.hidden = !shown;
    text.value = shown;
  };
  const choose = async (name) => {
    if (!store.state.run) return;
    tell("");
    try {
      await shareDo(name, store.state, actions.api, tell);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  };
  const rows = SHARE_ROWS.map(([title, choices, says]) => shareRow(title, choices, says, choose));
  element.append(...rows.flatMap(({ nodes }) => nodes), done, text);

  let known; // no run yet is something to draw, too
  const draw = (state) => {
    if (state.run === known) return;
    known = state.run;
    tell("");
    for (const { buttons, words, says } of rows) {
      const why = shareWhyNot(buttons[0].dataset.share, state.run, actions.api.offline);
      for (const button of buttons) button.disabled = why !== "";
      words.textContent = why || says;
    }
  };
  store.subscribe(draw);
  draw(store.state);
  if (!actions.api.offline) shareFollowLinks(actions);
}

function shareRow(title, choices, says, choose) {
  const buttons = choices.map(([name, words]) =>
    domNode("button", { type: "button", class: "tool share-button", "data-share": name, text: words, "aria-label": `${words}. ${says}`, onclick: () => choose(name) }));
  const words = domNode("p", { text: says });
  const row = domNode("div", { class: "share-row" }, domNode("div", { class: "share-buttons" }, ...buttons), words);
  return { nodes: title ? [domNode("h2", { class: "share-title", text: title }), row] : [row], buttons, words, says };
}

/** Open a link that is put into the address of this page: it is not loaded again then. */
function shareFollowLinks(actions) {
  window.addEventListener("hashchange", () => {
    const asked = shareLinkRead();
    if (asked !== null) actions.play(asked.script, undefined, { at: asked.at });
  });
}

function shareWhyNot(name, run, offline) {
  if (!run) return "There is no run yet.";
  if (SHARE_OF_SCRIPT.test(name) && run.payload.source !== "script") return "This run comes from a trace: no script gives it.";
  if (offline && name === "file") return "This page is that file already.";
  if (offline && SHARE_OF_SERVER.test(name)) return "A page from a file has no server to make it. Open the link in the lab.";
  return "";
}

async function shareDo(name, state, api, tell) {
  const { payload } = state.run;
  const [what, how] = name.split("-");
  if (what === "link") {
    const link = shareLink(payload.script, state.at);
    if (link.length > SHARE_LINK_MAX) throw new Error("The script is too long for a link. Copy it as a scenario, or save it as a file.");
    await shareCopy(link, "The link is copied. It works on a machine where the lab runs.", tell);
  } else if (what === "file") {
    shareSave(await api.exported(payload), `${shareFileName(payload.title, "-")}.html`, tell);
  } else if (what === "scenario") {
    await shareText(await api.asScenario(payload.script), how, "The scenario is copied.", `${shareFileName(payload.title, "_")}.txt`, tell);
  } else if (what === "test") {
    await shareText(await api.asTest(payload.script), how, "The test is copied.", `test_${shareFileName(payload.title, "_")}.py`, tell);
  } else {
    await sharePicture(what, how, state, tell);
  }
}

async function shareText(text, how, words, file, tell) {
  if (how === "file") shareSave(new Blob([text], { type: "text/plain" }), file, tell);
  else await shareCopy(text, words, tell);
}

async function sharePicture(what, ending, { run, filter }, tell) {
  const picture = what === "run" ? pictureOfRun(run, filter) : sharePictureInView(what, run.payload.title);
  const blob = ending === "png" ? await picturePng(picture) : new Blob([picture], { type: "image/svg+xml" });
  const file = shareFileName(run.payload.title, "-");
  shareSave(blob, `${file}${what === "ring" ? "-ring" : ""}.${ending}`, tell);
}

function sharePictureInView(what, title) {
  const svg = document.querySelector(what === "ring" ? "#ring svg" : "#spacetime .st-svg");
  if (svg === null || svg.getBoundingClientRect().width === 0) throw new Error("There is no such picture on the page now.");
  return pictureSvg(svg, title);
}

/** Copy *text*; where the browser does not allow that, show it, so that a person can. */
async function shareCopy(text, words, tell) {
  try {
    await navigator.clipboard.writeText(text);
    tell(words, text);
  } catch {
    tell("The browser does not let the page copy: here it is, to be copied by hand.", text);
  }
}

function shareSave(blob, name, tell) {
  const address = URL.createObjectURL(blob);
  const link = domNode("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  tell(`Saved as ${name}.`);
}

function shareFileName(title, joint) {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join(joint).slice(0, 60) || "run";
}
