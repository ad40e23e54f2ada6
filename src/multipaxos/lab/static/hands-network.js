// The network in a person's hand: held or flowing; cut into groups, or one way, or whole.

import { domNode } from "./dom.js";
import { handsAct, handsButton } from "./hands-act.js";
import { handsIsManual } from "./hands-commands.js";

/** Give what fills the network's menu: it keeps which server is in which group while it is open. */
export function createHandsNetwork(actions) {
  const groups = new Map();
  return (body, { run, at }) => {
    const { blocked } = run.state(at);
    const servers = run.payload.servers;
    const isManual = handsIsManual(run, at);
    body.replaceChildren(
      domNode("div", { class: "hands-row" },
        handsButton("hold all messages", ["hold"], isManual ? "they are held already" : "", actions),
        handsButton("let them flow", ["flow"], isManual ? "" : "they flow already", actions),
        handsButton("heal", ["heal"], blocked.length ? "" : "the network is whole", actions)),
      handsGroups(servers, groups, actions),
      handsOneWay(servers, actions),
      domNode("p", { class: "hands-hint", text: "Or draw a wall in the ring: press between the servers and drag. With Shift, it stops one way only." }));
  };
}

function handsGroups(servers, groups, actions) {
  const choices = servers.map((uid) => {
    const select = domNode("select", { "aria-label": `Group of ${uid}`, "data-group": uid },
      ...["1", "2", "3"].map((group) => domNode("option", { value: group, text: group, selected: groups.get(uid) === group })));
    select.addEventListener("change", () => groups.set(uid, select.value));
    return domNode("label", { class: "hands-group" }, domNode("span", { text: uid.slice(0, 12) }), select);
  });
  const cut = ({ target }) => {
    const sides = ["1", "2", "3"].map((group) => servers.filter((uid) => (groups.get(uid) ?? "1") === group)).filter((side) => side.length);
    if (sides.length < 2) actions.notice("Put the servers into two groups at least.");
    else handsAct(target, [`partition ${sides.map((side) => side.join(" ")).join(" | ")}`], actions);
  };
  return domNode("div", { class: "hands-row" }, domNode("span", { text: "groups" }), ...choices,
    domNode("button", { type: "button", class: "tool", text: "cut them apart", "data-command": "partition", onclick: cut }));
}

function handsOneWay(servers, actions) {
  const choose = (words, chosen) => domNode("select", { "aria-label": words },
    ...servers.map((uid, place) => domNode("option", { value: uid, text: uid.slice(0, 24), selected: place === chosen })));
  const [from, to] = [choose("Nothing from", 0), choose("Nothing to", Math.min(1, servers.length - 1))];
  const block = ({ target }) => {
    if (from.value === to.value) actions.notice("A server's messages to itself never travel.");
    else handsAct(target, [`block ${from.value}->${to.value}`], actions);
  };
  return domNode("div", { class: "hands-row" }, domNode("span", { text: "nothing from" }), from, domNode("span", { text: "to" }), to,
    domNode("button", { type: "button", class: "tool", text: "block this way", "data-command": "block", onclick: block }));
}
