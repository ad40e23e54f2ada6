// The link that holds a run: its script and the position stand behind the #, which no server sees.

import { domCut } from "./dom.js";

export const SHARE_LINK_MAX = 30000; // characters; longer addresses do not survive mail and chat

const SHARE_LAB = "http://127.0.0.1:7800/"; // where `multipaxos lab` is, unless it is told otherwise

/**
 * Give the link to the run with this *script*, at the event *at*. It has no token: that is nobody
 * else's.
 */
export function shareLink(script, at) {
  const lab = location.protocol === "http:" ? `${location.origin}/` : SHARE_LAB;
  return `${lab}#script=${encodeURIComponent(script)}&at=${at}`;
}

const SHARE_KEYS = ["script", "scenario", "at"];
const SHARE_SHOWN_MAX = 40;

/**
 * Give what the address asks for: the `script` of a run or the name of a `scenario`, the position
 * `at` where it says so, and `problems`, a sentence for each part that means nothing. Null where it
 * asks for nothing: the page's own marks, such as the one that leads to the picture, name no run.
 */
export function shareLinkRead() {
  if (!location.hash.includes("=")) return null;
  const asked = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  const [script, scenario, at] = SHARE_KEYS.map((key) => asked.get(key));
  const isPlace = at !== null && /^[1-9]\d{0,8}$/.test(at);
  const problems = [...new Set(asked.keys())].filter((key) => !SHARE_KEYS.includes(key)).map((key) =>
    `The link asks for “${domCut(key, SHARE_SHOWN_MAX)}”, which the lab does not know. It knows ${SHARE_KEYS.join(", ")}.`);
  if (at !== null && !isPlace) problems.push(`The link asks for event “${domCut(at, SHARE_SHOWN_MAX)}”: events are counted from 1.`);
  if (script === null && scenario === null && at !== null) problems.push("The link names no run: it needs a script or a scenario.");
  return { script, scenario, at: isPlace ? Number(at) : undefined, problems };
}
