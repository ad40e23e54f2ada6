// Hands on: every intervention is a command of the script; it forks the run at this instant.

import { domNode, domOncePerFrame } from "./dom.js";
import { handsAct, handsButton, handsFocusPicture } from "./hands-act.js";
import { handsIsManual, handsOfMessage, handsOfServer, handsTimersOf, handsWhyNot } from "./hands-commands.js";
import { createHandsNetwork } from "./hands-network.js";

/** Make the toolbar in *element*. */
export function createHandsView(element, store, actions) {
  const quick = domNode("div", { class: "hands-quick", role: "toolbar", "aria-label": "What is selected" });
  const menus = handsMenus(store, actions);
  const note = domNode("p", { class: "hands-note" });
  element.append(domNode("div", { class: "hands-menus", role: "toolbar", "aria-label": "Interventions" }, ...menus.map((menu) => menu.element)), quick, note);
  const draw = domOncePerFrame(() => {
    const { state } = store;
    const why = handsWhyNot(state.run, actions.api);
    note.textContent = why;
    for (const menu of menus) {
      menu.element.hidden = why !== "";
      if (why === "" && menu.element.open) menu.fill(state);
    }
    const wasFocused = quick.contains(document.activeElement);
    quick.replaceChildren(...(why === "" ? handsQuick(state, actions) : []));
    if (wasFocused) (quick.querySelector("button:not(:disabled)") ?? { focus: handsFocusPicture }).focus();
  });
  for (const menu of menus) menu.element.addEventListener("toggle", () => handsToggled(menu, menus, store));
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest(".hands-menu")) for (const menu of menus) menu.element.open = false;
  });
  element.addEventListener("keydown", (event) => {
    const open = menus.find((menu) => menu.element.open);
    if (event.key !== "Escape" || !open) return;
    open.element.open = false;
    open.element.querySelector("summary").focus();
    event.stopPropagation();
  });
  store.subscribe((_, patch) => {
    if (["run", "at", "selection", "busy"].some((name) => name in patch)) draw();
  });
  draw();
}

function handsToggled(menu, menus, store) {
  if (!menu.element.open) return;
  for (const other of menus) if (other !== menu) other.element.open = false;
  menu.fill(store.state);
}

function handsMenu(name, words, fill) {
  const body = domNode("div", { class: "hands-body" });
  const element = domNode("details", { class: "hands-menu", "data-hands": name }, domNode("summary", { class: "tool", text: words }), body);
  return { element, fill: (state) => fill(body, state) };
}

/** The commands for the message or server that is selected, at hand without a menu. */
function handsQuick({ run, at, selection }, actions) {
  if (selection?.kind === "message" && run.inFlight(at).includes(selection.index)) {
    const message = run.payload.messages[selection.index];
    return [domNode("span", { class: "hands-what", text: `${message.kind} ${message.sender}→${message.receiver}` }),
      ...handsOfMessage(message, run.state(at).blocked).map(([words, command, whyNot]) => handsButton(words, [command], whyNot, actions))];
  }
  const server = selection?.kind === "server" ? run.state(at).servers[selection.uid] : null;
  if (!server) return [];
  return [domNode("span", { class: "hands-what", text: selection.uid }),
    ...handsOfServer(selection.uid, server).filter(([, , whyNot]) => whyNot === "").slice(0, 4)
      .map(([words, commands]) => handsButton(words, commands, "", actions))];
}

function handsMenus(store, actions) {
  return [
    handsMenu("messages", "Messages", (body, state) => handsFillMessages(body, state, actions)),
    handsMenu("servers", "Servers", (body, state) => handsFillServers(body, state, actions)),
    handsMenu("timers", "Timers and clocks", (body, state) => handsFillTimers(body, state, actions)),
    handsMenu("network", "Network", createHandsNetwork(actions)),
    handsMenu("clients", "Clients", (body, state) => handsFillClients(body, state, actions)),
    handsMenu("time", "Time", (body, state) => handsFillTime(body, state, actions)),
  ];
}

function handsFillMessages(body, { run, at }, actions) {
  const flying = run.inFlight(at).map((index) => [index, run.payload.messages[index]]);
  const rows = flying.slice(0, 60).map(([index, message]) =>
    domNode("div", { class: "hands-row", "data-message": index },
      domNode("span", { class: "hands-words", text: `#${message.id} ${message.sender}→${message.receiver} ${message.text}`.slice(0, 80) }),
      ...handsOfMessage(message, run.state(at).blocked).map(([words, command, whyNot]) => handsButton(words, [command], whyNot, actions))));
  const all = [["deliver all", "deliver all"], ["lose all", "drop all"]].map(([words, command]) =>
    handsButton(words, [command], handsIsManual(run, at) && flying.length ? "" : "no message is held for a person to deliver", actions));
  body.replaceChildren(domNode("div", { class: "hands-row" }, ...all), ...(rows.length ? rows : [domNode("p", { text: "Nothing is on its way." })]));
}

function handsFillServers(body, { run, at }, actions) {
  const { servers } = run.state(at);
  body.replaceChildren(...Object.entries(servers).map(([uid, server]) =>
    domNode("div", { class: "hands-row", "data-server": uid },
      domNode("b", { text: uid.slice(0, 12) }),
      ...handsOfServer(uid, server).map(([words, commands, whyNot]) => handsButton(words, commands, whyNot, actions)))));
}

function handsFillTimers(body, { run, at }, actions) {
  const { servers } = run.state(at);
  body.replaceChildren(...Object.entries(servers).map(([uid, server]) => {
    const rate = domNode("input", { type: "number", min: "0.01", max: "100", step: "0.01", value: String(server.clock), "aria-label": `Rate of the clock of ${uid}`, "data-rate": uid });
    const set = domNode("button", { type: "button", class: "tool", text: "set clock", "data-clock": uid, onclick: () => handsAct(set, [`clock ${uid} ${rate.value}`], actions) });
    const timers = handsTimersOf(run, at, uid, server);
    return domNode("div", { class: "hands-row", "data-server": uid },
      domNode("b", { text: uid.slice(0, 12) }),
      ...timers.map((timer) => handsButton(timer, [`fire ${uid} ${timer}`], "", actions)),
      domNode("span", { class: "hands-words", text: timers.length ? "" : "no timer runs" }), rate, set);
  }));
}

function handsFillClients(body, { run }, actions) {
  if (body.firstChild) return;
  const server = domNode("select", { "aria-label": "Server to be asked", "data-client": "server" }, ...run.payload.servers.map((uid) => domNode("option", { value: uid, text: uid.slice(0, 24) })));
  const value = domNode("input", { type: "text", maxlength: "60", placeholder: "value, without blanks", "aria-label": "Value to set", "data-client": "value" });
  const read = domNode("button", { type: "button", class: "tool", text: "read", "data-client": "read", onclick: () => handsAct(read, [`read ${server.value}`], actions) });
  const form = domNode("form", { class: "hands-row" }, domNode("span", { text: "a new client asks" }), server, domNode("span", { text: "to set" }), value,
    domNode("button", { type: "submit", class: "tool", text: "set", "data-client": "set" }), read);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = value.value.trim();
    if (words === "" || /\s/.test(words)) actions.notice("A value here is one word, without blanks.");
    else handsAct(form, [`propose ${server.value} ${words}`], actions);
  });
  body.replaceChildren(form);
}

function handsFillTime(body, _, actions) {
  if (body.firstChild) return;
  const steps = [["the next thing that is due", "steps 1"], ["ten things", "steps 10"], ["10 ms", "advance 10ms"], ["100 ms", "advance 100ms"], ["1 s", "advance 1s"], ["10 s", "advance 10s"]];
  body.replaceChildren(domNode("div", { class: "hands-row" }, domNode("span", { text: "let pass" }), ...steps.map(([words, command]) => handsButton(words, [command], "", actions))));
}
