// Where two runs part: the first event that is not the same in both.

const BRANCH_DIFFERENCES = new WeakMap();

/** Find the first event in which *one* and *other* differ; null if one of them only goes on longer, or both are equal. */
function branchFirstDifference(one, other) {
  const length = Math.min(one.events.length, other.events.length);
  for (let index = 1; index < length; index += 1) {
    if (JSON.stringify(one.events[index]) !== JSON.stringify(other.events[index])) return index;
  }
  return one.events.length === other.events.length ? null : length;
}

/** Find the first event in which the two runs that *state* compares differ; null where there is none. */
export function branchDifference(state) {
  const other = state.branches[state.compare]?.run;
  if (!other || !state.run) return null;
  let known = BRANCH_DIFFERENCES.get(state.run);
  if (!known) BRANCH_DIFFERENCES.set(state.run, (known = new WeakMap()));
  if (!known.has(other)) known.set(other, branchFirstDifference(state.run.payload, other.payload));
  return known.get(other);
}

/** Count the events of *other* that stand for the position of *state*: equal ones, then those of its time. */
export function branchSameMoment(state, other) {
  const { run, at } = state;
  const differs = branchDifference(state) ?? 0;
  if (at >= run.events.length) return other.events.length;
  if (at <= differs) return Math.min(at, other.events.length);
  const { time } = run.events[Math.max(0, at - 1)];
  const before = other.events.findIndex((event) => event.time >= time);
  const after = other.events.findLastIndex((event) => event.time <= time);
  if (before < 0) return other.events.length;
  return Math.max(Math.min(before + 1, after + 1), Math.min(at, after + 1), 1);
}
