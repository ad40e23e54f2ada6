// What a person can do. Views call these; each ends in one change of the store.

import { RunModel } from "./run-model.js";
import { timebarPlaces } from "./timebar-places.js";

function actionsClamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

function actionsBranch(payload, name, parent, forkedAt) {
  return { name: name || payload.title || "run", run: new RunModel(payload), parent, forkedAt };
}

/** Move through the run that is shown: the picture depends on the run and the position only. */
function actionsOfTime(store) {
  const state = store.state;
  const goTo = (at) => {
    if (!state.run) return;
    const place = actionsClamp(Math.round(Number(at) || 1), 1, state.run.events.length);
    if (place !== state.at) store.set({ at: place });
  };
  const toNext = (places, direction) => {
    const target =
      direction > 0 ? places.find((at) => at > state.at) : places.findLast((at) => at < state.at);
    if (target === undefined) return false;
    goTo(target);
    return true;
  };
  const jump = (what, direction = 1) => {
    if (!state.run) return;
    if (toNext(timebarPlaces(state.run.payload)[`${what}s`] ?? [], direction)) return;
    store.set({ notice: `There is no ${direction > 0 ? "later" : "earlier"} ${what}.` });
  };
  return {
    goTo,
    jump,
    step(direction) {
      goTo(state.at + direction);
    },
    stepMark(direction) {
      if (!state.run) return;
      if (!toNext(timebarPlaces(state.run.payload).marks, direction))
        goTo(direction > 0 ? state.run.events.length : 1);
    },
    setPlaying(playing) {
      if (!state.run) return;
      const again = playing && state.at >= state.run.events.length;
      store.set(again ? { playing, at: 1 } : { playing: Boolean(playing) });
    },
    setSpeed(speed) {
      store.set({ speed: actionsClamp(Number(speed) || 1, 0.25, 16) });
    },
  };
}

/** Choose among the runs that are open. */
function actionsOfBranches(store) {
  const state = store.state;
  const show = (branches, index, patch = {}) => {
    const run = branches[index]?.run ?? null;
    const at = run ? actionsClamp(patch.at ?? run.events.length, 1, run.events.length) : 0;
    const selection = patch.selection ?? null;
    store.set({ compare: null, playing: false, ...patch, branches, branch: index, run, at, selection });
  };
  return {
    show,
    showBranch(index) {
      if (state.branches[index] && index !== state.branch) show(state.branches, index, { at: state.at });
    },
    closeBranch(index) {
      if (state.branches.length < 2 || !state.branches[index]) return;
      const keep = (place) => (place === null || place === index ? null : place - (place > index));
      const branches = state.branches
        .filter((_, place) => place !== index)
        .map((branch) => ({ ...branch, parent: keep(branch.parent) }));
      const next = actionsClamp(keep(state.branch) ?? index - 1, 0, branches.length - 1);
      show(branches, next, {
        at: state.at,
        compare: keep(state.compare) === next ? null : keep(state.compare),
      });
    },
    compare(index) {
      store.set({ compare: index === state.branch || !state.branches[index] ? null : index });
    },
  };
}

/** Make the actions of the page over *store*, asking *api* for runs. */
export function createActions(store, api) {
  const state = store.state;
  const branches = actionsOfBranches(store);
  const asked = async (question, answer) => {
    if (state.busy) return null;
    store.set({ busy: true, notice: "", playing: false });
    try {
      const payload = await question();
      store.set({ busy: false });
      answer(payload);
      return payload;
    } catch (error) {
      store.set({ busy: false, notice: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  /**
   * Show *payload* beside what is open (`beside`: as one more branch), or in its place. What no script
   * could give again stays open in any case.
   */
  const openRun = (payload, name, { beside = false, at, parent = null, forkedAt = null } = {}) => {
    const branch = actionsBranch(payload, name, parent, forkedAt);
    const kept = () => state.branches.filter(({ run }) => run.payload.source !== "script").map((one) => ({ ...one, parent: null }));
    const all = [...(beside ? state.branches : kept()), branch];
    branches.show(all, all.length - 1, { at });
  };
  /** What is done at the end of a branch of one's own goes on there: no future is lost. */
  const goOn = (payload) => {
    const place = state.branch;
    const branch = { ...state.branches[place], run: new RunModel(payload) };
    branches.show(state.branches.map((one, index) => (index === place ? branch : one)), place, { at: payload.events.length });
  };
  const fork = (commands, name) => {
    const { run, at, branch } = state;
    const isAtEnd = at >= run.events.length && state.branches[branch].parent !== null;
    return asked(
      () => api.fork({ script: run.payload.script, at, commands, keep_time: !run.payload.manual }),
      (payload) => {
        if (isAtEnd) return goOn(payload);
        const forkedAt = payload.forked_at ?? at;
        const shown = payload.manual ? payload.events.length : forkedAt;
        return openRun(payload, name || commands.join(", "), { beside: true, at: shown, parent: branch, forkedAt });
      },
    );
  };
  return {
    ...actionsOfTime(store),
    ...branches,
    openRun,
    play(script, name, options = {}) {
      return asked(
        () => api.play(script),
        (payload) => openRun(payload, name, options),
      );
    },
    fork(commands, name) {
      if (!state.run) return Promise.resolve(null);
      if (state.run.payload.source === "script" && !api.offline) return fork(commands, name);
      store.set({
        notice:
          "This run is only shown: it has no script that could go on. Open a scenario to take a hand in it.",
      });
      return Promise.resolve(null);
    },
    openScenario(name, options = {}) {
      return asked(
        () => api.scenario(name),
        (payload) => openRun(payload, payload.title, options),
      );
    },
    select(selection) {
      store.set(selection ? { selection, panel: "why" } : { selection: null });
    },
    setPanel(panel) {
      store.set({ panel });
    },
    setFilter(patch) {
      store.set({ filter: { ...state.filter, ...patch } });
    },
    setDiagram(patch) {
      store.set({ diagram: { ...state.diagram, ...patch } });
    },
    notice(text) {
      store.set({ notice: text });
    },
  };
}
