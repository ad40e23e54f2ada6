// The page: one store, the views around it, and the run that it opens with.

import { createActions } from "./actions.js";
import { createApi } from "./api.js";
import { createBranchSummary, createBranchView } from "./branch-view.js";
import { createGameView } from "./game-view.js";
import { createHandsView } from "./hands-view.js";
import { createHelpView } from "./help-view.js";
import { createKeys, keysTable } from "./keys.js";
import { createLampsView } from "./lamps-view.js";
import { createLiveView } from "./live-view.js";
import { createPageSplitters } from "./page-splitters.js";
import { createPageView } from "./page-view.js";
import { createRingView } from "./ring-view.js";
import { createRunPanelView } from "./run-panel-view.js";
import { createScenariosView } from "./scenarios-view.js";
import { shareLinkRead } from "./share-link.js";
import { createShareView } from "./share-view.js";
import { createSpacetimeView } from "./spacetime-view.js";
import { createStore } from "./store.js";
import { createTheme } from "./theme.js";
import { createTimebarView } from "./timebar-view.js";
import { tourStops } from "./tour-stops.js";
import { createWhyView } from "./why-view.js";

/** Make a view; one that fails must not take the others with it. */
function labView(create, id, store, actions, options) {
  const element = document.getElementById(id);
  try {
    create(element, store, actions, options);
  } catch (error) {
    console.error(error);
    store.set({ notice: `A part of the page does not work (${id}): ${error.message}` });
  }
}

/** Ask for the run that is *asked* for, by its script or as a scenario; else for the first. */
function labRun(api, { script, scenario }) {
  if (script !== null) return api.play(script);
  return scenario === null ? api.opened() : api.scenario(scenario);
}

/** Say what of *payload* is not as the link *asked*, or limits what the run tells. */
function labNotice(payload, { at, problems }) {
  const { length } = payload.events;
  const late = at > length ? [`The link asks for event ${at}: this run has ${length}, and its end is shown.`] : [];
  return [...problems, ...late, ...(payload.remarks ?? [])].join(" ");
}

const LAB_NOTHING_ASKED = { script: null, scenario: null, at: undefined, problems: [] };

async function labOpen(store, actions, api, asked) {
  store.set({ busy: true });
  try {
    const payload = await labRun(api, asked);
    store.set({ busy: false });
    // A story is told from its beginning; any other run is shown as far as it went.
    const begin = payload.scenario ? tourStops(payload)[0].at : undefined;
    actions.openRun(payload, payload.title, { at: asked.at ?? begin });
    const notice = labNotice(payload, asked);
    if (notice) actions.notice(notice);
  } catch (error) {
    store.set({ busy: false, notice: `Nothing to show: ${error.message}` });
  }
}

/** Show the tab of the live cluster where the lab was started with one. */
async function labLive(api) {
  try {
    document.getElementById("tab-live").hidden = api.offline || !(await api.catalogue()).live;
  } catch {
    // The server that does not answer says so when it is asked for the run.
  }
}

function labStart() {
  const store = createStore();
  const api = createApi();
  const actions = createActions(store, api);
  actions.api = api;
  const dialog = document.getElementById("help");
  const help = () => dialog.showModal();
  const table = keysTable(store, actions, help);
  createTheme(document.getElementById("theme"));
  createHelpView(dialog, table);
  document.getElementById("help-open").addEventListener("click", help);
  createKeys(table);
  createPageView(store, actions);
  createPageSplitters();
  labView(createBranchView, "branches", store, actions);
  labView(createSpacetimeView, "spacetime", store, actions);
  labView(createSpacetimeView, "compared", store, actions, { compared: true });
  createBranchSummary(document.getElementById("spacetime"), store, actions);
  createBranchSummary(document.getElementById("compared"), store, actions, { compared: true });
  labView(createTimebarView, "timebar", store, actions);
  labView(createLampsView, "lamps", store, actions);
  labView(createRingView, "ring", store, actions);
  labView(createHandsView, "hands", store, actions);
  labView(createWhyView, "panel-why", store, actions);
  labView(createRunPanelView, "panel-run", store, actions);
  labView(createScenariosView, "panel-scenarios", store, actions);
  labView(createGameView, "panel-game", store, actions);
  labView(createShareView, "panel-share", store, actions);
  labView(createLiveView, "panel-live", store, actions);
  const read = () => (api.offline ? null : shareLinkRead());
  labOpen(store, actions, api, read() ?? LAB_NOTHING_ASKED).then(() => labLive(api));
  addEventListener("hashchange", () => {
    const asked = read();
    if (asked === null) return;
    if (asked.script !== null || asked.scenario !== null) labOpen(store, actions, api, asked);
    else actions.notice(asked.problems.join(" "));
  });
}

labStart();
