// One text: on the phone that it went to, what is known of it, and what travelled.

import { getText } from "./api.js";
import { byId, clock, make, nextMove, paced, segmentWords, setClock, setText, stageOf, stageWords, timeWords } from "./dom.js";
import * as reply from "./reply.js";
import { noWire, wires } from "./wires.js";

const pane = byId("text");
let shown = null;
let wanted = null;

export async function show(serial) {
  wanted = serial;
  let text;
  try {
    text = await getText(serial);
  } catch (error) {
    // It was cleared away; a server that is away leaves what is on the screen.
    if (error.status === 404 && wanted === serial) hide();
    return;
  }
  if (wanted !== serial) return;
  setClock(text.now);
  // Drawing again would throw away a selection and the place that was scrolled to.
  const same = shown && JSON.stringify({ ...shown, now: 0 }) === JSON.stringify({ ...text, now: 0 });
  const again = shown && shown.serial === serial;
  shown = text;
  reply.offer(text);
  if (!same) draw(text, again);
  tick();
}

export function hide() {
  wanted = shown = null;
  reply.offer(null);
  pane.hidden = true;
  byId("nothing").hidden = false;
}

/** Ask again for what may have changed on the server. */
export const refresh = paced(async () => {
  if (wanted !== null) await show(wanted);
}, 500);

export const nextTick = () => (shown ? nextMove(shown) : Infinity);

function draw(text, again) {
  byId("nothing").hidden = true;
  pane.hidden = false;
  const open = again ? [...pane.querySelectorAll("details")].map((each) => each.open) : [];
  pane.replaceChildren(
    make("div", { class: "top" }, phone(text), facts(text)),
    make("div", { class: "wires" }, ...(text.exchange ? wires(text.exchange) : [noWire()])),
  );
  [...pane.querySelectorAll("details")].forEach((each, index) => { each.open = Boolean(open[index]); });
  const bubbles = pane.querySelector(".bubbles");
  // As on a phone the end is in sight, and of a long text its beginning.
  bubbles.scrollTop = text.replies.length ? bubbles.scrollHeight : pane.querySelector("#bubble").offsetTop - bubbles.offsetTop - 40;
}

function phone(text) {
  const name = text.sender || "Unknown sender";
  return make("div", { class: "phone", role: "group", "aria-label": "As the phone shows it" },
    make("div", { class: "screen" },
      make("div", { class: "caller" },
        make("span", { class: "face", "aria-hidden": "true" }, [...(text.sender || "?")][0].toUpperCase()),
        make("b", {}, name), make("span", { class: "small" }, `to ${text.to}`)),
      make("div", { class: "bubbles", tabindex: "0" },
        ...text.thread.map((each) => make("div", { class: "bubble older", dir: "auto" }, each.text)),
        make("span", { class: "stamp" }, timeWords(text.due)),
        make("div", { class: "bubble", id: "bubble", dir: "auto" }, text.text),
        ...text.replies.flatMap(answered))));
}

function answered(reply) {
  const told = reply.status === null ? "" : ` · the app answered ${reply.status}`;
  return [
    make("div", { class: "bubble mine", dir: "auto" }, reply.text),
    make("span", { class: "stamp" }, `${timeWords(reply.at)}${told}`),
  ];
}

function facts(text) {
  const pairs = {
    Gateway: text.gateway,
    To: text.to,
    Sender: text.sender || "the gateway's own",
    Id: text.message_id,
    Length: `${[...text.text].length.toLocaleString()} characters`,
    Encoding: segmentWords(text),
  };
  return make("div", { class: "facts" },
    make("dl", {}, ...Object.entries(pairs).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    make("h3", {}, "Delivery"),
    make("ol", { class: "timeline", "aria-label": "Delivery" }));
}

function steps(text) {
  const now = clock();
  const stage = stageOf(text);
  const left = { words: "Sent to the phone", at: text.due, class: "done" };
  if (now < text.due) Object.assign(left, { words: "Scheduled for", class: "" });
  const last = { words: stageWords(stage), at: text.final, class: stage === "delivered" ? "done good" : "done bad" };
  if (now < text.final) Object.assign(last, { words: "Delivery report", at: null, class: "" });
  return [{ words: "Accepted by the gateway", at: text.accepted, class: "done" }, left, last];
}

/** Move the timeline on by the clock. */
export function tick() {
  if (!shown) return;
  const line = pane.querySelector(".timeline");
  const wanted = steps(shown);
  if (line.children.length !== wanted.length) {
    line.replaceChildren(...wanted.map(() => make("li", {}, make("span"), make("span", { class: "time" }))));
  }
  wanted.forEach((step, index) => {
    const item = line.children[index];
    item.className = `step ${step.class}`;
    setText(item.children[0], step.words);
    setText(item.children[1], step.at === null ? "pending" : timeWords(step.at));
  });
}
