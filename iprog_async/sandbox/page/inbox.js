// The inbox page: ties the list, the text and the gateways to what the sandbox says.

import * as api from "./api.js";
import { byId, clock, make, setClock, setText } from "./dom.js";
import * as gateways from "./gateways.js";
import * as list from "./list.js";
import * as text from "./text.js";

const number = new Intl.NumberFormat("en");
let overall = 0;
let announced = null;
let announcing = 0;
let tickTimer = 0;
let toastTimer = 0;

function complain(words) {
  const toast = byId("trouble");
  setText(toast, words);
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { toast.hidden = true; }, 6000);
}

// --- what the sandbox says -----------------------------------------------------------------

function onState(state) {
  setClock(state.now);
  overall = state.total;
  byId("remote").hidden = !state.remote;
  offerGateways(state.gateways);
  gateways.draw(state);
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
  const empty = byId("empty");
  empty.hidden = total > 0;
  const key = filtered ? "filtered" : "none";
  if (!total && empty.dataset.shown !== key) {
    empty.dataset.shown = key;
    empty.replaceChildren(...(filtered
      ? [make("b", {}, "Nothing matches"), make("span", {}, "No text is like that. Esc clears the search.")]
      : [make("b", {}, "No texts yet"), make("span", {}, "Texts appear here as your program sends them. Point it at a gateway of this sandbox, for example:"),
        make("code", {}, `base_url="${location.origin}/${byId("gateway").options[1]?.value ?? "iprog"}"`)]));
  }
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

function onChoose(serial, enter = false) {
  const narrow = matchMedia("(max-width: 720px)").matches;
  text.show(serial).then(scheduleTick);
  if (enter || narrow) {
    if (narrow && document.body.dataset.view !== "text") history.pushState({ view: "text" }, "");
    document.body.dataset.view = "text";
    byId("text-pane").focus({ preventScroll: true });
  }
}

function backToList() {
  document.body.dataset.view = "list";
  list.focus();
}

function openGateways(open) {
  if (open) document.body.dataset.gateways = "open";
  else delete document.body.dataset.gateways;
  byId("show-gateways").setAttribute("aria-expanded", String(open));
  (open ? byId("gateways") : byId("show-gateways")).focus();
}

function setFilter(changes) {
  list.filter(changes);
}

async function act(doing) {
  try {
    await doing();
  } catch (error) {
    complain(error.status ? error.message : "The sandbox can't be reached.");
  }
}

function onKey(event) {
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    backToList();
    byId("search").focus();
  } else if (event.key === "Escape") {
    onEscape(event.target);
  } else if (event.key === "ArrowDown" && event.target === byId("search")) {
    event.preventDefault();
    list.focus();
  }
}

function onEscape(target) {
  const search = byId("search");
  if (document.body.dataset.gateways === "open") openGateways(false);
  else if (target === search || byId("list-pane").contains(target)) {
    if (search.value) {
      search.value = "";
      setFilter({ q: "" });
    } else if (target === search) list.focus();
  } else backToList();
}

setText(byId("host"), location.host);
list.start({ onChoose, onTotal, onTrouble: complain });
gateways.start({ onTrouble: complain });
byId("search").addEventListener("input", (event) => setFilter({ q: event.target.value }));
byId("gateway").addEventListener("change", (event) => setFilter({ gateway: event.target.value }));
byId("stage").addEventListener("change", (event) => setFilter({ stage: event.target.value }));
byId("clear").addEventListener("click", () => act(api.clearTexts));
byId("reset").addEventListener("click", () => act(api.reset));
byId("all-off").addEventListener("click", () => act(api.turnAllOff));
byId("back").addEventListener("click", () => history.back());
byId("show-gateways").addEventListener("click", () => openGateways(document.body.dataset.gateways !== "open"));
byId("close-gateways").addEventListener("click", () => openGateways(false));
addEventListener("popstate", backToList);
document.addEventListener("keydown", onKey);
api.follow(onState, onLink);
list.refresh();
