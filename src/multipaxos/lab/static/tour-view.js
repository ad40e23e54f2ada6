// One scenario of the tour: its question, the sentences so far, next and back, and the wheel.

import { domCut, domNode } from "./dom.js";
import { createTourQuestion } from "./tour-question.js";

const TOUR_TEXT_MAX = 1200;

function tourButton(words, attributes) {
  return domNode("button", { type: "button", class: "tool", text: words, ...attributes });
}

/** Draw one sentence of the story so far: a click goes back there. */
function tourSentence(guide, stop, index) {
  const isHere = index === guide.stop;
  const told = domNode("button", {
    type: "button", class: "tour-told", "data-stop": index, "aria-current": isHere ? "step" : null,
    text: domCut(stop.caption, TOUR_TEXT_MAX), onclick: () => guide.goTo(index),
  });
  const commands = isHere && stop.commands.length ? domNode("code", { class: "tour-commands", text: domCut(stop.commands.join(" · "), 300) }) : null;
  const claims = isHere && stop.claims.length ? tourClaims(stop.claims) : null;
  return domNode("li", { class: isHere ? "tour-sentence is-here" : "tour-sentence", value: index }, told, commands, claims);
}

/** What the script itself checks here: a caption whose claim is not true could not be shown. */
function tourClaims(claims) {
  const said = claims.map((claim) => domNode("span", { class: "tour-claim", text: domCut(claim, 120) }));
  return domNode("p", { class: "tour-claims", title: "The script holds this to the run" }, ...said);
}

/** Make the view of a scenario; `draw(guide)` brings it up to date. *leave* shows the gallery. */
export function createTourView(guide, { leave, open, reveal, neighbours, seen }) {
  const parts = tourParts(guide, leave);
  const question = createTourQuestion(seen, () => {
    reveal();
    draw();
    tourScrollUnder(parts.tools, question.element);
    if (question.hadFocus) focus();
  });
  const related = domNode("p", { class: "tour-related" });
  const element = domNode("div", { class: "tour", hidden: true }, parts.tools, parts.title, question.element, parts.list, related);
  let known = {};
  const draw = () => {
    if (!guide.run) return;
    const { scenario } = guide.run.payload;
    const last = guide.stops.length - 1;
    tourDrawTools(parts, guide, last, { scenario, question, open, next: neighbours(scenario.name).next });
    if (known.name !== scenario.name) tourDrawStory(element, parts, scenario, related, neighbours(scenario.name), open);
    question.draw(scenario, guide.stop === 0);
    tourDrawTitle(parts.title, scenario, question.isShown(scenario));
    if (known.name !== scenario.name || known.stop !== guide.stop || known.isAway !== guide.isAway) {
      parts.list.replaceChildren(...guide.stops.slice(1, guide.stop + 1).map((stop, index) => tourSentence(guide, stop, index + 1)));
      parts.list.lastElementChild?.scrollIntoView({ block: "nearest" });
    }
    known = { name: scenario.name, stop: guide.stop, isAway: guide.isAway };
  };
  /** Let the button that goes on have the focus. */
  const focus = () => (parts.next.disabled ? parts.wheel : parts.next).focus({ preventScroll: true });
  return { element, draw, focus, next: () => parts.next.click(), back: () => parts.back.click() };
}

/** Scroll *element* to where the buttons, which stay in view, end. */
function tourScrollUnder(tools, element) {
  const distance = element.getBoundingClientRect().top - tools.getBoundingClientRect().bottom;
  tools.closest(".panel")?.scrollBy(0, distance);
}

function tourParts(guide, leave) {
  const all = tourButton("‹", { "data-tour": "gallery", title: "All scenarios", "aria-label": "All scenarios", onclick: leave });
  const back = tourButton("Back", { "data-tour": "back", title: "One sentence back (B)", onclick: () => guide.back() });
  const next = tourButton("Next", { class: "tool is-main", "data-tour": "next", title: "One sentence further (N)" });
  const count = domNode("span", { class: "tour-count", "data-tour-count": "" });
  const wheel = tourButton("Take the wheel", {
    "data-tour": "wheel", title: "Go on from here as you like: in a branch of your own",
    onclick: () => (guide.isAway ? guide.comeBack() : guide.takeWheel()),
  });
  const away = domNode("p", { class: "tour-away", hidden: true });
  const tools = domNode("div", { class: "tour-tools" }, all, back, next, count, domNode("span", { class: "gap" }), wheel, away);
  const title = domNode("h2", { class: "tour-title" });
  return { tools, back, next, count, wheel, title, away, list: domNode("ol", { class: "tour-story", "aria-live": "polite" }) };
}

function tourDrawTitle(title, scenario, isWhole) {
  // Before the reveal only the words before the colon: what follows them often is the answer.
  const words = isWhole ? scenario.title : scenario.title.split(":")[0];
  title.replaceChildren(domNode("span", { class: "story-number", text: scenario.number }), domCut(words, 300));
}

function tourDrawStory(element, parts, scenario, related, { beside }, open) {
  element.dataset.tourOf = scenario.name;
  related.hidden = beside.length === 0;
  related.replaceChildren("Put beside it: ", ...beside.map((story) =>
    domNode("button", {
      type: "button", class: "link", "data-beside": story.name, text: `${story.number} ${domCut(story.title.split(":")[0], 60)}`,
      onclick: () => open(story.name, { beside: true }),
    })));
}

function tourDrawTools(parts, guide, last, { question, open, next, scenario }) {
  const isEnd = guide.isLast();
  const words = !isEnd ? "Next" : !question.isShown(scenario) ? "The answer" : "Next scenario";
  parts.next.textContent = words;
  parts.next.onclick = () => {
    if (!isEnd) guide.next();
    else if (!question.isShown(scenario)) question.show(scenario);
    else if (next) open(next.name);
  };
  parts.next.disabled = guide.isAway || (isEnd && question.isShown(scenario) && !next);
  parts.back.disabled = guide.isAway || guide.stop <= 0;
  parts.count.textContent = guide.stop === 0 ? `${last} steps` : `step ${guide.stop} of ${last}`;
  parts.wheel.textContent = guide.isAway ? "Return to the tour" : "Take the wheel";
  parts.wheel.classList.toggle("is-main", guide.isAway);
  parts.away.hidden = !guide.isAway;
  parts.away.textContent = `You are in a branch of your own. The tour waits at step ${guide.stop}.`;
}
