// What is on show, in one place. Views subscribe to it, and nothing else is shared between them.

function storeBeginning() {
  return {
    run: null,
    branches: [],
    branch: 0,
    compare: null,
    at: 0,
    playing: false,
    speed: 1,
    selection: null,
    filter: { link: null, kinds: new Set(), routine: false },
    diagram: { zoom: 1, isZoomed: false, fit: 0, future: true },
    panel: "why",
    notice: "",
    busy: false,
  };
}

/** Tell one view; what goes wrong in it must not keep the others from drawing. */
function storeTell(listener, state, patch) {
  try {
    listener(state, patch);
  } catch (error) {
    console.error(error);
  }
}

/**
 * Make the store. `filter.kinds` are the kinds of messages that are hidden; `diagram.fit` counts the
 * requests to fit the run into the picture, `diagram.isZoomed` says that the person has chosen the zoom.
 */
export function createStore() {
  const listeners = new Set();
  const store = {
    state: storeBeginning(),
    set(patch) {
      Object.assign(store.state, patch);
      for (const listener of [...listeners]) storeTell(listener, store.state, patch);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return store;
}
