// Share a run: as a link, a file, a test, a scenario, a picture.

import { domNode } from "./dom.js";
import { picturePng, pictureSvg } from "./picture-svg.js";
import { SHARE_LINK_MAX, shareLink } from "./share-link.js";

const SHARE_CHOICES = [
  ["link", "Copy the link", "Holds the whole run: whoever has the lab opens it and sees the same, event by event."],
  ["file", "Save as one HTML file", "The whole viewer with this run in it. It opens from a disk, without a server or a network."],
  ["test", "Copy as test", "A pytest that plays this run and asserts what was chosen, refused and broken. It passes as it stands."],
  ["scenario", "Copy as scenario", "The script, to be kept as a file, edited, and played again."],
  ["svg", "Save the picture as SVG", "What the space-time diagram shows now."],
  ["png", "Save the picture as PNG", "The same, for slides."],
  ["ring-svg", "Save the ring as SVG", "The servers at this instant."],
];
const SHARE_OF_SCRIPT = new Set(["link", "test", "scenario"]);

/** Make the panel in *element*. */
export function createShareView(element, store, actions) {
  const done = domNode("p", { class: "share-done", role: "status", "data-share-done": "" });
  const text = domNode("textarea", { class: "share-text", readonly: true, hidden: true, rows: "12", "aria-label": "What was copied", "data-share-text": "" });
  const rows = SHARE_CHOICES.map(([name, words, says]) => shareRow(name, words, says, () => choose(name)));
  element.append(domNode("h2", { text: "Share this run" }), domNode("div", { class: "share-rows" }, ...rows), done, text);

  const tell = (words, shown = "") => {
    done.textContent = words;
    text.hidden = !shown;
    text.value = shown;
  };
  const choose = async (name) => {
    const { run, at } = store.state;
    if (!run) return;
    tell("");
    try {
      await shareDo(name, run.payload, at, actions.api, tell);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  };
  const draw = (state) => {
    const ofScript = state.run?.payload.source === "script";
    for (const row of rows) {
      const { share } = row.firstChild.dataset;
      const why = shareWhyNot(share, state.run, ofScript, actions.api.offline);
      row.firstChild.disabled = why !== "";
      row.lastChild.textContent = why || row.dataset.says;
    }
  };
  let known = null;
  store.subscribe((state) => {
    if (state.run === known) return;
    known = state.run;
    tell("");
    draw(state);
  });
  draw(store.state);
}

function shareRow(name, words, says, onclick) {
  return domNode("div", { class: "share-row", "data-says": says },
    domNode("button", { type: "button", class: "tool share-button", "data-share": name, text: words, onclick }),
    domNode("p", { text: says }));
}

function shareWhyNot(name, run, ofScript, offline) {
  if (!run) return "There is no run yet.";
  if (SHARE_OF_SCRIPT.has(name) && !ofScript) return "This run comes from a trace: no script gives it.";
  if (offline && (name === "file" || name === "test")) return "This page is that file already, and has no server to ask.";
  if (name === "file" && !ofScript) return "Save a trace as a file with: multipaxos lab TRACE --save FILE";
  return "";
}

async function shareDo(name, payload, at, api, tell) {
  const file = shareFileName(payload.title);
  if (name === "link") {
    const link = shareLink(payload.script, at);
    if (link.length > SHARE_LINK_MAX) throw new Error("The script is too long for a link. Copy it as a scenario, or save it as a file.");
    await shareCopy(link, "The link is copied. It works on a machine where the lab runs.", tell);
  } else if (name === "test") {
    await shareCopy((await api.test(payload.script)).text, "The test is copied.", tell);
  } else if (name === "scenario") {
    await shareCopy(payload.script, "The scenario is copied.", tell);
  } else if (name === "file") {
    shareSave(new Blob([(await api.exported(payload.script)).html], { type: "text/html" }), `${file}.html`);
    tell(`Saved as ${file}.html.`);
  } else {
    await sharePicture(name, file, tell);
  }
}

async function sharePicture(name, file, tell) {
  const svg = document.querySelector(name === "ring-svg" ? "#ring svg" : "#spacetime .st-svg");
  if (svg === null) throw new Error("There is no picture to save.");
  const picture = pictureSvg(svg);
  const ending = name === "png" ? "png" : "svg";
  const blob = name === "png" ? await picturePng(picture) : new Blob([picture], { type: "image/svg+xml" });
  shareSave(blob, `${file}.${ending}`);
  tell(`Saved as ${file}.${ending}.`);
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

function shareSave(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = domNode("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}

function shareFileName(title) {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "run";
}
