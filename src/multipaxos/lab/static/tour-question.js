// The question of a scenario: it is asked before the answer is shown.

import { domCut, domNode } from "./dom.js";

const TOUR_PREDICTION_MAX = 300;
const TOUR_PART_MAX = 1600;

function tourPart(name, text) {
  if (!text) return null;
  return domNode("p", { class: "tour-part" }, domNode("b", { text: `${name} ` }), domCut(text, TOUR_PART_MAX));
}

/** Make the question. *seen* holds the names of the scenarios whose answer was shown; *shown* is called then. */
export function createTourQuestion(seen, shown) {
  const predictions = new Map();
  const asked = domNode("p", { class: "tour-asked" });
  const guess = domNode("input", {
    type: "text", class: "tour-guess", maxlength: TOUR_PREDICTION_MAX, "data-prediction": "",
    placeholder: "Your prediction, for yourself", "aria-label": "Your prediction",
  });
  const reveal = domNode("button", { type: "button", class: "tool", "data-reveal": "", text: "Show the answer" });
  const form = domNode("div", { class: "tour-predict" }, guess, reveal);
  const answer = domNode("div", { class: "tour-answer", "data-answer": "", hidden: true, "aria-live": "polite" });
  const element = domNode("section", { class: "tour-question", "aria-label": "Question" }, asked, form, answer);
  let scenario = null;
  const question = { element, isShown: ({ name }) => seen.has(name) };
  question.show = (told) => {
    // What is asked with goes away: who was there goes on at the tour's buttons.
    question.hadFocus = form.contains(document.activeElement);
    seen.add(told.name);
    draw();
    shown();
  };
  const draw = () => {
    if (!scenario) return;
    const isShown = seen.has(scenario.name);
    const predicted = predictions.get(scenario.name) ?? "";
    asked.textContent = domCut(scenario.question, TOUR_PART_MAX);
    form.hidden = isShown;
    answer.hidden = !isShown;
    answer.replaceChildren();
    if (!isShown) return;
    const parts = [
      tourPart("You predicted:", predicted), tourPart("Answer:", scenario.answer),
      tourPart("Why:", scenario.why), tourPart("Look at:", scenario.look),
    ];
    answer.append(...parts.filter(Boolean));
  };
  reveal.addEventListener("click", () => question.show(scenario));
  guess.addEventListener("input", () => predictions.set(scenario.name, guess.value));
  guess.addEventListener("keydown", (event) => {
    if (event.key === "Enter") question.show(scenario);
  });
  question.draw = (told, isBeginning) => {
    element.classList.toggle("is-beginning", isBeginning);
    if (told === scenario && answer.hidden !== seen.has(told.name)) return;
    scenario = told;
    guess.value = predictions.get(told.name) ?? "";
    draw();
  };
  return question;
}
