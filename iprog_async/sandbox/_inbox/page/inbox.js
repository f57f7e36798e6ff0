// The inbox page: ties the list, the text and the gateways to what the sandbox says.

import * as api from "./api.js";
import * as badges from "./badges.js";
import { byId, clock, make, number, setClock, setText } from "./dom.js";
import * as empty from "./empty.js";
import * as gateways from "./gateways.js";
import * as list from "./list.js";
import * as refused from "./refused.js";
import * as reply from "./reply.js";
import * as text from "./text.js";
import { attempt, complain } from "./toast.js";
import * as views from "./views.js";

let overall = 0;
let announced = null;
let announcing = 0;
let tickTimer = 0;

// --- what the sandbox says -----------------------------------------------------------------

function onState(state) {
  setClock(state.now);
  overall = state.total;
  byId("remote").hidden = !state.remote;
  reply.note(state.push);
  empty.offer(state.gateways);
  offerGateways(state.gateways);
  gateways.draw(state);
  refused.draw(state.refused);
  badges.draw(state);
  list.refresh();
  text.refresh();
  announce();
}

function onLink(state) {
  const link = byId("link");
  link.dataset.state = state;
  setText(link, state === "live" ? "live" : "reconnecting");
}

function offerGateways(found) {
  const select = byId("gateway");
  const names = found.map((gateway) => gateway.name);
  if (select.dataset.names === names.join(" ")) return;
  select.dataset.names = names.join(" ");
  select.replaceChildren(make("option", { value: "" }, "All gateways"), ...names.map((name) => make("option", { value: name }, name)));
}

/** Tell screen readers how many came in, a few seconds' worth at a time. */
function announce() {
  if (announced === null || overall < announced) announced = overall;
  if (announcing || overall === announced) return;
  announcing = setTimeout(() => {
    const count = overall - announced;
    announcing = 0;
    announced = overall;
    if (count > 0) setText(byId("live"), `${number.format(count)} new ${count === 1 ? "text" : "texts"}`);
  }, 2000);
}

function onTotal(total) {
  const filtered = list.isFiltered();
  setText(byId("count"), filtered ? `${number.format(total)} of ${number.format(overall)}` : number.format(total));
  empty.show(!total, list.chosen());
  scheduleTick();
}

// Statuses move on by the clock alone, at the moments when one is due.
function scheduleTick() {
  clearTimeout(tickTimer);
  const next = Math.min(list.nextTick(), text.nextTick());
  if (next === Infinity) return;
  const wait = Math.min(Math.max(next - clock() + 5, 20), 60_000);
  tickTimer = setTimeout(() => {
    list.tick();
    text.tick();
    scheduleTick();
  }, wait);
}

// --- what people do ------------------------------------------------------------------------

function onChoose(serial, how) {
  text.show(serial).then(scheduleTick);
  views.openText(how);
}

/** Show all texts again. */
function clearFilters() {
  for (const id of ["search", "gateway", "stage"]) byId(id).value = "";
  list.filter({ q: "", gateway: "", stage: "" });
  list.focus();
}

setText(byId("host"), location.host);
list.start({ onChoose, onTotal, onTrouble: complain });
badges.start();
views.start({ clearFilters });
empty.start(clearFilters);
byId("search").addEventListener("input", (event) => list.filter({ q: event.target.value }));
byId("gateway").addEventListener("change", (event) => list.filter({ gateway: event.target.value }));
byId("stage").addEventListener("change", (event) => list.filter({ stage: event.target.value }));
byId("clear").addEventListener("click", () => attempt(api.clearTexts));
byId("reset").addEventListener("click", () => attempt(api.reset));
byId("all-off").addEventListener("click", () => attempt(api.turnAllOff));
api.follow(onState, onLink);
list.refresh();
