// What went wrong with the last thing that was asked for, until something goes right.

import { byId, setText } from "./dom.js";

const toast = byId("trouble");
let timer = 0;

export function complain(words) {
  setText(toast, words);
  toast.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(settle, 6000);
}

export function settle() {
  toast.hidden = true;
}

/** Do what somebody asked for, and say so where it fails; returns whether it went well. */
export async function attempt(doing) {
  try {
    await doing();
  } catch (error) {
    complain(error.message);
    return false;
  }
  settle();
  return true;
}
