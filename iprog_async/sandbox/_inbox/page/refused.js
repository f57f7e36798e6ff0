// The last requests that came to nothing, which no text in the list tells of.

import { getRefused } from "./api.js";
import { byId, make, number, timeWords } from "./dom.js";
import { wires } from "./wires.js";

const section = byId("refused");
const list = byId("refusals");
const items = new Map(); // by serial

/** What happened, in as few words as there are. */
const wordsOf = ({ reason, status }) => reason ?? (status === null ? "no answer" : `HTTP ${status}`);

const recipientWords = ({ to, recipients }) => (recipients > 1 ? `${to} and ${number.format(recipients - 1)} more` : to ?? "number not known");

export function draw(refused) {
  section.hidden = !refused.length;
  const kept = new Set(refused.map(({ serial }) => serial));
  for (const [serial, item] of items) {
    if (kept.has(serial)) continue;
    item.remove();
    items.delete(serial);
  }
  for (const each of [...refused].reverse()) {
    if (items.has(each.serial)) continue;
    const item = build(each);
    items.set(each.serial, item);
    list.prepend(item);
  }
}

function build(refusal) {
  const body = make("div", { class: "wires" });
  const item = make("details", { class: "refusal" },
    make("summary", {},
      make("span", { class: "line" },
        make("b", { class: "grow" }, refusal.gateway || "/"),
        make("span", { class: "time" }, timeWords(refusal.at))),
      make("span", { class: "line" },
        make("span", { class: "to grow" }, recipientWords(refusal)),
        make("span", { class: "why" }, wordsOf(refusal)))),
    body);
  item.addEventListener("toggle", () => { if (item.open) open(refusal.serial, body); });
  return item;
}

async function open(serial, body) {
  if (body.children.length) return;
  try {
    body.replaceChildren(...wires(await getRefused(serial)));
  } catch (error) {
    body.replaceChildren(make("p", { class: "small" }, error.status ? "It is too long ago." : error.message));
  }
}
