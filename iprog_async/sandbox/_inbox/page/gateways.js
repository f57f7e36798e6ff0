// The gateways: their credit, and what goes wrong with them on demand.

import { setCredit, turn } from "./api.js";
import { byId, make, setText } from "./dom.js";
import { attempt, settle } from "./toast.js";

const cards = byId("cards");

export function draw({ gateways, switches, others }) {
  const names = gateways.map((gateway) => gateway.name).join(" ");
  if (cards.dataset.names !== names) {
    cards.dataset.names = names;
    cards.replaceChildren(...[everyone(gateways), ...gateways].map((gateway) => card(gateway, switches)));
  }
  [everyone(gateways), ...gateways].forEach((gateway, index) => update(cards.children[index], gateway));
  const list = byId("others");
  list.hidden = !others.length;
  list.className = "card others";
  list.replaceChildren(make("h3", {}, "Faults set by programs"),
    ...others.map((fault) => make("p", {}, `${fault.kind} · ${fault.route} · ${fault.times === null ? "every time" : `${fault.times} × more`}`)));
}

function everyone(gateways) {
  const switches = [...new Set(gateways.flatMap((gateway) => gateway.switches))];
  const having = (name) => gateways.filter((gateway) => gateway.switches.includes(name));
  const on = switches.filter((name) => having(name).every((gateway) => gateway.on.includes(name)));
  const some = switches.filter((name) => having(name).some((gateway) => gateway.on.includes(name)));
  return { name: null, switches, on, some };
}

function card(gateway, switches) {
  const title = gateway.name ?? "All gateways";
  const head = make("div", { class: "card-head" }, make("b", {}, title));
  if (gateway.name !== null) head.append(credit(gateway));
  const chips = gateway.switches.map((name) => {
    const { words, hint } = switches[name];
    return make("button", {
      class: "chip", type: "button", title: hint, "data-switch": name, "aria-pressed": "false",
      onclick: (event) => flip(gateway.name, name, event.currentTarget.getAttribute("aria-pressed") !== "true"),
    }, words);
  });
  return make("section", { class: "card", "aria-label": title, "data-gateway": gateway.name ?? "all" },
    head, make("div", { class: "chips", role: "group", "aria-label": `Faults of ${title}` }, ...chips));
}

function credit(gateway) {
  const field = make("input", { type: "text", inputmode: "decimal", "aria-label": `Credit of ${gateway.name}`, autocomplete: "off" });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") field.blur();
    if (event.key === "Escape") {
      field.value = field.dataset.known;
      field.blur();
      settle();
      event.stopPropagation();
    }
  });
  field.addEventListener("blur", async () => {
    const value = field.value.trim();
    if (value === field.dataset.known) return;
    if (!(await attempt(() => setCredit(gateway.name, value)))) field.value = field.dataset.known;
  });
  return make("label", { class: "credit" }, "credit", field);
}

function update(element, gateway) {
  for (const chip of element.querySelectorAll(".chip")) {
    const name = chip.dataset.switch;
    const some = gateway.some && gateway.some.includes(name);
    chip.setAttribute("aria-pressed", gateway.on.includes(name) ? "true" : some ? "mixed" : "false");
  }
  element.classList.toggle("troubled", gateway.on.length > 0);
  const field = element.querySelector("input");
  if (field) {
    field.dataset.known = gateway.credit;
    // Not under the hands of who is typing.
    if (document.activeElement !== field) field.value = gateway.credit;
    field.style.width = `${Math.max(8, gateway.credit.length) + 3}ch`;
  }
  setText(element.querySelector("b"), gateway.name ?? "All gateways");
}

const flip = (gateway, name, on) => attempt(async () => draw(await turn(gateway, name, on)));
