// An intervention is made: its menu closes, and the person goes on by pointer or by keys.

import { domNode } from "./dom.js";

/** Perform *commands*, asked for by *element*: a menu around it closes. */
export function handsAct(element, commands, actions) {
  const menu = element.closest("details");
  if (menu !== null) {
    // By keys one goes on at the menu; by pointer in the picture, where the page's keys act.
    const isByKeys = document.activeElement.matches(":focus-visible");
    menu.removeAttribute("open");
    if (isByKeys) menu.querySelector("summary").focus();
    else handsFocusPicture();
  }
  return actions.fork(commands);
}

/** Let the diagram have the focus that something else has lost. */
export function handsFocusPicture() {
  document.querySelector("#spacetime .st-scroll").focus({ preventScroll: true });
}

/** Make a button for *commands*; *whyNot* says why they make no sense now, and is empty if they do. */
export function handsButton(words, commands, whyNot, actions) {
  const button = domNode("button", {
    type: "button", class: "tool", text: words, title: whyNot || commands.join("; "), disabled: whyNot !== "",
    "data-command": commands.join("; "), onclick: () => handsAct(button, commands, actions),
  });
  return button;
}
