// The lines between the parts of the page, which can be moved with the pointer and the arrow keys.

const PAGE_SPLIT_STEP = 3; // percent a key

/** Let *splitter* set the property *name*, in percent of its parent, between *low* and *high*. */
function pageSplitter(splitter, { name, low, high, start }) {
  const isUpright = splitter.classList.contains("is-upright");
  let share = start;
  const set = (wanted) => {
    share = Math.min(high, Math.max(low, wanted));
    document.documentElement.style.setProperty(name, share.toFixed(1));
    splitter.setAttribute("aria-valuenow", Math.round(share));
  };
  splitter.setAttribute("aria-valuemin", low);
  splitter.setAttribute("aria-valuemax", high);
  splitter.addEventListener("pointerdown", (event) => {
    splitter.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  splitter.addEventListener("pointermove", (event) => {
    if (!splitter.hasPointerCapture(event.pointerId)) return;
    const box = splitter.parentElement.getBoundingClientRect();
    set(
      isUpright
        ? ((event.clientX - box.left) / box.width) * 100
        : ((event.clientY - box.top) / box.height) * 100,
    );
  });
  splitter.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(share + way * PAGE_SPLIT_STEP);
  });
  splitter.addEventListener("dblclick", () => set(start));
  set(start);
}

/** Let the person divide the page between the diagram, the ring and the panel. */
export function createPageSplitters() {
  pageSplitter(document.getElementById("split-side"), { name: "--split-side", low: 25, high: 80, start: 59 });
  pageSplitter(document.getElementById("split-panel"), {
    name: "--split-panel",
    low: 12,
    high: 80,
    start: 50,
  });
}
