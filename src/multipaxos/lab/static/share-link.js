// The link that holds a run: its script and the position stand behind the #, which no server sees.

export const SHARE_LINK_MAX = 30000; // characters; longer addresses do not survive mail and chat

/** Give the link to the run with this *script*, at the event *at*. */
export function shareLink(script, at) {
  const address = new URL(location.href);
  address.hash = `script=${encodeURIComponent(script)}&at=${at}`;
  address.search = "";
  return address.href;
}

/** Give the run that the address asks for: its script and, where it says so, the position; or null. */
export function shareLinkRead() {
  const asked = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
  const script = asked.get("script");
  if (script === null) return null;
  const at = Number.parseInt(asked.get("at") ?? "", 10);
  return { script, at: Number.isSafeInteger(at) && at > 0 ? at : undefined };
}
