// Making elements; whatever comes from a text gets in as text, never as markup.

export const byId = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let offset = 0;

/** Set this page's clock by the server's. */
export function setClock(now) {
  offset = now - Date.now();
}

export const clock = () => Date.now() + offset;

/** How far a text has come, by its times; the words are those of the filter. */
export function stageOf(text) {
  const now = clock();
  if (now < text.due) return "scheduled";
  return now < text.final ? "pending" : text.outcome;
}

/** When a text moves on next, or Infinity. */
export function nextMove(text) {
  const now = clock();
  return Math.min(...[text.due, text.final].filter((when) => when > now), Infinity);
}

const SIGNS = { scheduled: "◷", pending: "…", delivered: "✓", failed: "✕" };

export const stageWords = (stage) => `${SIGNS[stage]} ${stage}`;

const timeOnly = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayAndTime = new Intl.DateTimeFormat([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export function timeWords(when) {
  const day = (ms) => new Date(ms).toDateString();
  return (day(when) === day(clock()) ? timeOnly : dayAndTime).format(when);
}

export const segmentWords = (text) => `${text.encoding} · ${text.segments} ${text.segments === 1 ? "segment" : "segments"}`;

/** Let no more than one run of an async task be under way, and one be waiting; at least `pause`
    ms apart. */
export function paced(task, pause) {
  let running = false;
  let wanted = false;
  return async function run() {
    if (running) {
      wanted = true;
      return;
    }
    running = true;
    try {
      do {
        wanted = false;
        const began = performance.now();
        await task();
        // A server or a tab that is slow gets as much rest as it needed time.
        const took = performance.now() - began;
        if (wanted) await new Promise((done) => setTimeout(done, Math.max(pause, took * 2)));
      } while (wanted);
    } finally {
      running = false;
    }
  };
}
