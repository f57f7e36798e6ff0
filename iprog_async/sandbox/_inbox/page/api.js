// Talking to the sandbox that served this page.

const CONTROL = "/_sandbox";

async function ask(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const { answer, data } = await fetched(CONTROL + path, options);
  if (!answer.ok) throw Object.assign(new Error(data.error), { status: answer.status });
  return data;
}

/** Fail in our own words: each browser has others for a server that is away. */
async function fetched(path, options) {
  try {
    const answer = await fetch(path, options);
    return { answer, data: await answer.json() };
  } catch {
    throw new Error("The sandbox can't be reached.");
  }
}

export const listTexts = (query) => ask("GET", `/texts?${new URLSearchParams(query)}`);
export const getText = (serial) => ask("GET", `/texts/${serial}`);
export const getRefused = (serial) => ask("GET", `/refused/${serial}`);
export const reply = (serial, text) => ask("POST", `/texts/${serial}/replies`, { text });
export const clearTexts = () => ask("DELETE", "/inbox");
export const reset = () => ask("POST", "/reset");
export const setCredit = (gateway, amount) => ask("PUT", "/credit", { [gateway]: amount });
export const turn = (gateway, name, on) => ask("PUT", "/switches", { gateway, switch: name, on });
export const turnAllOff = () => ask("DELETE", "/switches");

const SILENCE = 40_000; // ms; the server says something every 15 s

/** Follow the state of the sandbox while the page is visible; it comes whole, as often as it
    changes, so that what was missed meanwhile needs no catching up. */
export function follow(onState, onLink) {
  let source = null;
  let retry = 0;
  let watchdog = 0;

  function heard() {
    onLink("live");
    clearTimeout(watchdog);
    watchdog = setTimeout(reopen, SILENCE);
  }

  function close() {
    clearTimeout(retry);
    clearTimeout(watchdog);
    if (source) source.close();
    source = null;
  }

  function open() {
    source = new EventSource(`${CONTROL}/events`);
    source.onopen = heard;
    source.addEventListener("beat", heard);
    source.onmessage = (event) => {
      heard();
      onState(JSON.parse(event.data));
    };
    source.onerror = () => {
      onLink("lost");
      // The browser tries again by itself, except after answers that look final to it.
      if (source && source.readyState === EventSource.CLOSED) retry = setTimeout(reopen, 1000);
    };
  }

  function reopen() {
    close();
    if (!document.hidden) open();
  }

  // A browser has few connections for one server, and hidden tabs would use them up.
  document.addEventListener("visibilitychange", reopen);
  open();
}
