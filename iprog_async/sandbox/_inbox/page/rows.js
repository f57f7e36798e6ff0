// The rows of the list that are elements.

import { byId, make, nextMove, segmentWords, setText, stageOf, stageWords, timeWords } from "./dom.js";

const spacer = byId("spacer");
const shown = new Map(); // rows by serial
let seen = 0;
let onPick = () => {};

export function start(pick) {
  onPick = pick;
}

/** Let no row look new that comes next. */
export function forgetSeen() {
  seen = 0;
}

/** Show these texts and no others; in the order of the list, which screen readers follow. */
export function draw(wanted, total, chosen) {
  const kept = new Set(wanted.map(({ text }) => text.serial));
  for (const [serial, row] of shown) {
    if (kept.has(serial)) continue;
    row.remove();
    shown.delete(serial);
  }
  let next = spacer.firstElementChild;
  for (const { index, top, text } of wanted) {
    const row = shown.get(text.serial) ?? add(text);
    if (row === next) next = next.nextElementSibling;
    else spacer.insertBefore(row, next);
    row.style.top = `${top}px`;
    row.setAttribute("aria-posinset", index + 1);
    row.setAttribute("aria-setsize", total);
    row.setAttribute("aria-selected", String(text.serial === chosen));
    if (row.text !== text) fill(row, text);
  }
  seen = Math.max(seen, ...kept);
}

export const idOf = (serial) => shown.get(serial)?.id;

function add(text) {
  const fresh = seen && text.serial > seen ? " fresh" : "";
  const row = make("div", { class: `row${fresh}`, role: "option", id: `text-${text.serial}`, onclick: () => onPick(text.serial) },
    make("div", { class: "line" }, make("span", { class: "who grow" }), make("span", { class: "time" })),
    make("div", { class: "says", dir: "auto" }),
    make("div", { class: "line" }, make("span", { class: "small grow" }), make("span", { class: "stage" })));
  shown.set(text.serial, row);
  return row;
}

function fill(row, text) {
  row.text = text;
  const [top, says, bottom] = row.children;
  const who = top.firstChild;
  who.replaceChildren(...(text.sender ? [make("bdi", {}, text.sender), " → "] : []), make("bdi", {}, text.to));
  setText(says, text.preview.replace(/\s+/g, " "));
  setText(bottom.children[0], `${text.gateway} · ${segmentWords(text)}`);
  moveOn(row);
}

function moveOn(row) {
  const stage = stageOf(row.text);
  const sign = row.lastChild.lastChild;
  if (sign.dataset.stage === stage) return;
  sign.dataset.stage = stage;
  const { accepted, due } = row.text;
  setText(row.firstChild.lastChild, stage === "scheduled" ? `due ${timeWords(due)}` : timeWords(accepted));
  setText(sign, stageWords(stage));
}

/** Move the statuses on by the clock; the server need not be asked. */
export function tick() {
  for (const row of shown.values()) moveOn(row);
}

export const nextTick = () => Math.min(...[...shown.values()].map((row) => nextMove(row.text)), Infinity);
