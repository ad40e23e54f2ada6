// The time bar: play, steps, jumps, and a slider over the events of the run.

import { domInstant, domNode, domOncePerFrame, domSvg } from "./dom.js";
import { createTimebarPlayer } from "./timebar-player.js";
import { timebarPlaces } from "./timebar-places.js";

const TIMEBAR_SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16];
const TIMEBAR_LANES = { marks: [18, 24], refusals: [9, 16], decisions: [0, 16], violations: [0, 24] };

// Each sign is 20 high: how wide it is, and its path.
const TIMEBAR_SIGNS = {
  play: [18, "M2,1 L17,10 L2,19 Z"],
  pause: [18, "M2,1 h5 v18 h-5 Z M11,1 h5 v18 h-5 Z"],
  back: [18, "M3,2 h3 v16 h-3 Z M17,2 L7,10 L17,18 Z"],
  forward: [18, "M15,2 h-3 v16 h3 Z M1,2 L11,10 L1,18 Z"],
  "mark-back": [26, "M1,2 h3 v16 h-3 Z M14,2 L5,10 L14,18 Z M25,2 L15,10 L25,18 Z"],
  "mark-forward": [26, "M25,2 h-3 v16 h3 Z M12,2 L21,10 L12,18 Z M1,2 L11,10 L1,18 Z"],
  "decision-back": [
    34,
    "M8,4 L1,10 L8,16 Z M23,1 L25.6,7.5 L32,8 L27,12.3 L28.6,19 L23,15.3 L17.4,19 L19,12.3 L14,8 L20.4,7.5 Z",
  ],
  "decision-forward": [
    34,
    "M26,4 L33,10 L26,16 Z M11,1 L13.6,7.5 L20,8 L15,12.3 L16.6,19 L11,15.3 L5.4,19 L7,12.3 L2,8 L8.4,7.5 Z",
  ],
  "refusal-back": [
    34,
    "M8,4 L1,10 L8,16 Z M16,2 L23,9 L30,2 L32,4 L25,10.5 L32,17 L30,19 L23,12.5 L16,19 L14,17 L21,10.5 L14,4 Z",
  ],
  "refusal-forward": [
    34,
    "M26,4 L33,10 L26,16 Z M4,2 L11,9 L18,2 L20,4 L13,10.5 L20,17 L18,19 L11,12.5 L4,19 L2,17 L9,10.5 L2,4 Z",
  ],
};

function timebarSign(name) {
  const [width, path] = TIMEBAR_SIGNS[name];
  return domSvg(
    "svg",
    { class: "icon", viewBox: `0 0 ${width} 20`, "aria-hidden": "true" },
    domSvg("path", { d: path }),
  );
}

function timebarButton(title, name, onclick) {
  return domNode(
    "button",
    { type: "button", class: "tool", title, "aria-label": title, "data-time": name, onclick },
    timebarSign(name),
  );
}

/** Draw the places of one kind as ticks: one path, with at most one tick a pixel. */
function timebarTicks(name, places, last, width) {
  const [top, bottom] = TIMEBAR_LANES[name];
  const seen = new Set();
  const parts = [];
  for (const at of places) {
    const x = Math.round(last > 1 ? ((at - 1) / (last - 1)) * width : 0);
    if (seen.has(x)) continue;
    seen.add(x);
    parts.push(`M${x},${top}V${bottom}`);
  }
  return domSvg("path", { class: `tick is-${name}`, d: parts.join("") });
}

function timebarTrack(actions) {
  const slider = domNode("input", {
    type: "range",
    min: 1,
    max: 1,
    value: 1,
    step: 1,
    class: "timebar-slider",
    "aria-label": "Position in the run",
    "data-time": "slider",
    oninput: () => actions.goTo(slider.valueAsNumber),
  });
  const ticks = domSvg("svg", { class: "timebar-ticks", "aria-hidden": "true" });
  const track = domNode("div", { class: "timebar-track" }, ticks, slider);
  let known = {};
  const draw = (state) => {
    const width = ticks.clientWidth;
    if (known.run !== state.run || known.width !== width) {
      known = { run: state.run, width };
      const last = state.run?.events.length ?? 1;
      slider.max = last;
      const places = state.run ? timebarPlaces(state.run.payload) : {};
      ticks.replaceChildren(
        ...Object.keys(TIMEBAR_LANES).map((name) => timebarTicks(name, places[name] ?? [], last, width)),
      );
    }
    slider.value = state.at;
    slider.disabled = !state.run;
    if (state.run) slider.setAttribute("aria-valuetext", `event ${state.at} of ${state.run.events.length}`);
  };
  return { track, draw };
}

function timebarSpeed(actions) {
  const select = domNode(
    "select",
    {
      "aria-label": "Speed",
      title: "Speed of playing",
      "data-time": "speed",
      onchange: () => actions.setSpeed(select.value),
    },
    ...TIMEBAR_SPEEDS.map((speed) => domNode("option", { value: speed, text: `${speed}×` })),
  );
  return select;
}

function timebarPosition(state) {
  if (!state.run) return "no run yet";
  const { events } = state.run;
  const event = events[Math.max(0, state.at - 1)];
  return `event ${state.at} of ${events.length}, ${domInstant(events, event.time)}`;
}

/** Make the time bar in *element*. */
export function createTimebarView(element, store, actions) {
  const play = timebarButton("Play or pause (space)", "play", () => actions.setPlaying(!store.state.playing));
  play.classList.add("is-main");
  const position = domNode("output", { class: "timebar-position", "data-time": "position" });
  const speed = timebarSpeed(actions);
  const { track, draw: drawTrack } = timebarTrack(actions);
  const group = (...nodes) => domNode("div", { class: "timebar-group" }, ...nodes);
  element.classList.add("timebar");
  element.append(
    group(
      timebarButton("One step of the script back (Shift ←)", "mark-back", () => actions.stepMark(-1)),
      timebarButton("One event back (←)", "back", () => actions.step(-1)),
      play,
      timebarButton("One event forward (→)", "forward", () => actions.step(1)),
      timebarButton("One step of the script forward (Shift →)", "mark-forward", () => actions.stepMark(1)),
      speed,
    ),
    track,
    group(
      timebarButton("Previous decision (Shift D)", "decision-back", () => actions.jump("decision", -1)),
      timebarButton("Next decision (D)", "decision-forward", () => actions.jump("decision", 1)),
      timebarButton("Previous refusal (Shift R)", "refusal-back", () => actions.jump("refusal", -1)),
      timebarButton("Next refusal (R)", "refusal-forward", () => actions.jump("refusal", 1)),
    ),
    position,
  );
  let wasPlaying = null;
  const draw = domOncePerFrame(() => {
    const { state } = store;
    drawTrack(state);
    if (wasPlaying !== state.playing) {
      wasPlaying = state.playing;
      play.replaceChildren(timebarSign(state.playing ? "pause" : "play"));
      play.setAttribute("aria-pressed", String(state.playing));
    }
    speed.value = String(state.speed);
    position.textContent = timebarPosition(state);
    for (const tool of element.querySelectorAll("button, select")) tool.disabled = !state.run;
  });
  createTimebarPlayer(store, actions);
  store.subscribe(draw);
  new ResizeObserver(draw).observe(track);
  draw();
}
