// A run as the views ask for it: what the picture is after so many events, and what is in flight.

import { runEvidence } from "./run-evidence.js";
import { runBlankPicture, runFold, runSilenced } from "./run-fold.js";

const RUN_CHECKPOINT_EVENTS = 32;
/** Real servers see no network: what they do not tell of any more is taken for lost. */
const RUN_UNSEEN_SECONDS = 2;

/** The run of a *payload*. Everything that it answers depends on the payload and the position only. */
export class RunModel {
  constructor(payload) {
    this.payload = payload;
    this.events = payload.events;
    this.engine = String(this.events[0]?.engine ?? "");
    this.steps = this.events[0]?.clock === "steps";
    this.evidence = runEvidence(payload);
    this.checkpoints = [runBlankPicture(payload.servers, this.evidence.unseen)];
    this.known = { at: 0, picture: this.checkpoints[0] };
    this.decisionsAt = this.#byEvent(payload.decisions);
    this.violationsAt = this.#byEvent(payload.violations);
  }

  /** The picture after the first *at* events. */
  state(at) {
    const wanted = Math.max(0, Math.min(this.events.length, Math.floor(at) || 0));
    if (this.known.at === wanted) return this.known.picture;
    this.#reach(wanted);
    let place = Math.floor(wanted / RUN_CHECKPOINT_EVENTS) * RUN_CHECKPOINT_EVENTS;
    let picture = this.checkpoints[place / RUN_CHECKPOINT_EVENTS];
    if (this.known.at > place && this.known.at < wanted) ({ at: place, picture } = this.known);
    for (; place < wanted; place += 1) picture = this.#after(picture, place);
    this.known = { at: wanted, picture };
    return picture;
  }

  /** The messages that have left and not ended after *at* events, as indexes of payload.messages. */
  inFlight(at) {
    const isUnseen = this.#unseen(at);
    const found = [];
    this.payload.messages.forEach((message, index) => {
      if (message.sent === null || message.sent >= at) return;
      if (message.ended === null ? !isUnseen(message) : message.ended >= at) found.push(index);
    });
    return found;
  }

  #byEvent(entries) {
    const places = new Map();
    (entries ?? []).forEach((entry, index) => {
      const place = Math.max(0, Math.min(this.events.length - 1, entry.event));
      places.set(place, [...(places.get(place) ?? []), index]);
    });
    return places;
  }

  #reach(at) {
    while (this.checkpoints.length <= at / RUN_CHECKPOINT_EVENTS) {
      let place = (this.checkpoints.length - 1) * RUN_CHECKPOINT_EVENTS;
      const end = place + RUN_CHECKPOINT_EVENTS;
      let picture = this.checkpoints.at(-1);
      for (; place < end; place += 1) picture = this.#after(picture, place);
      this.checkpoints.push(picture);
    }
  }

  #after(picture, place) {
    const isSimulated = this.engine !== "server";
    const event = this.events[place];
    const folded = runFold(picture, event, isSimulated);
    const next = this.evidence.ends.has(place) ? runSilenced(folded, event.server) : folded;
    for (const index of this.decisionsAt.get(place) ?? []) {
      const { link, proposal, value, acceptors, event } = this.payload.decisions[index];
      if (!Object.hasOwn(next.chosen, link)) next.chosen = { ...next.chosen, [link]: { proposal, value, acceptors, event } };
    }
    for (const index of this.violationsAt.get(place) ?? []) {
      const { name } = this.payload.violations[index];
      if (!Object.hasOwn(next.broken, name)) next.broken = { ...next.broken, [name]: index };
    }
    return next;
  }

  #unseen(at) {
    if (this.payload.source === "script" || this.engine !== "server") return () => false;
    const now = this.state(at).time;
    return (message) => now - this.events[message.sent].time > RUN_UNSEEN_SECONDS;
  }
}
