// What travelled: a request to a gateway, and what its sender got back.

import { make } from "./dom.js";

export const noWire = () => wire("Request", "", "This text did not come by HTTP.", [], null);

export function wires(exchange) {
  const line = `${exchange.method} ${exchange.path}`;
  if (exchange.forgotten) return [wire("Request", line, "What travelled is not kept: it was too long ago, or too large.", [], null)];
  const { answer } = exchange;
  const missing = exchange.ended ? "The client got no answer." : "No answer yet.";
  return [
    wire("Request", line, exchange.body ? null : "It has no body.", exchange.headers, exchange.body),
    wire("Answer", answer.status === null ? "" : `HTTP ${answer.status}`, answer.status === null ? missing : null,
      answer.headers, answer.body, exchange.fault_words),
  ];
}

function wire(title, line, none, headers, body, fault) {
  const parts = [make("h3", {}, title, make("code", { title: line }, line))];
  if (fault) parts.push(make("p", { class: "fault" }, fault));
  if (none) parts.push(make("p", { class: "none" }, none));
  else parts.push(make("pre", { tabindex: "0" }, body));
  if (headers.length) {
    const lines = headers.map(([name, value]) => `${name}: ${value}`).join("\n");
    parts.push(make("details", {}, make("summary", {}, `${headers.length} header fields`), make("pre", {}, lines)));
  }
  return make("section", { class: "wire", "aria-label": title }, ...parts);
}
