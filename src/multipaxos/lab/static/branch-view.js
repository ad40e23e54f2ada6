// The branches of a run: a tab each, and two of them side by side.

import { domCut, domNode, domSeconds } from "./dom.js";

function branchTab(branch, index, state, actions) {
  const isShown = index === state.branch;
  const forked =
    branch.forkedAt === null || branch.forkedAt === undefined ? "" : `from event ${branch.forkedAt}`;
  const name = domNode(
    "button",
    {
      type: "button",
      class: "branch-name",
      "aria-pressed": String(isShown),
      title: domCut(branch.name, 400),
      "data-branch": index,
      onclick: () => actions.showBranch(index),
    },
    domNode("span", { class: "branch-words", text: domCut(branch.name, 60) }),
    forked ? domNode("small", { text: forked }) : null,
  );
  const isCompared = index === state.compare;
  const compare = isShown
    ? null
    : domNode("button", {
        type: "button",
        class: "branch-tool",
        "aria-pressed": String(isCompared),
        "data-compare": index,
        text: "⇆",
        title: isCompared ? "End the comparison" : "Show it beside the run that is shown",
        "aria-label": `Compare with ${domCut(branch.name, 60)}`,
        onclick: () => actions.compare(isCompared ? null : index),
      });
  const close =
    state.branches.length < 2
      ? null
      : domNode("button", {
          type: "button",
          class: "branch-tool",
          text: "×",
          title: "Close this branch",
          "aria-label": `Close ${domCut(branch.name, 60)}`,
          "data-close": index,
          onclick: () => actions.closeBranch(index),
        });
  return domNode(
    "li",
    { class: isShown ? "branch is-shown" : isCompared ? "branch is-compared" : "branch" },
    name,
    compare,
    close,
  );
}

/** Make the tabs of the branches in *element*. */
export function createBranchView(element, store, actions) {
  const list = domNode("ul", { class: "branch-list" });
  element.setAttribute("aria-label", "Branches of the run");
  element.append(list);
  const draw = (state) => {
    element.hidden = state.branches.length < 2;
    const focused = list.contains(document.activeElement) ? state.branch : null;
    list.replaceChildren(...state.branches.map((branch, index) => branchTab(branch, index, state, actions)));
    if (focused !== null) list.querySelector(`[data-branch="${focused}"]`)?.focus();
  };
  store.subscribe((state, patch) => {
    if ("branches" in patch || "branch" in patch || "compare" in patch) draw(state);
  });
  draw(store.state);
}

function branchTotals(run, other) {
  const totals = run.payload.totals;
  const rows = [
    ["messages", totals.messages],
    ["lost", totals.lost],
    ["rounds", totals.rounds],
    ["wasted", totals.wasted_rounds],
    ["decisions", totals.decisions],
    ["time", domSeconds(totals.seconds)],
  ];
  const others = other
    ? [
        other.payload.totals.messages,
        other.payload.totals.lost,
        other.payload.totals.rounds,
        other.payload.totals.wasted_rounds,
        other.payload.totals.decisions,
        domSeconds(other.payload.totals.seconds),
      ]
    : [];
  return rows.map(([name, value], place) =>
    domNode(
      "div",
      { class: other && others[place] !== value ? "differs" : "" },
      domNode("dt", { text: name }),
      domNode("dd", { text: String(value) }),
    ),
  );
}

/** Make the line above and the counts below a diagram: shown while two runs are compared. */
export function createBranchSummary(element, store, actions, { compared = false } = {}) {
  const name = domNode("h2", { class: "branch-title" });
  const close = domNode("button", {
    type: "button", class: "tool", "data-compare": "close", text: "Close comparison",
    title: "Show one run, with the ring and the panels (Esc)", hidden: !compared, onclick: () => actions.compare(null),
  });
  const head = domNode("div", { class: "branch-head" }, name, close);
  const totals = domNode("dl", { class: "branch-totals" });
  element.prepend(head);
  element.append(totals);
  const draw = (state) => {
    const mine = compared ? state.branches[state.compare] : state.branches[state.branch];
    const theirs = compared ? state.branches[state.branch] : state.branches[state.compare];
    const isOn = state.compare !== null && Boolean(mine) && Boolean(theirs);
    const wasFocused = compared && element.contains(document.activeElement);
    head.hidden = !isOn;
    totals.hidden = !isOn;
    if (compared) element.hidden = !isOn;
    if (!isOn && wasFocused) document.querySelector("#spacetime .st-scroll").focus({ preventScroll: true });
    if (!isOn) return;
    // A narrow window has no room for the button that asked for the comparison.
    if (compared && !document.activeElement.checkVisibility()) close.focus();
    name.textContent = domCut(mine.name, 80);
    totals.replaceChildren(...branchTotals(mine.run, theirs.run));
  };
  store.subscribe(draw);
  draw(store.state);
}
