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
    exported: (script) => ask("export", { script }),
    test: (script) => ask("test", { script }),
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
    "play", "fork", "scenarios", "scenario", "catalogue", "exported", "test", "live", "liveFault", "liveFreeze",
  ];
  const api = { offline: true, opened: async () => run };
  for (const name of names) {
    api[name] = nobody;
  }
  return api;
}

// The token stays in the address of this page, and, for links within the lab, in the session.
function apiToken() {
  const given = new URLSearchParams(location.search).get("token");
  if (given !== null) {
    sessionStorage.setItem(API_TOKEN_KEY, given);
    return given;
  }
  return sessionStorage.getItem(API_TOKEN_KEY) ?? "";
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
  const answer = await reply.json();
  if (!reply.ok) {
    throw new Error(answer.error);
  }
  return answer;
}
