// The frame of the page: title, the teacher's line, notices, and the tabs of the panel.

import { domCut, domNode } from "./dom.js";
import { tourCaption, tourStops } from "./tour-stops.js";

const PAGE_PANELS = [
  ["why", "Why"],
  ["run", "Run"],
  ["scenarios", "Scenarios"],
  ["game", "Game"],
  ["share", "Share"],
  ["live", "Live"],
];

const PAGE_CAPTION_MAX = 220;

function pageTabs(actions) {
  const tabs = PAGE_PANELS.map(([panel, words]) =>
    domNode("button", {
      type: "button",
      role: "tab",
      id: `tab-${panel}`,
      "aria-controls": `panel-${panel}`,
      "data-panel": panel,
      text: words,
      hidden: panel === "live",
      onclick: () => actions.setPanel(panel),
    }),
  );
  const list = domNode("div", { class: "tabs", role: "tablist", "aria-label": "Panel" }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const open = tabs.filter((tab) => !tab.hidden);
    const here = open.indexOf(document.activeElement);
    const way = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: open.length - 1 }[event.key];
    if (way === undefined || here < 0) return;
    const next = open[(way + open.length) % open.length];
    event.preventDefault();
    actions.setPanel(next.dataset.panel);
    next.focus();
  });
  return { list, tabs };
}

function pageShowPanel(tabs, panel) {
  for (const tab of tabs) {
    const isShown = tab.dataset.panel === panel;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
    document.getElementById(`panel-${tab.dataset.panel}`).hidden = !isShown;
  }
}

/** Give the function that draws the teacher's line; it is as high as the longest one of the run. */
function pageCaption(element) {
  const words = domNode("span", { class: "caption-words", "aria-live": "polite" });
  const longest = domNode("span", { class: "caption-words caption-room", "aria-hidden": "true" });
  element.append(words, longest);
  let known = null;
  return ({ run, at }) => {
    const now = run ? tourCaption(run.payload, at) : "";
    if (words.title !== now) {
      words.textContent = domCut(now, PAGE_CAPTION_MAX);
      words.title = now;
    }
    if (run === known) return;
    known = run;
    const hasCaptions = run?.payload.marks.some((mark) => mark.caption);
    const captions = hasCaptions ? tourStops(run.payload).map((stop) => stop.caption) : [];
    const most = captions.reduce((most, caption) => (caption.length > most.length ? caption : most), "");
    longest.textContent = domCut(most, PAGE_CAPTION_MAX);
    element.classList.toggle("is-none", most === "");
  };
}

/** Draw the frame around the views. */
export function createPageView(store, actions) {
  const title = document.getElementById("title");
  const drawCaption = pageCaption(document.getElementById("caption"));
  const notice = document.getElementById("notice");
  const { list, tabs } = pageTabs(actions);
  document.getElementById("tabs").append(list);
  const noticeWords = domNode("span", {});
  notice.append(
    noticeWords,
    domNode("button", {
      type: "button",
      class: "tool",
      text: "×",
      "aria-label": "Dismiss",
      onclick: () => actions.notice(""),
    }),
  );
  let panel = null;
  const draw = (state) => {
    const { run } = state;
    const name = run ? run.payload.title || state.branches[state.branch]?.name || "" : "";
    title.textContent = domCut(name, 160);
    title.title = domCut(name, 1000);
    document.title = name ? `${domCut(name, 60)} · multipaxos lab` : "multipaxos lab";
    drawCaption(state);
    notice.hidden = !state.notice;
    noticeWords.textContent = domCut(state.notice, 600);
    document.body.classList.toggle("is-busy", state.busy);
    document.body.classList.toggle("is-comparing", state.compare !== null);
    if (panel !== state.panel) pageShowPanel(tabs, (panel = state.panel));
  };
  store.subscribe(draw);
  draw(store.state);
}
