// What the page asks the lab's server for. A page that was saved as one file has no server: its run is in it.

const API_TOKEN_KEY = "multipaxos-lab-token";

export function createApi() {
  const embedded = document.getElementById("run");
  return embedded === null ? apiOfServer() : apiOfFile(JSON.parse(embedded.textContent));
}

function apiOfServer() {
  const token = apiToken();
  const ask = (name, body = {}) => apiAsk(name, body, token);
  return {
    offline: false,
    play: (script) => ask("play", { script }),
    fork: (wish) => ask("fork", wish),
    scenarios: () => ask("scenarios"),
    scenario: (name) => ask("scenario", { name }),
    catalogue: () => ask("catalogue"),
    opened: () => ask("opened"),
    exported: async (run) => apiPage(await ask("export"), run),
    asScenario: async (script) => (await ask("as_scenario", { script })).text,
    asTest: async (script) => (await ask("test", { script })).text,
    live: (since) => ask("live", { since }),
    liveFault: (wish) => ask("live/fault", wish),
    liveFreeze: (since, until) => ask("live/freeze", { since, until }),
  };
}

function apiOfFile(run) {
  const nobody = async () => {
    throw new Error("This run was saved as a file: it can be looked at, and not changed. Start `multipaxos lab`.");
  };
  const names = [
    "play", "fork", "scenarios", "scenario", "catalogue", "exported", "asScenario", "asTest",
    "live", "liveFault", "liveFreeze",
  ];
  const api = { offline: true, opened: async () => run };
  for (const name of names) {
    api[name] = nobody;
  }
  return api;
}

/** Give the page with *run* in it as a file, between the two parts that the server knows. */
function apiPage({ before, after }, run) {
  // No "<" is left in it that could end the element which holds it.
  const json = JSON.stringify(run).replaceAll("<", "\\u003c");
  return new Blob([before, json, after], { type: "text/html" });
}

// A link to a run has no token, which is for one start of one lab: this browser remembers the last that it was given.
function apiToken() {
  const given = new URLSearchParams(location.search).get("token");
  try {
    if (given !== null) localStorage.setItem(API_TOKEN_KEY, given);
    return given ?? localStorage.getItem(API_TOKEN_KEY) ?? "";
  } catch {
    return given ?? ""; // a browser may be told to remember nothing
  }
}

async function apiAsk(name, body, token) {
  let reply;
  try {
    reply = await fetch(`/api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Lab-Token": token },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The lab's server does not answer: it has ended. Start `multipaxos lab` again.");
  }
  let answer;
  try {
    answer = await reply.json();
  } catch {
    throw new Error("What answers here is not the lab, or it ended meanwhile. Start `multipaxos lab` again.");
  }
  if (!reply.ok) throw new Error(String(answer?.error ?? `The lab answers with ${reply.status}.`));
  return answer;
}
