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

export const number = new Intl.NumberFormat("en");

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
    ms apart, except for a run that is urgent. */
export function paced(task, pause) {
  let running = false;
  let wanted = false;
  let hurried = false;
  let wake = () => {};
  return async function run(urgent) {
    if (urgent === true) hurried = true;
    if (running) {
      wanted = true;
      if (hurried) wake();
      return;
    }
    running = true;
    try {
      do {
        wanted = hurried = false;
        const began = performance.now();
        await task();
        // A server or a tab that is slow gets as much rest as it needed time.
        const rest = Math.max(pause, (performance.now() - began) * 2);
        if (wanted && !hurried) await new Promise((done) => { wake = done; setTimeout(done, rest); });
      } while (wanted);
    } finally {
      running = false;
    }
  };
}
