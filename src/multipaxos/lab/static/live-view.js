// A running cluster of real processes: what it does, a moment later, and what can be done to it.

import { domCut, domNode, domSeconds } from "./dom.js";
import { liveLine } from "./live-lines.js";
import { createLiveNetwork } from "./live-network.js";
import { RunModel } from "./run-model.js";

const LIVE_LOOK_MILLISECONDS = 250;
const LIVE_LINES_MAX = 200; // shown; the server keeps many more
const LIVE_BRANCH = "live";
const LIVE_FOLLOW_SECONDS = 3;
const LIVE_FOLLOW_LOOKS = 3; // so many looks at the cluster for each new picture
const LIVE_FREEZE_SECONDS = [1, 5, 30];
const LIVE_STORY = "The picture shows another run, not this cluster, until “follow” is ticked.";
const LIVE_DEEDS = [["kill", "kill -9"], ["restart", "start"], ["pause", "pause"], ["resume", "go on"]];
const LIVE_POSSIBLE = { up: ["kill", "pause"], paused: ["kill", "resume"], down: ["restart"] };
const LIVE_DEPTH = { trace: 1, "timer set": 1, "timer fired": 1, "timer cancelled": 1, saved: 1, answered: 1, started: 0 };

/** Make the panel in *element*; its tab shows only if the page belongs to a running cluster. */
export function createLiveView(element, store, actions) {
  if (actions.api.offline) return;
  actions.api.catalogue().then((catalogue) => {
    if (!catalogue.live) return;
    liveStart(element, store, actions);
    actions.setPanel("live");
  }, (error) => actions.notice(error.message));
}

function liveStart(element, store, actions) {
  const live = { next: 0, events: [], servers: {}, faults: null, follows: false, followed: null, looks: 0 };
  const parts = liveParts(actions, live, (wish) => liveDo(wish, actions, parts, look));
  element.append(...parts.all);
  let asking = false;
  const look = async () => {
    if (asking || element.hidden || document.hidden) return;
    asking = true;
    try {
      liveTake(live, await actions.api.live(live.next));
      liveDraw(live, parts);
      parts.story.hidden = store.state.run?.payload.source === "live";
      if (live.follows && (live.looks += 1) % LIVE_FOLLOW_LOOKS === 0) await liveFollow(live, store, actions);
    } catch (error) {
      parts.said.textContent = error.message;
    } finally {
      asking = false;
    }
  };
  setInterval(look, LIVE_LOOK_MILLISECONDS);
  look();
}

function liveTake(live, told) {
  live.gap = told.missing > 0;
  live.next = told.next;
  live.servers = told.servers;
  live.faults = told.faults;
  told.events.forEach((event, place) => live.events.push({ number: told.first + place, event }));
  live.events.splice(0, live.events.length - 20 * LIVE_LINES_MAX);
}

async function liveDo(wish, actions, parts, look) {
  parts.said.textContent = "...";
  try {
    parts.said.textContent = (await actions.api.liveFault(wish)).text;
  } catch (error) {
    parts.said.textContent = error.message;
  }
  look();
}

// ---------------------------------------------------------------------------------------- its parts

function liveParts(actions, live, wish) {
  const servers = domNode("div", { class: "live-servers", "data-live": "servers" });
  const said = domNode("p", { class: "live-said", role: "status", "data-live": "said" });
  const lines = domNode("ol", { class: "live-lines", "aria-label": "What happens, the newest first", "data-live": "lines" });
  const story = domNode("p", { class: "live-hint", "data-live": "story", text: LIVE_STORY });
  const network = createLiveNetwork(wish);
  const all = [
    domNode("div", { class: "live-head" }, domNode("h2", { text: "A running cluster" }), liveFollowSwitch(live)),
    story, servers, livePropose(live, wish), said, network.form,
    domNode("div", { class: "live-freeze" },
      domNode("span", { text: "Freeze the last" }),
      ...LIVE_FREEZE_SECONDS.map((seconds) => liveFreezeButton(seconds, live, actions, said))),
    lines,
  ];
  return { all, story, servers, said, lines, network, wish };
}

function livePropose(live, wish) {
  const server = domNode("select", { "aria-label": "Server to be asked", "data-live": "ask" });
  const value = domNode("input", { type: "text", maxlength: "1000", placeholder: "value", "aria-label": "Value to set", "data-live": "value" });
  const form = domNode("form", { class: "live-row" },
    domNode("span", { text: "Ask" }), server, domNode("span", { text: "to set" }), value,
    domNode("button", { type: "submit", class: "tool", text: "set" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    wish({ action: "propose", server: server.value, value: value.value });
  });
  form.fill = () => liveOptions(server, Object.keys(live.servers));
  return form;
}

function liveFreezeButton(seconds, live, actions, said) {
  const freeze = async () => {
    const newest = live.events.at(-1);
    if (!newest) return;
    const first = live.events.find(({ event }) => event.time >= newest.event.time - seconds);
    try {
      const run = await actions.api.liveFreeze(first.number, newest.number + 1);
      actions.openRun(run, run.title, { beside: true, at: run.events.length });
      said.textContent = "It is in the viewer now, as a branch of its own.";
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return domNode("button", { type: "button", class: "tool", text: domSeconds(seconds), "data-freeze": seconds, onclick: freeze });
}

/** Make the switch that shows the newest stretch in the viewer, again and again. */
function liveFollowSwitch(live) {
  const box = domNode("input", { type: "checkbox", "data-live": "follow" });
  box.addEventListener("change", () => { live.follows = box.checked; });
  return domNode("label", { class: "switch", title: "Show the newest seconds in the viewer, as they come" },
    box, domNode("span", { text: "follow" }));
}

/** Put the newest stretch in place of the one before: in one branch, which is shown to its end. */
async function liveFollow(live, store, actions) {
  const newest = live.events.at(-1);
  if (!newest || newest.number === live.followed) return;
  const first = live.events.find(({ event }) => event.time >= newest.event.time - LIVE_FOLLOW_SECONDS);
  const payload = await actions.api.liveFreeze(first.number, newest.number + 1);
  live.followed = newest.number;
  const { branches } = store.state;
  const known = branches.findIndex((branch) => branch.name === LIVE_BRANCH);
  if (known < 0) {
    actions.openRun(payload, LIVE_BRANCH, { beside: true, at: payload.events.length });
    return;
  }
  const branch = { ...branches[known], run: new RunModel(payload) };
  actions.show(branches.map((one, place) => (place === known ? branch : one)), known, { at: payload.events.length });
}

function liveOptions(select, names) {
  if ([...select.options].map((option) => option.value).join() === names.join()) return;
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => domNode("option", { value: name, text: domCut(name, 24) })));
  if (names.includes(chosen)) select.value = chosen;
}

// ------------------------------------------------------------------------------------------ drawing

function liveDraw(live, parts) {
  liveDrawServers(live, parts);
  parts.network.show(Object.keys(live.servers), live.faults);
  for (const form of parts.all) form.fill?.();
  const newest = live.events.filter(({ event }) => !(event.kind in LIVE_DEPTH && LIVE_DEPTH[event.kind])).slice(-LIVE_LINES_MAX);
  const last = newest.at(-1)?.number;
  if (parts.lines.dataset.last === String(last)) return;
  parts.lines.dataset.last = String(last);
  parts.lines.replaceChildren(...newest.reverse().map(({ number, event }) => liveLine(number, event)));
}

function liveDrawServers(live, parts) {
  const known = liveKnown(live.events);
  const names = Object.keys(live.servers);
  if (parts.servers.childElementCount !== names.length) {
    parts.servers.replaceChildren(...names.map((name) => liveCard(name, parts.wish)));
  }
  names.forEach((name, place) => {
    const card = parts.servers.children[place];
    const state = live.servers[name];
    card.dataset.state = state;
    card.querySelector("[data-live=state]").textContent = state;
    card.querySelector("[data-live=about]").textContent = liveAbout(known.get(name), state);
    for (const button of card.querySelectorAll("button")) {
      button.disabled = !LIVE_POSSIBLE[state].includes(button.dataset.deed);
    }
  });
}

function liveCard(name, wish) {
  return domNode("section", { class: "live-card", "data-server": name, "aria-label": `Server ${name}` },
    domNode("h3", {}, domNode("span", { text: domCut(name, 24) }), domNode("span", { class: "live-state", "data-live": "state" })),
    domNode("p", { "data-live": "about" }),
    domNode("div", { class: "live-deeds" }, ...LIVE_DEEDS.map(([deed, words]) =>
      domNode("button", { type: "button", class: "tool", text: words, "data-deed": deed, onclick: () => wish({ action: deed, server: name }) }))));
}

/** What the newest events tell of each server: its link, and whether it believes to be master. */
function liveKnown(events) {
  const known = new Map();
  for (const { event } of events) {
    const about = known.get(event.server) ?? known.set(event.server, {}).get(event.server);
    if (event.kind === "lease began") about.master = true;
    else if (event.kind === "lease ended" || event.kind === "started" || event.kind === "crashed") about.master = false;
    if (event.kind === "saved") about.link = event.instance;
    else if (event.kind === "resolved" || event.kind === "learned") about.link = event.instance + 1;
  }
  return known;
}

function liveAbout(about, state) {
  if (state === "down") return "its disk stays";
  const link = about?.link === undefined ? "" : `at link ${about.link}`;
  return about?.master ? `${link}, trusts its lease` : link;
}
