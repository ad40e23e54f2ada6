// Where the guided tour is: the scenario's run, the stop, and the way back from a branch of one's own.

import { tourScriptUntil, tourStopAt, tourStops } from "./tour-stops.js";

const TOUR_SWEEP_EVENTS_MAX = 80;
const TOUR_SWEEP_MS_MAX = 900;
const TOUR_SWEEP_MS_PER_EVENT = 70;

/** Move through the events one by one, so that the change is seen to happen; *done* when there. */
function tourSweep(store, actions, target, done) {
  const from = store.state.at;
  const count = target - from;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches || count < 2 || count > TOUR_SWEEP_EVENTS_MAX) {
    actions.goTo(target);
    done();
    return () => {};
  }
  const length = Math.min(TOUR_SWEEP_MS_MAX, count * TOUR_SWEEP_MS_PER_EVENT);
  const begun = performance.now();
  let frame = 0;
  const move = (now) => {
    const share = Math.min(1, Math.max(0, now - begun) / length);
    actions.goTo(from + Math.round(count * share));
    if (share < 1) frame = requestAnimationFrame(move);
    else done();
  };
  frame = requestAnimationFrame(move);
  return () => cancelAnimationFrame(frame);
}

/**
 * Make the guide. `guide.run` is the scenario's run, null without one; `at` and `stop` are where the
 * tour is, whatever other branch is shown. *changed* is called after each change.
 */
export function createTourGuide(store, actions, changed) {
  const guide = { run: null, at: 0, stop: 0, stops: [], isAway: false };
  let sweeping = null;
  const end = () => {
    sweeping?.cancel();
    sweeping = null;
  };
  const follow = (state) => {
    const { run } = state;
    const isTour = Boolean(run?.payload.scenario);
    if (isTour && guide.run !== run) {
      end();
      Object.assign(guide, { run, stops: tourStops(run.payload), stop: -1 });
    }
    guide.isAway = guide.run !== null && guide.run !== run;
    if (isTour) tourFollow(guide, state.at, sweeping !== null);
    else end();
    changed(guide);
  };
  const goTo = (stop, { atOnce = false } = {}) => {
    end();
    if (!guide.run || guide.isAway || !guide.stops[stop]) return null;
    const { at } = guide.stops[stop];
    if (store.state.playing) actions.setPlaying(false);
    guide.stop = stop;
    if (atOnce) return actions.goTo(at);
    sweeping = { cancel: () => {} };
    const cancel = tourSweep(store, actions, at, () => {
      sweeping = null;
    });
    if (sweeping) sweeping = { cancel };
    return changed(guide);
  };
  guide.goTo = goTo;
  guide.isLast = () => guide.stop >= guide.stops.length - 1 && guide.at >= (guide.stops.at(-1)?.at ?? 0);
  guide.next = () => goTo(sweeping || guide.at >= guide.stops[guide.stop]?.at ? guide.stop + 1 : guide.stop);
  guide.back = () => goTo(guide.stop - 1);
  guide.takeWheel = () => {
    if (sweeping) goTo(guide.stop, { atOnce: true });
    return tourTakeWheel(guide, store, actions);
  };
  guide.comeBack = () => tourComeBack(guide, store, actions);
  store.subscribe((state, patch) => {
    if (["run", "at", "branches", "branch"].some((name) => name in patch)) follow(state);
  });
  follow(store.state);
  return guide;
}

/** During a sweep the stop is where it leads; otherwise it is the one that the position is on the way to. */
function tourFollow(guide, at, isSweeping) {
  guide.at = at;
  if (!isSweeping) guide.stop = tourStopAt(guide.stops, at);
}

/** Make a branch of one's own that begins exactly here, and ends: its future is the person's. */
function tourTakeWheel(guide, store, actions) {
  if (!guide.run || guide.isAway) return Promise.resolve(null);
  const { payload } = guide.run;
  const stop = guide.stops[guide.stop];
  const name = `My own ${payload.scenario.number}, from step ${guide.stop}`;
  if (stop.at !== guide.at) return actions.fork([], name);
  const options = { beside: true, parent: store.state.branch, forkedAt: guide.at };
  return actions.play(tourScriptUntil(payload, stop), name, options);
}

/** Show the scenario's run again, at the very event where the person left it. */
function tourComeBack(guide, store, actions) {
  const { run, at } = guide;
  if (!run || !guide.isAway) return;
  const index = store.state.branches.findIndex((branch) => branch.run === run);
  if (index < 0) {
    actions.openScenario(run.payload.scenario.name, { beside: true, at });
    return;
  }
  actions.show(store.state.branches, index, { at });
}
