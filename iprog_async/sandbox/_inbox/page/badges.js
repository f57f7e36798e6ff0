// What goes on with the gateways, in a few signs, for where they are out of sight.

import { byId, make } from "./dom.js";

const signs = [byId("badges"), byId("head-badges")];

export function start() {
  byId("head-badges").addEventListener("click", () => byId("refused").scrollIntoView({ block: "start" }));
}

export function draw({ gateways, others, refused }) {
  const isFaulty = others.length > 0 || gateways.some((gateway) => gateway.on.length);
  const words = [isFaulty && "a fault is on", refused.length && `${refused.length} refused`].filter(Boolean).join(", ");
  for (const sign of signs) {
    sign.hidden = !words;
    // In the gateways it leads to the refused requests, which lie below.
    if (sign.matches("button")) sign.disabled = !refused.length;
    if (sign.dataset.words === words) continue;
    sign.dataset.words = sign.title = words;
    sign.replaceChildren(...badges(isFaulty, refused.length), make("span", { class: "visually-hidden" }, words));
  }
}

function badges(isFaulty, refused) {
  const made = [];
  // The sign that follows keeps it from being an emoji.
  if (isFaulty) made.push(make("span", { class: "mark", "aria-hidden": "true" }, "⚠\uFE0E"));
  if (refused) made.push(make("span", { class: "badge", "aria-hidden": "true" }, String(refused)));
  return made;
}
