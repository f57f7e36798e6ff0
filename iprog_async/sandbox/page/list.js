// The list of texts: of any number of them only those in sight are elements.

import { listTexts } from "./api.js";
import { byId, make, nextMove, paced, segmentWords, setClock, setText, stageOf, stageWords, timeWords } from "./dom.js";

const ROW = 76; // as in the style sheet
const MARGIN = 8; // rows kept ready above and below
const MOST = 100_000; // rows; browsers lose count of pixels far beyond
const box = byId("texts");
const spacer = byId("spacer");

const state = { total: 0, offset: 0, texts: [], chosen: null, chosenIndex: -1, newest: 0 };
const filters = { q: "", gateway: "", stage: "" };
const rows = new Map(); // by serial
let handlers = {};
let timer = 0;

export function start({ onChoose, onTotal, onTrouble }) {
  handlers = { onChoose, onTotal, onTrouble };
  box.addEventListener("scroll", onScroll, { passive: true });
  box.addEventListener("keydown", onKey);
  addEventListener("resize", () => refresh());
}

export function filter(changes) {
  Object.assign(filters, changes);
  state.newest = 0;
  box.scrollTop = 0;
  refresh();
}

export const isFiltered = () => Object.values(filters).some(Boolean);
export const focus = () => box.focus();

export function choose(serial) {
  state.chosen = serial;
  for (const [each, row] of rows) row.setAttribute("aria-selected", String(each === serial));
  describe();
  refresh();
}

const firstShown = () => Math.max(0, Math.floor(box.scrollTop / ROW));
const shownCount = () => Math.ceil(box.clientHeight / ROW) + 1;

function onScroll() {
  draw();
  const first = firstShown();
  const last = Math.min(first + shownCount(), state.total);
  if (first < state.offset || last > state.offset + state.texts.length) refresh();
}

export const refresh = paced(async () => {
  const first = firstShown();
  const anchor = box.scrollTop > 0 ? state.texts[first - state.offset] : undefined;
  const places = [anchor && anchor.serial, state.chosen].filter(Boolean);
  const query = { offset: Math.max(0, first - MARGIN), limit: shownCount() + 2 * MARGIN };
  for (const [name, value] of Object.entries(filters)) if (value) query[name] = value;
  if (places.length) query.place = places.join(",");
  const asked = JSON.stringify(filters);
  let found;
  try {
    found = await listTexts(query);
  } catch (error) {
    // The connection's own sign tells of a server that is away.
    if (error.status) handlers.onTrouble(error.message);
    return;
  }
  // What was typed meanwhile has its own answer.
  if (asked === JSON.stringify(filters)) take(found, anchor);
}, 150);

function take(found, anchor) {
  setClock(found.now);
  const before = state.total;
  Object.assign(state, { total: Math.min(found.total, MOST), offset: found.offset, texts: found.texts });
  spacer.style.height = `${state.total * ROW}px`;
  if (anchor) {
    // Texts that came in above must not move what is being read.
    const moved = found.places[anchor.serial] * ROW + (box.scrollTop % ROW);
    if (Math.abs(moved - box.scrollTop) >= ROW) box.scrollTop = moved;
  }
  state.chosenIndex = state.chosen === null ? -1 : found.places[state.chosen] ?? -1;
  handlers.onTotal(found.total, before);
  draw();
  const first = firstShown();
  const last = Math.min(first + shownCount(), state.total);
  if (first < state.offset || last > state.offset + state.texts.length) refresh();
  clearTimeout(timer);
  if (found.next_move) timer = setTimeout(refresh, Math.max(50, found.next_move - found.now + 20));
}

function draw() {
  const first = Math.max(0, firstShown() - MARGIN);
  const last = firstShown() + shownCount() + MARGIN;
  const kept = new Set();
  state.texts.forEach((text, place) => {
    const index = state.offset + place;
    if (index < first || index > last) return;
    kept.add(text.serial);
    let row = rows.get(text.serial);
    if (!row) {
      row = build(text);
      rows.set(text.serial, row);
      spacer.append(row);
    }
    row.text = text;
    row.style.top = `${index * ROW}px`;
    row.setAttribute("aria-posinset", index + 1);
    row.setAttribute("aria-setsize", state.total);
    row.setAttribute("aria-selected", String(text.serial === state.chosen));
    fill(row, text);
  });
  for (const [serial, row] of rows) {
    if (!kept.has(serial)) {
      row.remove();
      rows.delete(serial);
    }
  }
  state.newest = Math.max(state.newest, ...kept, 0);
  describe();
}

function build(text) {
  const fresh = state.newest && text.serial > state.newest ? " fresh" : "";
  return make("div", { class: `row${fresh}`, role: "option", id: `text-${text.serial}`, onclick: () => pick(text.serial) },
    make("div", { class: "line" }, make("span", { class: "who grow" }), make("span", { class: "time" })),
    make("div", { class: "says" }),
    make("div", { class: "line" }, make("span", { class: "small grow" }), make("span", { class: "stage" })));
}

function fill(row, text) {
  const [top, says, bottom] = row.children;
  setText(top.children[0], text.sender ? `${text.sender} → ${text.to}` : text.to);
  setText(top.children[1], timeWords(text.accepted));
  setText(says, text.preview.replace(/\s+/g, " "));
  setText(bottom.children[0], `${text.gateway} · ${segmentWords(text)}`);
  moveOn(row);
}

function moveOn(row) {
  const stage = stageOf(row.text);
  const shown = row.lastChild.lastChild;
  if (shown.dataset.stage !== stage) {
    shown.dataset.stage = stage;
    setText(shown, stageWords(stage));
  }
}

/** Move the statuses on by the clock; the server need not be asked. */
export function tick() {
  for (const row of rows.values()) moveOn(row);
}

export const nextTick = () => Math.min(...[...rows.values()].map((row) => nextMove(row.text)), Infinity);

function describe() {
  if (rows.has(state.chosen)) box.setAttribute("aria-activedescendant", `text-${state.chosen}`);
  else box.removeAttribute("aria-activedescendant");
}

function pick(serial) {
  choose(serial);
  handlers.onChoose(serial);
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

async function onKey(event) {
  if (event.key === "Enter" && state.chosen !== null) {
    event.preventDefault();
    handlers.onChoose(state.chosen, true);
  }
  if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey || !state.total) return;
  event.preventDefault();
  await go(state.chosenIndex < 0 && event.key === "ArrowDown" ? 0 : state.chosenIndex + STEPS[event.key]);
}

async function go(wanted) {
  const index = Math.min(Math.max(wanted, 0), state.total - 1);
  state.chosenIndex = index; // at once, for keys that follow quickly
  const top = index * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
  let text = state.texts[index - state.offset];
  if (!text) {
    const query = { offset: index, limit: 1 };
    for (const [name, value] of Object.entries(filters)) if (value) query[name] = value;
    try {
      text = (await listTexts(query)).texts[0];
    } catch (error) {
      if (error.status) handlers.onTrouble(error.message);
      return;
    }
  }
  if (text && state.chosenIndex === index) pick(text.serial);
}
