// What the phone on the page answers: kept by its gateway, and pushed to the app.

import * as api from "./api.js";
import { byId, setText } from "./dom.js";
import { attempt, complain } from "./toast.js";

const form = byId("reply");
const words = byId("reply-words");
let pushedTo = null;
let shown = null;

/** Note where incoming texts are pushed to. */
export function note(push) {
  pushedTo = push;
  hint();
}

/** Let the phone of a text answer, where its gateway has incoming texts; nobody without a text. */
export function offer(text) {
  if (text?.serial !== shown?.serial) words.value = "";
  shown = text;
  form.hidden = !text?.can_reply;
}

function hint() {
  setText(byId("reply-hint"), pushedTo ? `Posted to ${pushedTo}` : "Kept by the gateway; start the sandbox with --push URL to have it posted to your app.");
}

async function send(event) {
  event.preventDefault();
  const { serial } = shown;
  let answer = null;
  const sent = await attempt(async () => { answer = await api.reply(serial, words.value); });
  if (!sent) return;
  if (shown?.serial === serial) words.value = "";
  if (answer.pushed_to && answer.status !== 200) complain(answer.status ? `The app answered ${answer.status}.` : "The app gave no answer.");
}

form.addEventListener("submit", send);
hint();
