// Playing: the position moves on by itself, a few events a second.

import { spacetimeMessagesAt, spacetimeSteps, spacetimeVisible } from "./spacetime-visible.js";

const TIMEBAR_EVENTS_A_SECOND = 4;

/** Find the positions at which something that is drawn has just happened; the last one always counts. */
function timebarStops(payload, filter) {
  const steps = spacetimeSteps(payload.events);
  const visible = spacetimeVisible(payload, filter, { steps, messagesAt: spacetimeMessagesAt(payload) });
  const stops = [];
  visible.events.forEach((shown, index) => {
    if (shown) stops.push(index + 1);
  });
  if (stops.at(-1) !== payload.events.length) stops.push(payload.events.length);
  return stops;
}

/** Move the position of *store* on while it plays. */
export function createTimebarPlayer(store, actions) {
  let running = false;
  let due = 0; // how many events are due, in parts
  let before = 0;
  let stops = [];
  let known = {};

  const frame = (now) => {
    const { run, at, playing, speed, filter } = store.state;
    if (!playing || !run) {
      running = false;
      return;
    }
    if (known.run !== run || known.filter !== filter) {
      known = { run, filter };
      stops = timebarStops(run.payload, filter);
    }
    due += (Math.min(250, now - before) / 1000) * TIMEBAR_EVENTS_A_SECOND * speed;
    before = now;
    if (due >= 1) {
      const place = stops.findIndex((stop) => stop > at);
      const next =
        place < 0 ? run.events.length : stops[Math.min(stops.length - 1, place + Math.floor(due) - 1)];
      due %= 1;
      if (place >= 0) actions.goTo(next);
      if (place < 0 || next >= run.events.length) actions.setPlaying(false);
    }
    requestAnimationFrame(frame);
  };
  store.subscribe((state) => {
    if (!state.playing || running) return;
    running = true;
    due = 1;
    before = performance.now();
    requestAnimationFrame(frame);
  });
}
