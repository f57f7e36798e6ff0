// What is in sight and has the keyboard: the list, a text, or the gateways.

import { byId } from "./dom.js";
import * as list from "./list.js";

const narrow = matchMedia("(max-width: 720px)"); // as in the style sheet
const drawer = matchMedia("(max-width: 1120px)");
const BEHIND = ["bar", "list-pane", "text-pane"].map(byId);
const view = document.body.dataset;
let clearFilters = () => {};

export function start(handlers) {
  clearFilters = handlers.clearFilters;
  byId("back").addEventListener("click", () => leaveText(list.focus));
  byId("show-gateways").addEventListener("click", () => openGateways(true));
  byId("close-gateways").addEventListener("click", () => openGateways(false));
  drawer.addEventListener("change", () => { if (isOpen()) openGateways(false); });
  addEventListener("popstate", onPopState);
  document.addEventListener("pointerdown", onPress);
  document.addEventListener("keydown", onKey);
}

/** Show the pane of the chosen text; where it takes the place of the list, "back" leads back. */
export function openText(how) {
  if (how === "walk" || (how === "click" && !narrow.matches)) return;
  if (narrow.matches && view.view !== "text") history.pushState({ view: "text" }, "");
  view.view = "text";
  byId("text-pane").focus({ preventScroll: true });
}

function leaveText(focus) {
  if (view.view === "text" && history.state?.view === "text") history.back();
  view.view = "list";
  focus();
}

function onPopState(event) {
  const wanted = event.state?.view ?? "list";
  if (wanted === view.view) return;
  view.view = wanted;
  (wanted === "text" ? byId("text-pane") : byId("texts")).focus();
}

const isOpen = () => view.gateways === "open";

function openGateways(open) {
  if (open) view.gateways = "open";
  else delete view.gateways;
  // What they cover is out of reach for the keyboard too.
  for (const pane of BEHIND) pane.inert = open;
  byId("show-gateways").setAttribute("aria-expanded", String(open));
  (open ? byId("gateways") : byId("show-gateways")).focus();
}

function onPress(event) {
  if (isOpen() && !byId("gateways").contains(event.target)) openGateways(false);
}

function onKey(event) {
  const search = byId("search");
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    if (isOpen()) openGateways(false);
    leaveText(() => search.focus());
  } else if (event.key === "Escape") {
    onEscape(event.target);
  } else if (event.key === "ArrowDown" && event.target === search) {
    event.preventDefault();
    list.focus();
  }
}

/** Nothing that has the keyboard is as good as the list, unless a text takes its place. */
const isInList = (target) => byId("list-pane").contains(target) || (target === document.body && view.view === "list");

function onEscape(target) {
  const search = byId("search");
  if (isOpen()) openGateways(false);
  else if (!isInList(target)) leaveText(list.focus);
  else if (list.isFiltered()) clearFilters();
  else if (target === search) list.focus();
}
