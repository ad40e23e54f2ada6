// Share a run: as a link, a file, a test, a scenario, a picture.

import { domNode } from "./dom.js";
import { pictureOfRun } from "./picture-run.js";
import { picturePng, pictureSvg } from "./picture-svg.js";
import { SHARE_LINK_MAX, shareLink } from "./share-link.js";

// The title of a group, where one begins; the buttons; what they give.
const SHARE_ROWS = [
  [
    "The run",
    [["link", "Copy the link"]],
    "Holds the script and this instant: whoever has the lab running sees the same, event by event.",
  ],
  [
    "",
    [["file", "Save as one HTML file"]],
    "The whole viewer with this run in it. It opens from a disk, without a server or a network.",
  ],
  [
    "",
    [["scenario", "Copy as scenario"], ["scenario-file", "Save"]],
    "The script, and the trace that it must give. `multipaxos lab --script FILE` plays it.",
  ],
  [
    "",
    [["test", "Copy as test"], ["test-file", "Save"]],
    "A pytest that asserts what was chosen, refused and broken here. It passes as it stands.",
  ],
  [
    "The picture",
    [["view-svg", "SVG"], ["view-png", "PNG"]],
    "The space-time diagram, what is in view, at this instant.",
  ],
  ["", [["run-svg", "SVG"], ["run-png", "PNG"]], "The space-time diagram, the whole run."],
  ["", [["ring-svg", "SVG"], ["ring-png", "PNG"]], "The ring, at this instant."],
];
const SHARE_OF_SCRIPT = /^(link|test|scenario)/;
const SHARE_OF_SERVER = /^(file|test|scenario)/;
const SHARE_KEPT_MS = 60000; // how long a file that is saved stays in memory

/** Make the panel in *element*. */
export function createShareView(element, store, actions) {
  const { nodes, tell } = shareResult();
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
  element.append(...rows.flatMap((row) => row.nodes), ...nodes);

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
}

/** Make the place where it is told what came of it, and shown what was copied. */
function shareResult() {
  const done = domNode("p", { class: "share-done", role: "status", "data-share-done": "" });
  const text = domNode("textarea", {
    class: "share-text",
    readonly: true,
    hidden: true,
    rows: "12",
    "aria-label": "What was copied",
    "data-share-text": "",
  });
  const tell = (words, shown = "") => {
    done.textContent = words;
    text.hidden = !shown;
    text.value = shown;
    if (words) done.scrollIntoView({ block: "nearest" });
  };
  return { nodes: [done, text], tell };
}

function shareRow(title, choices, says, choose) {
  const buttons = choices.map(([name, words]) =>
    domNode("button", {
      type: "button",
      class: "tool share-button",
      "data-share": name,
      text: words,
      "aria-label": `${words}. ${says}`,
      onclick: () => choose(name),
    }),
  );
  const words = domNode("p", { text: says });
  const row = domNode(
    "div",
    { class: "share-row" },
    domNode("div", { class: "share-buttons" }, ...buttons),
    words,
  );
  const nodes = title ? [domNode("h2", { class: "share-title", text: title }), row] : [row];
  return { nodes, buttons, words, says };
}

function shareWhyNot(name, run, offline) {
  if (!run) return "There is no run yet.";
  if (SHARE_OF_SCRIPT.test(name) && run.payload.source !== "script") {
    return "This run comes from a trace: no script gives it.";
  }
  if (offline && name === "file") return "This page is that file already.";
  if (offline && SHARE_OF_SERVER.test(name)) {
    return "A page from a file has no server to make it. Open the link in the lab.";
  }
  return "";
}

async function shareDo(name, state, api, tell) {
  const { payload } = state.run;
  const [what, how] = name.split("-");
  if (what === "link") {
    const words = "The link is copied. It works on a machine where the lab runs.";
    await shareCopy(shareLinkTo(payload.script, state.at), words, tell);
  } else if (what === "file") {
    shareSave(await api.exported(payload), `${shareFileName(payload.title, "-")}.html`, tell);
  } else if (what === "scenario") {
    const text = await api.asScenario(payload.script);
    const file = `${shareFileName(payload.title, "_")}.txt`;
    await shareText(text, how, "The scenario is copied.", file, tell);
  } else if (what === "test") {
    const text = await api.asTest(payload.script);
    const file = `test_${shareFileName(payload.title, "_")}.py`;
    await shareText(text, how, "The test is copied.", file, tell);
  } else {
    await sharePicture(what, how, state, tell);
  }
}

function shareLinkTo(script, at) {
  const link = shareLink(script, at);
  if (link.length <= SHARE_LINK_MAX) return link;
  throw new Error("The script is too long for a link. Copy it as a scenario, or save a file.");
}

async function shareText(text, how, words, file, tell) {
  if (how === "file") shareSave(new Blob([text], { type: "text/plain" }), file, tell);
  else await shareCopy(text, words, tell);
}

async function sharePicture(what, ending, { run, filter }, tell) {
  const { title } = run.payload;
  const picture = what === "run" ? pictureOfRun(run, filter) : sharePictureInView(what, title);
  const isPng = ending === "png";
  const blob = isPng
    ? await picturePng(picture)
    : new Blob([picture], { type: "image/svg+xml" });
  const file = shareFileName(title, "-");
  shareSave(blob, `${file}${what === "run" ? "" : `-${what}`}.${ending}`, tell);
}

function sharePictureInView(what, title) {
  const svg = document.querySelector(what === "ring" ? "#ring svg" : "#spacetime .st-svg");
  if (svg === null || svg.getBoundingClientRect().width === 0) {
    throw new Error("There is no such picture on the page now.");
  }
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
  setTimeout(() => URL.revokeObjectURL(address), SHARE_KEPT_MS);
  tell(`Saved as ${name}.`);
}

function shareFileName(title, joint) {
  const words = title.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join(joint).slice(0, 60) || "run";
}
