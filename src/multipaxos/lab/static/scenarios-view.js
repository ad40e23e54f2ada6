// The gallery of scenarios, and the guided tour through them.

import { domCut, domNode } from "./dom.js";
import { createTourGuide } from "./tour-guide.js";
import { createTourView } from "./tour-view.js";

const STORIES_GROUPS = [
  [8, "Choosing one value"],
  [12, "Walls, restarts, and who comes late"],
  [15, "Masters and their leases"],
  [Infinity, "Chains, clients, members, quorums"],
];

function storiesGroupOf(story) {
  return STORIES_GROUPS.findIndex(([last]) => parseInt(story.number, 10) <= last);
}

/** The words before the colon: what follows them often gives the answer away. */
function storiesShortTitle(story) {
  return domCut(story.title.split(":")[0], 140);
}

function storiesCard(story, seen, open) {
  const isSeen = seen.has(story.name);
  return domNode(
    "button",
    { type: "button", class: isSeen ? "story-card is-seen" : "story-card", "data-scenario": story.name, onclick: () => open(story.name) },
    domNode("span", { class: "story-title" }, domNode("span", { class: "story-number", text: story.number }), storiesShortTitle(story)),
    domNode("span", { class: "story-question", text: domCut(story.question, 240) }),
    isSeen ? domNode("span", { class: "story-seen", text: "✓ seen" }) : null,
  );
}

function storiesGallery(stories, seen, open, guide, goOn) {
  const lead = domNode(
    "div", { class: "story-lead" },
    domNode("p", { text: "Each scenario asks a question first. Predict, then go through it sentence by sentence, and take the wheel wherever you like." }),
    domNode("button", { type: "button", class: "tool is-main", "data-tour": "start", text: "Start the guided tour", onclick: () => open(stories[0].name) }),
    guide.run ? domNode("button", { type: "button", class: "tool", "data-tour": "go-on", text: `Go on with ${guide.run.payload.scenario.number}`, onclick: goOn }) : null,
  );
  const groups = STORIES_GROUPS.map(([, words], group) => {
    const cards = stories.filter((story) => storiesGroupOf(story) === group).map((story) => storiesCard(story, seen, open));
    return cards.length ? domNode("section", { class: "story-group" }, domNode("h3", { text: words }), domNode("div", { class: "story-cards" }, ...cards)) : null;
  });
  return [lead, ...groups.filter(Boolean)];
}

/** Find who comes after the scenario *name*, and who has the same number. */
function storiesNeighbours(stories, name) {
  const index = stories.findIndex((story) => story.name === name);
  if (index < 0) return { next: null, beside: [] };
  const number = parseInt(stories[index].number, 10);
  return {
    next: stories[index + 1] ?? null,
    beside: stories.filter((story) => story.name !== name && parseInt(story.number, 10) === number),
  };
}

/** Who is to predict must not see what comes; in a branch of one's own, or after the answer, it is shown again. */
function storiesFuture(view, guide, store, actions) {
  const isSecret = guide.run !== null && view.guided === guide.run && !guide.isAway && !view.seen.has(guide.run.payload.scenario.name);
  if (isSecret === view.isHidden || (isSecret && !store.state.diagram.future)) return;
  view.isHidden = isSecret;
  actions.setDiagram({ future: !isSecret });
}

/** Make the panel in *element*. */
export function createScenariosView(element, store, actions) {
  const view = { stories: [], seen: new Set(), isTour: false, asked: false, guided: null, isHidden: false };
  const gallery = domNode("div", { class: "gallery" });
  let tour = null;
  const guide = createTourGuide(store, actions, (changed) => {
    if (tour === null) return;
    tour.draw();
    storiesFuture(view, changed, store, actions);
  });
  const reveal = () => storiesFuture(view, guide, store, actions);
  const open = async (name, options = {}) => {
    const before = store.state.branch;
    // Beside another one it is shown whole: the two are there to be compared.
    const payload = await actions.openScenario(name, options.beside ? options : { at: 1 });
    if (payload === null) return;
    const wasHere = element.contains(document.activeElement);
    show(true);
    if (options.beside) return actions.compare(before);
    if (wasHere) tour.focus();
    view.guided = guide.run;
    reveal();
    return guide.goTo(0, { atOnce: true });
  };
  const goOn = () => {
    show(true);
    tour.focus();
  };
  const show = (isTour) => {
    view.isTour = isTour && guide.run !== null;
    tour.element.hidden = !view.isTour;
    gallery.hidden = view.isTour;
    if (view.isTour) tour.draw();
    else gallery.replaceChildren(...storiesGallery(view.stories, view.seen, open, guide, goOn));
    element.scrollTop = 0;
  };
  tour = createTourView(guide, {
    leave: () => {
      show(false);
      gallery.querySelector(`[data-scenario="${CSS.escape(guide.run.payload.scenario.name)}"]`)?.focus();
    },
    open, reveal, seen: view.seen, neighbours: (name) => storiesNeighbours(view.stories, name),
  });
  element.classList.add("stories");
  element.append(gallery, tour.element);
  actions.tour = { next: () => view.isTour && tour.next(), back: () => view.isTour && tour.back() };
  const load = () => storiesLoad(actions.api, gallery, view, () => show(view.isTour), load);
  const see = (state) => {
    if (state.panel !== "scenarios" || view.asked) return;
    view.asked = true;
    load();
  };
  store.subscribe(see);
  see(store.state);
}

async function storiesLoad(api, gallery, view, show, again) {
  if (api.offline) {
    gallery.replaceChildren(domNode("p", { text: "This file holds one run. The gallery opens with: multipaxos lab" }));
    return;
  }
  try {
    view.stories = await api.scenarios();
    show();
  } catch (error) {
    const retry = domNode("button", { type: "button", class: "tool", text: "Try again", onclick: again });
    gallery.replaceChildren(domNode("p", { text: domCut(error.message, 300) }), retry);
  }
}
