// The list of texts: of any number of them only those in sight are elements.
//
// While it is scrolled down, it holds still: what came in since is counted and not listed, so
// that nothing that is being read moves, however much arrives.

import { listTexts } from "./api.js";
import { byId, number, paced, setClock, setText } from "./dom.js";
import * as rows from "./rows.js";

const ROW = 76; // as in the style sheet
const DRAWN = 10; // rows that are elements above and below those in sight
const AHEAD = 60; // rows read ahead above and below
const SPARE = 30; // rows left of them at which more are asked for
const MOST = 100_000; // rows; browsers lose count of pixels far beyond
const box = byId("texts");
const spacer = byId("spacer");
const newer = byId("newer");

const state = { total: 0, offset: 0, texts: [], newest: 0, newer: 0 };
// The index runs ahead of the serial while a row is awaited that has not been read yet.
const choice = { serial: null, index: -1, awaited: false };
const filters = { q: "", gateway: "", stage: "" };
let handlers = {};
let timer = 0;

export function start({ onChoose, onTotal, onTrouble }) {
  handlers = { onChoose, onTotal, onTrouble };
  rows.start((serial) => pick(serial, "click"));
  box.addEventListener("scroll", onScroll, { passive: true });
  box.addEventListener("keydown", onKey);
  newer.addEventListener("click", showNewest);
  addEventListener("resize", onScroll);
}

export function filter(changes) {
  Object.assign(filters, changes);
  rows.forgetSeen();
  box.scrollTop = 0;
  refresh(true);
}

/** What the list is narrowed to. */
export const chosen = () => ({ ...filters });
export const isFiltered = () => Object.values(filters).some(Boolean);
export const focus = () => box.focus();
export const { tick, nextTick } = rows;

const isHeld = () => box.scrollTop > 0;
const firstShown = () => Math.max(0, Math.floor(box.scrollTop / ROW));
const shownCount = () => Math.ceil(box.clientHeight / ROW) + 1;
const textAt = (index) => state.texts[index - state.offset];

/** What the list is of: answers of another list are of no use. */
function query() {
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value));
  return isHeld() ? { ...given, upto: state.newest } : given;
}

export const refresh = paced(async () => {
  const first = firstShown();
  const anchor = isHeld() ? textAt(first) : undefined;
  const asked = query();
  const places = [anchor?.serial, choice.serial].filter(Boolean).join(",");
  let found;
  try {
    found = await listTexts({
      ...asked,
      offset: Math.max(0, first - AHEAD),
      limit: shownCount() + 2 * AHEAD,
      ...(places && { place: places }),
    });
  } catch (error) {
    // The connection's own sign tells of a server that is away.
    if (error.status) handlers.onTrouble(error.message);
    return;
  }
  if (JSON.stringify(asked) !== JSON.stringify(query())) refresh(true);
  else take(found, anchor && { serial: anchor.serial, index: first });
}, 150);

function take(found, anchor) {
  setClock(found.now);
  if (!isHeld()) state.newest = found.newest;
  Object.assign(state, { total: Math.min(found.total - found.newer, MOST), offset: found.offset, texts: found.texts, newer: found.newer });
  spacer.style.height = `${state.total * ROW}px`;
  // Rows above may have gone, say those that are no longer pending.
  const moved = anchor ? found.places[anchor.serial] - anchor.index : 0;
  if (moved) box.scrollTop += moved * ROW;
  settle(found.places);
  offerNewer();
  handlers.onTotal(found.total);
  draw();
  readOn();
  clearTimeout(timer);
  if (found.next_move) timer = setTimeout(refresh, Math.max(50, found.next_move - found.now + 20));
}

/** Bring the choice up to date, where the answer knows of it: it may have moved meanwhile. */
function settle(places) {
  if (choice.awaited) {
    choice.index = Math.min(choice.index, state.total - 1);
    const text = textAt(choice.index);
    if (text) pick(text.serial, "walk");
    return;
  }
  const among = state.texts.findIndex((text) => text.serial === choice.serial);
  choice.index = places[choice.serial] ?? (among < 0 ? choice.index : state.offset + among);
}

function onScroll() {
  draw();
  readOn();
}

/** Ask for more before what has been read ends, and for what came in once the top is reached. */
function readOn() {
  const first = Math.max(0, firstShown() - SPARE);
  const last = Math.min(firstShown() + shownCount() + SPARE, state.total);
  const isRead = first >= state.offset && last <= state.offset + state.texts.length;
  if (!isRead || (state.newer && !isHeld())) refresh(true);
}

function draw() {
  const first = Math.max(state.offset, firstShown() - DRAWN);
  const last = Math.min(state.offset + state.texts.length, firstShown() + shownCount() + DRAWN);
  const wanted = [];
  for (let index = first; index < last; index += 1) wanted.push({ index, top: index * ROW, text: textAt(index) });
  rows.draw(wanted, state.total, choice.serial);
  describe();
}

function describe() {
  const row = rows.idOf(choice.serial);
  if (row) box.setAttribute("aria-activedescendant", row);
  else box.removeAttribute("aria-activedescendant");
}

function offerNewer() {
  newer.hidden = !state.newer;
  if (state.newer) setText(newer, `↑ ${number.format(state.newer)} new`);
}

function showNewest() {
  box.scrollTop = 0;
  box.focus();
}

function pick(serial, how) {
  Object.assign(choice, { serial, awaited: false });
  const among = state.texts.findIndex((text) => text.serial === serial);
  if (among >= 0) choice.index = state.offset + among;
  draw();
  handlers.onChoose(serial, how);
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

function onKey(event) {
  if (event.key === "Enter" && choice.serial !== null) {
    event.preventDefault();
    handlers.onChoose(choice.serial, "enter");
  }
  if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey || !state.total) return;
  event.preventDefault();
  go(choice.index < 0 && event.key === "ArrowDown" ? 0 : choice.index + STEPS[event.key]);
}

function go(wanted) {
  choice.index = Math.min(Math.max(wanted, 0), state.total - 1);
  const top = choice.index * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
  const text = textAt(choice.index);
  choice.awaited = !text;
  if (text) pick(text.serial, "walk");
  else refresh(true);
}
