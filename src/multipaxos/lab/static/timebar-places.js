// The places of a run that one jumps to, as positions: the number of events that are shown then.

const TIMEBAR_PLACES = new WeakMap();

function timebarSorted(places, last) {
  const inside = places.filter((at) => Number.isInteger(at) && at >= 1 && at <= last);
  return [...new Set(inside)].sort((a, b) => a - b);
}

/** Find the decisions, refusals, violations and steps of the script in *payload*, in order. */
export function timebarPlaces(payload) {
  let places = TIMEBAR_PLACES.get(payload);
  if (places) return places;
  const last = payload.events.length;
  const refusals = [];
  payload.events.forEach((event, index) => {
    if (event.kind === "refused") refusals.push(index + 1);
  });
  places = {
    decisions: timebarSorted(
      payload.decisions.map((decision) => decision.event + 1),
      last,
    ),
    refusals,
    violations: timebarSorted(
      payload.violations.map((violation) => violation.event + 1),
      last,
    ),
    marks: timebarSorted(
      payload.marks.map((mark) => mark.events),
      last,
    ),
  };
  TIMEBAR_PLACES.set(payload, places);
  return places;
}
