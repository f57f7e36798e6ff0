// The list without texts: why it is empty, and how texts get here.

import { byId, make } from "./dom.js";

const box = byId("empty");
let addresses = [];
let onShowAll = () => {};

export function start(showAll) {
  onShowAll = showAll;
}

/** Note the addresses of the gateways, of which the plainest is the example. */
export function offer(gateways) {
  const fill = ({ address, name }) => address.replace("{base_url}", `${location.origin}/${name}`);
  addresses = gateways.map(fill).sort((one, other) => one.length - other.length);
}

/** Show why there are no texts, if there are none; `filters` is what the list is narrowed to. */
export function show(isEmpty, filters) {
  box.hidden = !isEmpty;
  const isFiltered = Object.values(filters).some(Boolean);
  const kind = isFiltered ? missing(filters) : `none ${addresses[0]}`;
  if (!isEmpty || box.dataset.shown === kind) return;
  box.dataset.shown = kind;
  box.replaceChildren(...(isFiltered ? nothingMatches(kind) : firstSteps()));
}

function missing({ q, gateway, stage }) {
  const words = ["There is no", stage, "text", gateway && `of ${gateway}`, q && `that matches “${q}”`];
  return `${words.filter(Boolean).join(" ")}.`;
}

function nothingMatches(words) {
  const all = make("button", { class: "quiet", type: "button", title: "Esc does so too", onclick: () => onShowAll() }, "Show all texts");
  return [make("b", {}, "Nothing matches"), make("span", { class: "missing" }, words), all];
}

function firstSteps() {
  const words = "Texts appear here as your program sends them. Point it at a gateway of this sandbox:";
  return [make("b", {}, "No texts yet"), make("span", {}, words), ...(addresses.length ? [example(addresses[0])] : [])];
}

function example(address) {
  // In pieces, so that a narrow list breaks it where it reads well.
  const [start, options = ""] = address.split(/(?=\?)/);
  const pieces = ["export SMS_URL=", `'${start}`, `${options}'`].map((piece) => make("span", {}, piece));
  const line = make("code", { tabindex: "0" }, ...pieces);
  const copy = make("button", { class: "quiet", type: "button", onclick: () => copyFrom(line, copy) }, "Copy");
  return make("div", { class: "example" }, line, copy);
}

async function copyFrom(line, button) {
  getSelection().selectAllChildren(line);
  // Without a secure connection a browser offers no clipboard; what is selected can be copied.
  if (!navigator.clipboard) return;
  await navigator.clipboard.writeText(line.textContent);
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}
