// The link that holds a run: its script and the position stand behind the #, which no server sees.

export const SHARE_LINK_MAX = 30000; // characters; longer addresses do not survive mail and chat

const SHARE_LAB = "http://127.0.0.1:7800/"; // where `multipaxos lab` is, unless it is told otherwise

/** Give the link to the run with this *script*, at the event *at*. It has no token: that is nobody else's. */
export function shareLink(script, at) {
  const lab = location.protocol === "http:" ? `${location.origin}/` : SHARE_LAB;
  return `${lab}#script=${encodeURIComponent(script)}&at=${at}`;
}

/** Give the run that the address asks for: its script and, where it says so, the position; or null. */
export function shareLinkRead() {
  const asked = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  const script = asked.get("script");
  if (script === null) return null;
  const at = Number.parseInt(asked.get("at") ?? "", 10);
  return { script, at: Number.isSafeInteger(at) && at > 0 ? at : undefined };
}
