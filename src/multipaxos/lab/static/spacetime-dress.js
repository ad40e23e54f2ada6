// How an item looks at a position: past, future or in flight, selected or related to what is selected.

/** Give an element and its label these classes besides those that they were made with. */
function spacetimeClasses(node, names) {
  for (const part of [node, node.labLabel]) {
    if (!part) continue;
    part.labClass ??= part.getAttribute("class") ?? "";
    const all = [part.labClass, ...names].join(" ");
    if (part.getAttribute("class") !== all) part.setAttribute("class", all);
  }
}

/** Draw how far an arrow has come; one that does not fly has its end where the message ended. */
function spacetimeFly(node, { x1, y1, x2, y2 }, present) {
  const [trail, dot] = [node.querySelector(".st-trail"), node.querySelector(".st-dot")];
  const part = present === null ? 1 : y2 > y1 ? Math.min(1, Math.max(0.06, (present - y1) / (y2 - y1))) : 0.5;
  const [x, y] = [x1 + (x2 - x1) * part, y1 + (y2 - y1) * part];
  trail.setAttribute("x2", x);
  trail.setAttribute("y2", y);
  dot.setAttribute("cx", x);
  dot.setAttribute("cy", y);
}

/**
 * Show *item* as it is when *at* events have happened.
 *
 * `present` is the height of the line below them; `selected` is the key of the item that is selected,
 * `related` those of all that belong to it.
 */
export function spacetimeDress(node, item, { at, present, selected, related }) {
  const isFuture = item.event >= at;
  const isFlying = item.type === "arrow" && !isFuture && item.ended !== null && item.ended >= at;
  const names = [];
  if (isFuture) names.push("is-future");
  if (isFlying) names.push("is-flying");
  if (item.key === selected) names.push("is-selected");
  if (related.has(item.key)) names.push("is-related");
  spacetimeClasses(node, names);
  if (item.type !== "arrow" || (!isFlying && node.labFlew === false)) return;
  spacetimeFly(node, item, isFlying ? present : null);
  node.labFlew = isFlying;
}
