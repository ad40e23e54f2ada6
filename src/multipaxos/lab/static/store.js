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
    diagram: { zoom: 1, fit: 0, future: true },
    panel: "why",
    notice: "",
    busy: false,
  };
}

/**
 * Make the store. `filter.kinds` are the kinds of messages that are hidden; `diagram.fit` counts the
 * requests to fit the run into the picture.
 */
export function createStore() {
  const listeners = new Set();
  const store = {
    state: storeBeginning(),
    set(patch) {
      Object.assign(store.state, patch);
      for (const listener of [...listeners]) listener(store.state, patch);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return store;
}
